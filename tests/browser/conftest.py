"""A real browser, found or installed, that shows the page over a fake interface with a made-up library."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from local.chromium import HOW_TO_INSTALL, launched
from tests.web.fake_api import FakeApi, library

PATIENCE = 20_000
"""Milliseconds. It is long because other tests may keep the machine busy."""

DESK: ViewportSize = {"width": 1280, "height": 860}

Open = Callable[..., Page]

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser of this process."""
    with sync_playwright() as playwright:
        browser = launched(playwright)
        if browser is None:
            pytest.skip(HOW_TO_INSTALL)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[FakeApi]:
    """The fake interface and its storage, on the same two origins for all tests of this process."""
    with FakeApi() as api:
        yield api


@pytest.fixture
def api(servers: FakeApi) -> FakeApi:
    """The fake interface over the library without its ten thousand documents."""
    servers.begin(library(many=0))
    return servers


@pytest.fixture(scope="session")
def context(browser: Browser) -> BrowserContext:
    """The browser context of all tabs that need none of their own: a context is a process, and costs as much as a test.

    Animations are off, since each frame takes CPU time. The page keeps its state in the tab's session storage, so tests
    do not share it.
    """
    return browser.new_context(viewport=DESK, reduced_motion="reduce")


@pytest.fixture
def open_page(browser: Browser, context: BrowserContext, api: FakeApi) -> Iterator[Open]:
    """Open the page at an address in a new tab. When the test ends, no script may have failed in it.

    ``options`` open the tab in a new context with these options.
    """
    pages: list[Page] = []
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def opened(address: str = "", /, *, base: str = api.url, **options: Any) -> Page:
        media = {name: options.pop(name) for name in ("color_scheme", "reduced_motion") if name in options}
        viewport = options.pop("viewport", DESK)
        if options:
            contexts.append(browser.new_context(**options))
        page = (contexts[-1] if options else context).new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.set_viewport_size(viewport)
        if media:
            page.emulate_media(**media)
        page.on("pageerror", lambda error: failures.append(f"{error}\n{error.stack}"))
        page.on("console", lambda message: failures.append(message.text) if is_failure(message) else None)
        page.goto(base + address)
        return page

    yield opened
    for page in pages:
        try:
            assert page.evaluate("window.hacked") is None
        except Error:
            assert page.is_closed()
        page.close()
    for each in contexts:
        each.close()
    assert not failures


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true. Playwright's own wait evaluates strings, which the page's policy forbids."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never became true: {expression}"
        page.wait_for_timeout(40)


def image_shown(page: Page, number: int | None = None) -> None:
    """Wait for the image of this page, or of any page."""
    of = f"=== '{number}'" if number else "!== undefined"
    until(page, f"document.getElementById('scan').width > 0 && document.getElementById('scan').dataset.page {of}")


def painted(page: Page) -> None:
    """Wait until the canvas shows the latest change."""
    page.evaluate("new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))")


def is_failure(message: ConsoleMessage) -> bool:
    """Whether a console message reports something forbidden, such as a breach of the page's policy."""
    return message.type == "error" and "Failed to load resource" not in message.text and "CORS" not in message.text

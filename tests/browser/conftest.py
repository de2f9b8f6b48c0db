"""A real browser, found or installed, and the page before it over a made-up library."""

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
"""Milliseconds: other tests may have the machine."""

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
    """The made-up interface and its storage, on the same two origins for all tests of this process."""
    with FakeApi() as api:
        yield api


@pytest.fixture
def api(servers: FakeApi) -> FakeApi:
    """The interface over the library without its ten thousand."""
    servers.begin(library(many=0))
    return servers


@pytest.fixture(scope="session")
def context(browser: Browser) -> BrowserContext:
    """What tabs share that need nothing of their own: a context costs a process, which costs as much as a test.

    Nothing is animated, since each frame takes the processor. What the page keeps is in the tab's session storage, so
    that tests share nothing by it.
    """
    return browser.new_context(viewport=DESK, reduced_motion="reduce")


@pytest.fixture
def open_page(browser: Browser, context: BrowserContext, api: FakeApi) -> Iterator[Open]:
    """Open the page at an address, in a tab of its own; at the end no script may have failed in it.

    ``options`` are a new context's.
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
    """Wait for an expression to hold. Playwright's own waiting evaluates strings, which the page's policy forbids."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never came true: {expression}"
        page.wait_for_timeout(40)


def image_shown(page: Page, number: int | None = None) -> None:
    """Wait for the image of a page, or of any."""
    of = f"=== '{number}'" if number else "!== undefined"
    until(page, f"document.getElementById('scan').width > 0 && document.getElementById('scan').dataset.page {of}")


def painted(page: Page) -> None:
    """Wait until what has changed is on the canvas."""
    page.evaluate("new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))")


def is_failure(message: ConsoleMessage) -> bool:
    """Whether the console tells of something that must not be, such as a breach of the page's policy."""
    return message.type == "error" and "Failed to load resource" not in message.text and "CORS" not in message.text

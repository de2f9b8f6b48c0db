"""A real browser, found or installed, and the page before it over a made-up library."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from local.chromium import HOW_TO_INSTALL, launched
from tests.web.fake_api import FakeApi, library

PATIENCE = 20_000
"""Milliseconds: other tests may have the machine."""

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


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The interface over the library without its ten thousand."""
    with FakeApi(library(many=0)) as api:
        yield api


@pytest.fixture
def open_page(browser: Browser, api: FakeApi) -> Iterator[Open]:
    """Open the page at an address, in a context of its own; at the end no script may have failed in it."""
    contexts = []
    failures: list[str] = []

    def opened(address: str = "", /, *, base: str = api.url, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}} | options)  # type: ignore[arg-type]  # the options of one call, by name
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(f"{error}\n{error.stack}"))
        page.on("console", lambda message: failures.append(message.text) if is_failure(message) else None)
        page.goto(base + address)
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            try:
                assert page.evaluate("window.hacked") is None
            except Error:
                assert page.is_closed()
        context.close()
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

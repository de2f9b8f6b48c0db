"""The page in a real browser over the whole app: the time for opening, scrolling and pointing.

The app is function_app.py in the Functions emulator, on Azurite; Read is a server with results of known size. Page
images are drawn by the app, in processes of their own.
"""

import io
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # ships no types
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.figure import Figure
from local.browsers import allow_pages
from local.chromium import HOW_TO_INSTALL, launched
from local.functions_emulator.keys import FUNCTION_KEY
from local.processes import Azurite, FunctionsEmulator
from shared.document import Status
from simulation.app import App, Clock, environment_of, settings_for
from simulation.read_server import ReadServer, result_of

PATIENCE = 60_000
"""Milliseconds."""

MOST_SECONDS, MOST_REQUESTS, MOST_KB, MOST_MB, MOST_MS = 1, 4, 300, 150, 16

TURN = """async (pages) => {
  const image = document.getElementById('scan');
  for (let i = 0; i < pages; i += 1) {
    const before = image.dataset.page;
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'PageDown', bubbles: true, cancelable: true}));
    for (let wait = 0; wait < 2000 && (!image.dataset.page || image.dataset.page === before); wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  }
}"""
"""Turns this many pages, each when the previous one has its image."""

POINT = """async (places) => {
  const stage = document.getElementById('stage'), canvas = document.getElementById('boxes');
  const sheet = document.getElementById('sheet').getBoundingClientRect(), times = [];
  const move = (x, y) => {
    const at = {clientX: sheet.left + sheet.width * x, clientY: sheet.top + sheet.height * y};
    const start = performance.now();
    stage.dispatchEvent(new PointerEvent('pointermove', {...at, bubbles: true, pointerType: 'mouse'}));
    canvas.getContext('2d').getImageData(0, 0, 1, 1);
    document.getElementById('text').getBoundingClientRect();
    return performance.now() - start;
  };
  for (let i = 0; i < places; i += 1) {
    let least = Infinity;
    for (let again = 0; again < 5; again += 1) {
      move(0.9, 0.005);
      await new Promise((resolve) => setTimeout(resolve, 4));
      least = Math.min(least, move(0.1 + 0.5 * ((i * 37) % 100) / 100, 0.02 + 0.5 * ((i * 61) % 100) / 100));
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    times.push(least);
  }
  return times;
}"""
"""Moves the pointer to some places, five times each. Milliseconds of the quickest move to each, drawing and layout
included: the others may have waited for other processes."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """All figures; none if there is no browser."""
    with ExitStack() as stack:
        browser = launched(stack.enter_context(sync_playwright()))
        if browser is None:
            print(HOW_TO_INSTALL, file=sys.stderr)
            return
        stack.callback(browser.close)
        world = stack.enter_context(_World(browser))
        yield from _first_text(world, 1 if quick else 9)
        pages, scrolled = (16, 3) if quick else (2000, 300)
        world.book(pages, scrolled + 11, opened=pages * 3 // 4)
        yield from _opened(world, pages * 3 // 4, pages)
        yield _scrolled(world, scrolled)
        yield _pointed(world, 10 if quick else 100)


class _World:
    """The app, Read and a tab of the page."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._stack = ExitStack()

    def __enter__(self) -> "_World":
        logs = Path(self._stack.enter_context(TemporaryDirectory()))
        azurite = self._stack.enter_context(Azurite(logs=logs))
        self.read = self._stack.enter_context(ReadServer())
        chosen = settings_for(azurite.connection_string, self.read.endpoint)
        self.app = App(chosen, Clock())
        self.app.create_inbox()
        host = self._stack.enter_context(FunctionsEmulator(settings=environment_of(chosen), logs=logs))
        allow_pages(azurite.connection_string, [host.url])
        self.url = f"{host.url}/api/"
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def tab(self, address: str = "") -> Page:
        """The page in a tab of its own, with its key."""
        page = self.browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(self.url + address)
        page.fill("#key", FUNCTION_KEY)
        page.keyboard.press("Enter")
        return page

    def book(self, pages: int, full: int, opened: int) -> None:
        """Store a book of this many pages. The first ones and the one that is opened have 342 words, the others one."""
        pdf = pypdfium2.PdfDocument.new()
        for _ in range(pages):
            pdf.new_page(612, 792)
        body = io.BytesIO()
        pdf.save(body)
        words = [38 * 9 if number <= full or number == opened else 1 for number in range(1, pages + 1)]
        self._store("book.pdf", body.getvalue(), [_page_of(number, 9, count) for number, count in enumerate(words, 1)])

    def dense(self) -> None:
        """Store a page of 5,000 words."""
        self._store("dense.png", _picture(1000, 1294), [_page_of(1, 25, 5000, "pixel", (1000, 1294))])

    def _store(self, name: str, content: bytes, pages: list[dict[str, Any]]) -> None:
        self.read.results[content] = result_of(pages)
        self.app.drop(name, content)
        end = time.monotonic() + 600
        while (found := self.app.services.documents.get(name)) is None or found.status is not Status.SUCCEEDED:
            if time.monotonic() > end:
                raise TimeoutError(f"{name} is not stored")
            time.sleep(0.5)


def _page_of(
    number: int, across: int, count: int, unit: str = "inch", size: tuple[float, float] = (8.5, 11)
) -> dict[str, Any]:
    """A page as v3.2 answers it, with this many words, and this many per line."""
    width, height = size
    rows = max(40, -(-count // across))
    lines = []
    for at in range(0, count, across):
        top, tall = height * (0.02 + 0.95 * at / across / rows), height * 0.6 / rows
        words: list[dict[str, Any]] = []
        for column in range(min(across, count - at)):
            left, wide = width * (0.03 + 0.94 * column / across), width * 0.8 / across
            box = [left, top, left + wide, top, left + wide, top + tall, left, top + tall]
            words.append({"text": f"w{at + column:04}", "boundingBox": [round(v, 3) for v in box], "confidence": 0.9})
        first, last = words[0]["boundingBox"], words[-1]["boundingBox"]
        text = " ".join(str(word["text"]) for word in words)
        lines.append({"text": text, "boundingBox": [*first[:2], *last[2:6], *first[6:]], "words": words})
    return {"page": number, "width": width, "height": height, "unit": unit, "angle": 0, "lines": lines}


def _picture(width: int, height: int, grey: int = 255) -> bytes:
    body = io.BytesIO()
    Image.new("L", (width, height), grey).save(body, "PNG")
    return body.getvalue()


def _first_text(world: _World, times: int) -> Iterator[Figure]:
    waits = []
    for number in range(times):
        content = _picture(300, 200, 200 + number)
        world.read.results[content] = result_of([_page_of(1, 5, 20, "pixel", (300, 200))])
        page = world.tab()
        expect(page.locator("#key-dialog")).to_be_hidden(timeout=PATIENCE)
        page.evaluate(
            """() => new MutationObserver(() => {
              if (document.querySelector('#text p[dir]')) window.seen ??= Date.now();
            }).observe(document.getElementById('text'), {childList: true})"""
        )
        name = f"photo {number}.png"
        page.set_input_files("#files", {"name": name, "mimeType": "image/png", "buffer": content})
        expect(page.locator("#text p").first).to_have_text(re.compile("w0000"), timeout=PATIENCE)
        done = world.app.document(name).completed_at
        if done:
            waits.append(page.evaluate("window.seen") / 1000 - done.timestamp())
        page.context.close()
    yield Figure(
        name="Page: first text on screen after succeeded",
        value=round(median(waits), 2),
        unit="s",
        goal=MOST_SECONDS,
        note=f"{len(waits)} runs: {min(waits):.2f} to {max(waits):.2f}",
    )


def _opened(world: _World, number: int, pages: int) -> Iterator[Figure]:
    page = world.tab()
    expect(page.locator("#rows .row").first).to_be_visible(timeout=PATIENCE)
    page.wait_for_load_state("networkidle")  # what the list asks for is not the page's
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(_size(request)) if _is_data(request.url) else None)
    page.evaluate("([name, page]) => { location.hash = new URLSearchParams({name, page}); }", ["book.pdf", str(number)])
    _image_shown(page)
    page.wait_for_timeout(500)
    page.context.close()
    what = f"Page {number:,} of {pages:,}"
    yield Figure(name=f"{what}: requests besides its image", value=len(sizes), unit="requests", goal=MOST_REQUESTS)
    yield Figure(name=f"{what}: data besides its image", value=round(sum(sizes) / 1000), unit="kB", goal=MOST_KB)


def _is_data(url: str) -> bool:
    return "/api/" in url and "/static/" not in url and "/page-image" not in url


def _size(request: Any) -> int:
    sizes: Mapping[str, int] = request.sizes()
    return sizes["responseBodySize"]


def _scrolled(world: _World, pages: int) -> Figure:
    page = world.tab("#name=book.pdf")
    _image_shown(page)
    page.evaluate(TURN, 10)
    before = megabytes(world.browser, page)
    start = time.monotonic()
    page.evaluate(TURN, pages)
    each = (time.monotonic() - start) / pages
    grown = megabytes(world.browser, page) - before
    page.context.close()
    note = f"{each:.2f} s a page, its drawing included"
    return Figure(
        name=f"Memory after {pages} pages scrolled", value=round(max(grown, 0), 1), unit="MB", goal=MOST_MB, note=note
    )


def _pointed(world: _World, places: int) -> Figure:
    world.dense()
    page = world.tab("#name=dense.png")
    _image_shown(page)
    page.wait_for_timeout(500)
    times: list[float] = page.evaluate(POINT, places)
    page.context.close()
    return Figure(
        name="Following the pointer on a page of 5,000 words, p95",
        value=round(quantiles(times, n=20)[-1], 1),
        unit="ms",
        goal=MOST_MS,
        note=f"{places} places, the quickest of 5 moves to each; median {median(times):.1f}",
    )


def _image_shown(page: Page) -> None:
    expect(page.locator("#scan[data-page]")).to_be_visible(timeout=PATIENCE)


def megabytes(browser: Browser, page: Page) -> float:
    """The memory of the browser's processes after a garbage collection (Linux); elsewhere the scripts' heap."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    page.wait_for_timeout(300)
    if not Path("/proc/self/status").exists():
        return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    held = 0
    for process in processes:
        status = Path(f"/proc/{process['id']}/status").read_text(encoding="ascii")
        held += sum(map(int, re.findall(r"Rss(?:Anon|Shmem):\s+(\d+) kB", status)))
    return held / 1e3

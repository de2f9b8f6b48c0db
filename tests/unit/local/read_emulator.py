"""The Read emulator for tests: real HTTP, a fake engine, and a clock that the test moves."""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self

import requests
from PIL import Image

from local.read_emulator import generations
from local.read_emulator.documents import PageImage
from local.read_emulator.engine import Engine
from local.read_emulator.page import Line, Page, Word
from local.read_emulator.reader import Reader
from local.read_emulator.server import ReadService
from local.read_emulator.serving import serving

BOX = (1.0, 2.0, 30.4, 2.0, 30.4, 12.0, 1.0, 12.0)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2021, 11, 4, 5, 53, 49, 900_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class FakeEngine:
    """An engine that reads the same words from every page, once the test lets it."""

    def __init__(self) -> None:
        self.may_read = threading.Event()
        self.may_read.set()
        self.text = "page {}"
        self.columns: bool | None = None
        """Whether the last page was read in natural order, column by column."""
        self.sizes: list[tuple[float, float]] = []
        """The sizes of the pages that were read, in order."""

    def read_page(self, image: PageImage, columns: bool) -> Page:
        assert self.may_read.wait(10)
        self.columns = columns
        self.sizes.append((image.width, image.height))
        text = self.text.format(image.number)
        words = tuple(Word(BOX, word, 0.98765) for word in text.split())
        return Page(image.number, -89.99996, image.width, image.height, image.unit, (Line(BOX, text, words),))


@dataclass
class Service:
    """A running emulator, and calls to it."""

    url: str
    engine: FakeEngine
    clock: Clock
    analyze: str = "/vision/v3.2/read/analyze"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/octet-stream"})

    def speaking(self, name: str) -> Self:
        """The same emulator, called by another generation's path."""
        (generation,) = (each for each in generations.ALL if each.name == name)
        version = f"?api-version={generation.api_version}" if generation.api_version else ""
        return replace(self, analyze=generation.analyze[0] + version)

    def post(self, content: bytes, query: str = "", **headers: str) -> requests.Response:
        return requests.post(
            f"{self.url}{self.analyze}{query}",
            data=content,
            headers=self.headers | {name.replace("_", "-"): value for name, value in headers.items()},
            timeout=10,
        )

    def get(self, path: str, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else self.url + path
        return requests.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=10)

    def result(self, accepted: requests.Response) -> dict[str, Any]:
        """The body once the operation has ended."""
        assert accepted.status_code == 202, accepted.text
        for _ in range(1000):
            body: dict[str, Any] = self.get(accepted.headers["Operation-Location"]).json()
            if body["status"].lower() not in ("notstarted", "running"):
                return body
            time.sleep(0.005)  # the reader's thread is real
        raise AssertionError("the operation did not end")

    def read(self, content: bytes, query: str = "") -> dict[str, Any]:
        return self.result(self.post(content, query))


@contextmanager
def read_emulator(key: str | None = None) -> Iterator[Service]:
    engine, clock = FakeEngine(), Clock()
    reader = Reader(lambda: engine.read_page, clock)
    try:
        with serving(ReadService(reader, key).app) as url:
            yield Service(url, engine, clock)
            engine.may_read.set()
    finally:
        reader.close()


@cache
def engine() -> Engine:
    """The real engine, loaded once."""
    return Engine()


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 80), frames: int = 1) -> bytes:
    """A white picture; a TIFF has several frames."""
    file = io.BytesIO()
    image = Image.new("RGB", size, "white")
    if frames > 1:
        image.save(file, kind, save_all=True, append_images=[image] * (frames - 1))
    else:
        image.save(file, kind)
    return file.getvalue()


def pdf(pages: int = 1) -> bytes:
    """A PDF of blank pages, US letter."""
    import pypdfium2  # type: ignore[import-untyped]  # ships no types

    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(612, 792)  # points: US letter
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()

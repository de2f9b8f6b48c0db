"""The process that draws a page gets ranges of the file and nothing else, and ends when its time is up."""

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image

from shared.child import _environment
from shared.errors import SourceChanged
from tests.support.pages import DrawnPage, PdfPage, overlaps, pdf_of
from web.page_image import Drawer, PageNotDrawable, TooManyDrawings

PAGE = PdfPage(rotate=90)
PDF = pdf_of(PAGE)


def _draw(drawer: Drawer, data: bytes = PDF, page: DrawnPage | None = None) -> bytes:
    seen = page or PAGE.seen()
    return drawer.draw(1, 400, (seen.width, seen.height), len(data), lambda at, size: data[at : at + size]).body


def test_a_page_is_drawn_in_another_process() -> None:
    assert min(overlaps(_draw(Drawer()), PAGE.seen())) >= 0.9


def test_a_page_that_cannot_be_drawn_says_why() -> None:
    with pytest.raises(PageNotDrawable, match=r"cannot be drawn \(UnidentifiedImageError\)"):
        _draw(Drawer(), b"no picture")
    with pytest.raises(PageNotDrawable, match="different shape"):
        _draw(Drawer(), PDF, DrawnPage(1, 1, ()))


def test_drawing_that_takes_too_long_is_given_up_and_its_process_ends() -> None:
    held = threading.Event()

    def read(offset: int, length: int) -> bytes:
        held.wait(2)
        return PDF[offset : offset + length]

    with pytest.raises(PageNotDrawable, match=r"longer than 0\.5 seconds"):
        Drawer(seconds=0.5).draw(1, 400, (11, 8.5), len(PDF), read)


def test_an_error_in_reading_the_file_reaches_the_caller() -> None:
    def read(*_: int) -> bytes:
        raise SourceChanged

    with pytest.raises(SourceChanged):
        Drawer().draw(1, 400, (11, 8.5), len(PDF), read)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit a process's memory this way")
def test_drawing_that_takes_too_much_memory_is_given_up() -> None:
    body = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(body, "TIFF", compression="group4")
    data = body.getvalue()
    assert Image.open(io.BytesIO(_draw(Drawer(), data, DrawnPage(1, 1, ())))).size == (400, 400)
    with pytest.raises(PageNotDrawable, match="too much memory"):
        _draw(Drawer(memory=200 * 1024 * 1024), data, DrawnPage(1, 1, ()))


def test_the_process_gets_none_of_the_apps_settings() -> None:
    with _set("READ_KEY", "secret"):
        assert "secret" not in _environment().values()


@contextmanager
def _set(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def test_only_a_limited_number_of_pages_is_drawn_at_a_time() -> None:
    drawer = Drawer(at_once=1, wait_seconds=0.2)
    began, go_on = threading.Event(), threading.Event()

    def read(offset: int, length: int) -> bytes:
        began.set()
        go_on.wait(10)
        return PDF[offset : offset + length]

    first = threading.Thread(target=lambda: drawer.draw(1, 400, (11, 8.5), len(PDF), read))
    first.start()
    began.wait(10)
    with pytest.raises(TooManyDrawings):
        _draw(drawer)
    go_on.set()
    first.join()
    assert _draw(drawer)

"""Draws pages, each in a process of its own that gets ranges of the file and nothing else."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.child import ChildFailed, ask

SECONDS = 20.0
"""How long drawing one page may take."""
AT_ONCE = 2
"""How many pages one process of the app draws at a time: each may take a core and a gigabyte."""
_WAIT_SECONDS = 10.0
"""How long a request waits for its turn: the viewer asks for several images at a time."""
MOST_MEMORY = 1_200 * 1024 * 1024
"""Bytes of address space for drawing one page. A picture of 100 million pixels alone takes 300 million."""


class PageNotDrawable(Exception):
    """The page cannot be drawn. The text says why."""


class TooManyDrawings(Exception):
    """Too many other pages are being drawn."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The image of a page."""

    media_type: str
    body: bytes


class Drawer:
    """Draws pages of files. Safe for many threads."""

    def __init__(
        self,
        seconds: float = SECONDS,
        at_once: int = AT_ONCE,
        wait_seconds: float = _WAIT_SECONDS,
        memory: int = MOST_MEMORY,
    ) -> None:
        self._seconds = seconds
        self._memory = memory
        self._wait_seconds = wait_seconds
        self._free = threading.BoundedSemaphore(at_once)

    def draw(
        self, page: int, width: int, page_size: tuple[float, float], length: int, read: Callable[[int, int], bytes]
    ) -> Picture:
        """Draw a page of a file, at most ``width`` pixels wide.

        ``page_size`` is the page's width and height as Read gives them; ``length`` is the file's size in bytes;
        ``read(offset, length)`` returns a range of it.

        Raises PageNotDrawable, TooManyDrawings, and what ``read`` raises.
        """
        if not self._free.acquire(timeout=self._wait_seconds):
            raise TooManyDrawings
        try:
            job = {"page": page, "width": width, "pageWidth": page_size[0], "pageHeight": page_size[1]}
            return self._draw(job, length, read)
        finally:
            self._free.release()

    def _draw(self, job: Mapping[str, object], length: int, read: Callable[[int, int], bytes]) -> Picture:
        try:
            header, body = ask("web.drawing", job, length, read, seconds=self._seconds, memory=self._memory)
        except ChildFailed as failed:
            late = f"Drawing the page takes longer than {self._seconds:g} seconds."
            raise PageNotDrawable(late if failed.late else "The page cannot be drawn.") from None
        if header.startswith("image/"):
            return Picture(header, body)
        raise PageNotDrawable(header[:500])

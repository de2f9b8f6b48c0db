"""Draws pages, each in a process of its own that is given ranges of the file and nothing else."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.child import ChildFailed, ask

SECONDS = 20.0
"""How long one page may take."""
AT_ONCE = 2
"""How many are drawn at a time in one process of the app: each may take a core and a gigabyte."""
_WAIT_SECONDS = 10.0
"""How long a request waits for others to be drawn: a page shows several at a time."""
MOST_MEMORY = 1_200 * 1024 * 1024
"""Bytes of address space that drawing may take: a picture of 100 million pixels has 300 million of its own."""


class PageNotDrawable(Exception):
    """There is no picture of the page. The text says why."""


class TooManyDrawings(Exception):
    """Others are being drawn."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, drawn."""

    media_type: str
    body: bytes


class Drawer:
    """Draws pages of files. Used from many threads."""

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
        """Draw a page of a file, at most so many pixels wide.

        ``page_size`` is what Read says of it, ``length`` the file's in bytes, and ``read`` gives a range of it, by
        offset and length. Raises PageNotDrawable, TooManyDrawings, and what ``read`` raises.
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
            late = f"It takes longer than {self._seconds:g} seconds."
            raise PageNotDrawable(late if failed.late else "It cannot be drawn.") from None
        if header.startswith("image/"):
            return Picture(header, body)
        raise PageNotDrawable(header[:500])

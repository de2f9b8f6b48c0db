"""Draws pages, each in a process of its own that is given ranges of the file and nothing else."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_APP = Path(__file__).resolve().parent.parent

SECONDS = 20.0
"""How long one page may take."""
AT_ONCE = 2
"""How many are drawn at a time in one process of the app: each may take a core and a gigabyte."""
_WAIT_SECONDS = 10.0
"""How long a request waits for others to be drawn: a page shows several at a time."""
MOST_RANGE = 1024 * 1024


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

    def __init__(self, seconds: float = SECONDS, at_once: int = AT_ONCE, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._seconds = seconds
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
            return self._draw({**job, "length": length}, read)
        finally:
            self._free.release()

    def _draw(self, job: Mapping[str, object], read: Callable[[int, int], bytes]) -> Picture:
        with subprocess.Popen(
            [sys.executable, "-m", "web.drawing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_APP,
            env=_environment(),
        ) as process:
            ended = threading.Timer(self._seconds, process.kill)
            ended.start()
            try:
                return _converse(process, job, read)
            except (BrokenPipeError, ValueError):
                late = not ended.is_alive()
                why = f"It takes longer than {self._seconds:g} seconds." if late else "It cannot be drawn."
                raise PageNotDrawable(why) from None
            finally:
                ended.cancel()
                process.kill()


def _converse(
    process: "subprocess.Popen[bytes]", job: Mapping[str, object], read: Callable[[int, int], bytes]
) -> Picture:
    """Give the process what it asks for until it answers. Raises ValueError or BrokenPipeError where it ends first."""
    assert process.stdin  # noqa: S101 - both are pipes
    assert process.stdout  # noqa: S101
    process.stdin.write(json.dumps(job).encode() + b"\n")
    process.stdin.flush()
    while True:
        kind, _, rest = process.stdout.readline().rstrip(b"\n").partition(b" ")
        if kind == b"R":
            offset, length = (int(number) for number in rest.split())
            if not 0 < length <= MOST_RANGE or offset < 0:
                raise ValueError("no range of a file")
            process.stdin.write(read(offset, length))
            process.stdin.flush()
        elif kind == b"N":
            raise PageNotDrawable(rest.decode("utf-8", "replace")[:500])
        elif kind == b"D":
            media_type, length_text = rest.split()
            body = process.stdout.read(int(length_text))
            if len(body) != int(length_text):
                raise ValueError("the process ended half-way")
            return Picture(media_type.decode(), body)
        else:
            raise ValueError("the process ended")


def _environment() -> dict[str, str]:
    """What an interpreter needs to start and to find the packages; none of the app's settings."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "PYTHONHOME")
    # Azure's worker finds the packages by sys.path alone.
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

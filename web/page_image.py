"""Draws pages, each in a process of its own that is given ranges of the file and nothing else."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_APP = Path(__file__).resolve().parent.parent

SECONDS = 20.0
"""How long one page may take."""
AT_ONCE = 2
"""How many are drawn at a time in one process of the app: each may take a core and a gigabyte."""
_WAIT_SECONDS = 10.0
"""How long a request waits for others to be drawn: a page shows several at a time."""
MOST_MEMORY = 1_200 * 1024 * 1024
"""Bytes of address space that drawing may take: a picture of 100 million pixels has 300 million of its own."""
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
            return self._draw({**job, "length": length, "memory": self._memory}, read)
        finally:
            self._free.release()

    def _draw(self, job: Mapping[str, object], read: Callable[[int, int], bytes]) -> Picture:
        process = subprocess.Popen(
            [sys.executable, "-m", "web.drawing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_APP,
            env=_environment(),
        )
        ended = threading.Timer(self._seconds, process.kill)
        ended.start()
        try:
            return _converse(process, job, read)
        except _Ended:
            late = not ended.is_alive()
            why = f"It takes longer than {self._seconds:g} seconds." if late else "It cannot be drawn."
            raise PageNotDrawable(why) from None
        finally:
            ended.cancel()
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # what was not sent yet cannot be any more
                    pipe.close()  # type: ignore[union-attr]  # both are pipes
            process.wait()


class _Ended(Exception):
    """The process is gone, or says what it never would."""


def _converse(
    process: "subprocess.Popen[bytes]", job: Mapping[str, object], read: Callable[[int, int], bytes]
) -> Picture:
    """Give the process what it asks for until it answers. Raises _Ended."""
    answers: Any = process.stdout
    _send(process, json.dumps(job).encode() + b"\n")
    while True:
        kind, _, rest = answers.readline().rstrip(b"\n").partition(b" ")
        if kind == b"N":
            raise PageNotDrawable(rest.decode("utf-8", "replace")[:500])
        said = re.fullmatch(rb"R (\d{1,12}) (\d{1,7})|D (image/(?:png|jpeg)) (\d{1,9})", kind + b" " + rest)
        if said is None:
            raise _Ended
        if kind == b"R":
            _send(process, read(int(said[1]), min(int(said[2]), MOST_RANGE)))
            continue
        body = answers.read(int(said[4]))
        if len(body) != int(said[4]):
            raise _Ended
        return Picture(said[3].decode(), body)


def _send(process: "subprocess.Popen[bytes]", data: bytes) -> None:
    to: Any = process.stdin
    try:
        to.write(data)
        to.flush()
    except OSError:
        raise _Ended from None


def _environment() -> dict[str, str]:
    """What an interpreter needs to start and to find the packages; none of the app's settings."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "PYTHONHOME")
    # Azure's worker finds the packages by sys.path alone.
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

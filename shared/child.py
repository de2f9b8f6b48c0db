"""Runs code that decodes a file in a process of its own, which gets only ranges of the file, a time and a memory limit.

A hostile file makes decoders hang, take gigabytes or crash. The child process has no settings and no credentials, opens
no connection, and is killed when its time is up. The parent sends the job, a line of JSON. The child asks for ranges of
the file with ``R offset length``, as often as it needs, and ends with ``A length header`` and that many bytes.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared.range_file import RangeFile

_APP = Path(__file__).resolve().parent.parent
_MOST_RANGE = 1024 * 1024


class ChildFailed(Exception):
    """The child did not answer. ``late``: its time was up."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("its time was up" if late else "it broke off")
        self.late = late


class _Ended(Exception):
    """The process has ended, or does not keep to the protocol."""


def ask(
    module: str,
    job: Mapping[str, object],
    length: int,
    read: Callable[[int, int], bytes],
    *,
    seconds: float,
    memory: int,
) -> tuple[str, bytes]:
    """Run ``python -m module`` on a file of ``length`` bytes. Returns the header and the bytes of its answer.

    ``read`` returns a range of the file, by offset and length; its errors are not caught. ``memory`` limits the
    child's address space, in bytes, if the system can do that. Raises ChildFailed.
    """
    process = subprocess.Popen(  # noqa: S603 - this very Python, and a module of the app's
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_APP,
        env=_environment(),
    )
    ended = threading.Timer(seconds, process.kill)
    ended.start()
    try:
        return _converse(process, {**job, "length": length, "memory": memory}, read)
    except _Ended:
        raise ChildFailed(late=not ended.is_alive()) from None
    finally:
        ended.cancel()
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # the rest can no longer be sent
                pipe.close()  # type: ignore[union-attr]  # both are pipes
        process.wait()


def answer(handle: Callable[[Mapping[str, Any], RangeFile], tuple[str, bytes]]) -> None:
    """The child's side: read the job from standard input, and write the answer of ``handle``."""
    source, out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    job = json.loads(source.readline())
    _bound_memory(job["memory"])

    def fetch(offset: int, length: int) -> bytes:
        out.write(b"R %d %d\n" % (offset, length))
        out.flush()
        return source.read(length)

    header, body = handle(job, RangeFile(job["length"], fetch))
    out.write(b"A %d %b\n" % (len(body), header.encode()))
    out.write(body)
    out.flush()


def _converse(
    process: "subprocess.Popen[bytes]", job: Mapping[str, object], read: Callable[[int, int], bytes]
) -> tuple[str, bytes]:
    answers: Any = process.stdout
    _send(process, json.dumps(job).encode() + b"\n")
    while True:
        said = re.fullmatch(rb"R (\d{1,12}) (\d{1,7})|A (\d{1,9}) (.{0,2000})", answers.readline().rstrip(b"\n"))
        if said is None:
            raise _Ended
        if said[1] is not None:
            _send(process, read(int(said[1]), min(int(said[2]), _MOST_RANGE)))
            continue
        body = answers.read(int(said[3]))
        if len(body) != int(said[3]):
            raise _Ended
        return said[4].decode("utf-8", "replace"), body


def _send(process: "subprocess.Popen[bytes]", data: bytes) -> None:
    to: Any = process.stdin
    try:
        to.write(data)
        to.flush()
    except OSError:
        raise _Ended from None


def _bound_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(ValueError, OSError):  # macOS does not take this limit
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _environment() -> dict[str, str]:
    """What an interpreter needs to start and to find the packages, without the app's settings."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "PYTHONHOME")
    # In Azure, only the worker's sys.path says where the packages are.
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

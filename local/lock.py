"""A lock between processes, which the system releases however its holder ends. Standard library only."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait(descriptor: int) -> None:
        while not _try(descriptor):
            time.sleep(0.5)

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


class Locked(Exception):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path, *, waiting: str | None = None) -> Iterator[int]:
    """Hold the lock of this file, and yield its descriptor, which a child may inherit to hold it on.

    If another process holds it, prints ``waiting`` on standard error and waits; without that text, raises Locked.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        if not _try(descriptor):
            if waiting is None:
                raise Locked(path)
            print(waiting, file=sys.stderr, flush=True)
            _wait(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)

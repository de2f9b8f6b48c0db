"""A file that is read in ranges, as much of it as is needed."""

import io
from collections import OrderedDict
from collections.abc import Callable

BLOCK = 64 * 1024
_MOST_AT_ONCE = 16
"""Blocks that one fetch gets at most. A file that is read in order gets twice as many with each fetch."""
_MOST_BLOCKS = 1024
"""Blocks that are kept: 64 MiB."""


class RangeFile(io.RawIOBase):
    """A file of known length. Its blocks come from ``fetch(offset, length)``, usually each of them once."""

    def __init__(self, length: int, fetch: Callable[[int, int], bytes]) -> None:
        self._length = length
        self._fetch = fetch
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._run = 1
        self._next = -1

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The position of the next read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position of the next read."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        if self._at < 0:
            raise ValueError("before the file's start")
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # typeshed's Buffer is 3.12's
        """Fill the buffer, up to the file's end."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._length - self._at))
        done = 0
        while done < wanted:
            block, skip = divmod(self._at, BLOCK)
            piece = self._block(block)[skip : skip + wanted - done]
            if not piece:
                break
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return done

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        self._run = min(2 * self._run, _MOST_AT_ONCE) if number == self._next else 1
        self._next = number + self._run
        start = number * BLOCK
        data = self._fetch(start, min(self._run * BLOCK, self._length - start))
        for at in range(0, len(data), BLOCK):
            self._blocks[number + at // BLOCK] = data[at : at + BLOCK]
        while len(self._blocks) > _MOST_BLOCKS:
            self._blocks.popitem(last=False)
        return self._blocks.get(number, b"")

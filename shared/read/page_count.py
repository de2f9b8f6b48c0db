"""How many pages a file has, counted while it streams by: the free tier reads two and says nothing of the others.

A count that is wrong is worse than none: whatever is unusual ends as None. Nothing is decoded but object streams.
"""

import re
import zlib
from collections.abc import Generator

from shared.read.client import Body

_MOST_BODY = 256 * 1024
"""Bytes of a PDF object before its stream, or of a compressed object stream, that are held at most."""
_MOST_INFLATED = 2 * 1024 * 1024
_OVERLAP = 64
"""Bytes kept of what was searched in vain: what is searched for may have arrived by half."""


class CountingBody:
    """A request's body that counts the pages of what is read through it."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._left = len(body)
        self._counter = PageCounter(self._left)

    def __len__(self) -> int:
        return len(self._body)

    def read(self, size: int = -1) -> bytes:
        """What the body itself gives."""
        chunk = self._body.read(size)
        self._left -= len(chunk)
        self._counter.feed(chunk)
        return chunk

    @property
    def pages(self) -> int | None:
        """The file's pages, once it was read to its end; None where they are not known."""
        return self._counter.end() if self._left == 0 else None


class PageCounter:
    """Is fed a file, and says at its end how many pages it has. Holds a small window of it."""

    def __init__(self, length: int) -> None:
        self._file = _Window()
        self._pages: int | None = None
        self._counting: Generator[None, None, int | None] | None = _count(self._file, length)
        self._go_on()

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the file."""
        if self._counting and chunk:
            self._file.append(chunk)
            self._go_on()

    def end(self) -> int | None:
        """The number of pages, or None. Nothing may be fed any more."""
        self._file.ended = True
        self._go_on()
        return self._pages

    def _go_on(self) -> None:
        if self._counting:
            try:
                next(self._counting)
            except StopIteration as stop:
                self._pages, self._counting = stop.value, None
            except _NotKnown:
                self._counting = None


def shortfall(read: int, in_file: int | None, asked_for: str | None, most_pages: int) -> str | None:
    """The warning for a document if pages were left out unasked."""
    if in_file is None or asked_for or read >= in_file:
        return None
    only = f"Only {read} of {in_file} pages were read"
    if read == 2:
        return (
            f"{only}: the Read resource is on the free tier (F0). Move it to a paid tier, then read the document again."
        )
    if read >= most_pages:
        return f"{only}: Read takes no more of one file. Split it, then upload its parts."
    return f"{only}. Compare the document with its text."


class _NotKnown(Exception):
    """There is no way to tell the pages of this file while it streams by."""


class _Window:
    """The part of the file that has arrived and is not passed yet. Its generators wait for more by yielding."""

    def __init__(self) -> None:
        self.ended = False
        self.passed = 0
        self._data = b""
        self._at = 0

    def append(self, chunk: bytes) -> None:
        self._data = self._data[self._at :] + chunk
        self._at = 0

    def read(self, size: int) -> Generator[None, None, bytes]:
        """Pass so many bytes, and return them."""
        while len(self._data) - self._at < size:
            yield from self._wait()
        return self._pass(size)

    def skip(self, size: int) -> Generator[None, None, None]:
        """Pass so many bytes without holding them."""
        while size > (there := len(self._data) - self._at):
            self._pass(there)
            size -= there
            yield from self._wait()
        self._pass(size)

    def find(self, pattern: re.Pattern[bytes]) -> Generator[None, None, re.Match[bytes] | None]:
        """Pass all up to the end of the next match; None if the file ends before."""
        while not (match := pattern.search(self._data, self._at)):
            self._pass(max(0, len(self._data) - self._at - _OVERLAP))
            if self.ended:
                return None
            yield
        self._pass(match.end() - self._at)
        return match

    def until(self, pattern: re.Pattern[bytes], most: int) -> Generator[None, None, tuple[bytes, bytes]]:
        """Pass all up to the end of the next match, at most so far away; return what was before it, and the match."""
        searched = 0
        while not (match := pattern.search(self._data, self._at + max(0, searched - _OVERLAP))):
            searched = len(self._data) - self._at
            if searched > most + _OVERLAP:
                raise _NotKnown
            yield from self._wait()
        before = self._data[self._at : match.start()]
        if len(before) > most:
            raise _NotKnown
        self._pass(match.end() - self._at)
        return before, match[0]

    def _wait(self) -> Generator[None, None, None]:
        if self.ended:
            raise _NotKnown
        yield

    def _pass(self, size: int) -> bytes:
        data = self._data[self._at : self._at + size]
        self._at += size
        self.passed += size
        return data


def _count(file: _Window, length: int) -> Generator[None, None, int | None]:
    head = yield from file.read(8)
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return (yield from _tiff(file, head))
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM")):
        return 1
    if head.startswith(b"%PDF-"):
        return (yield from _pdf(file, length))
    return None


def _tiff(file: _Window, head: bytes) -> Generator[None, None, int]:
    """The length of the chain of image file directories, as long as each lies behind the one before it.

    TIFF 6.0, section 2; BigTIFF (43 for 42) has wider numbers.
    """
    order = "little" if head.startswith(b"II") else "big"
    big = b"+" in head[:4]

    def number(digits: bytes) -> int:
        return int.from_bytes(digits, order)  # type: ignore[arg-type]  # one of two literals

    wide, entry, value = (8, 20, slice(12, 16)) if big else (4, 12, slice(8, 12))
    offset = number((yield from file.read(8)) if big else head[4:])
    pages = 0
    while offset:
        if offset < file.passed:
            raise _NotKnown
        yield from file.skip(offset - file.passed)
        entries = number((yield from file.read(8 if big else 2)))
        if not 0 < entries < 4096:
            raise _NotKnown
        directory = yield from file.read(entries * entry)
        for start in range(0, len(directory), entry):
            tag, flags = number(directory[start : start + 2]), directory[start : start + entry][value]
            if tag == _NEW_SUBFILE_TYPE and number(flags) & _THUMBNAIL_OR_MASK:
                raise _NotKnown
        offset = number((yield from file.read(wide)))
        pages += 1
    return pages


_NEW_SUBFILE_TYPE = 254
_THUMBNAIL_OR_MASK = 0b101


def _pdf(file: _Window, length: int) -> Generator[None, None, int | None]:
    """What the catalog's page tree says, in the file's last state; or a linearized file's own word.

    ISO 32000-1: 7.5 (file structure), 7.7.3 (page tree), annex F (linearized). A later definition of an object
    replaces an earlier one, so the order of the file is enough, and cross-references are not followed.
    """
    tree = _PageTree(length)
    while not tree.is_known and (mark := (yield from file.find(_OBJECT_OR_TRAILER))):
        if mark[0] == b"%PDF-":  # another PDF in this one: whose objects these are cannot be told
            raise _NotKnown
        if mark[0] == b"trailer":
            trailer, _ = yield from file.until(_STARTXREF, _MOST_BODY)
            tree.read_trailer(trailer)
            continue
        body, end = yield from file.until(_BODY_END, _MOST_BODY)
        tree.define(int(mark[1]), body)
        if end == b"endobj":
            continue
        stated = _LENGTH.search(body)
        if _OBJECT_STREAM.search(body):
            if not stated or int(stated[1]) > _MOST_BODY:
                raise _NotKnown
            tree.define_all(body, (yield from file.read(int(stated[1]))))
        elif stated:
            yield from file.skip(int(stated[1]))
        else:
            passed = yield from file.find(_ENDSTREAM_OR_PDF)
            if not passed or passed[0] != b"endstream":
                raise _NotKnown
            continue
        yield from file.until(_ENDSTREAM, _OVERLAP)
    return tree.pages


_OBJECT_OR_TRAILER = re.compile(rb"(?=[\dt%])(?:(\d{1,10})\s{1,8}\d{1,5}\s{1,8}obj|trailer|%PDF-)")
_STARTXREF = re.compile(rb"startxref")
_BODY_END = re.compile(rb">>\s{0,8}stream\r?\n|endobj")
_ENDSTREAM = re.compile(rb"endstream")
_ENDSTREAM_OR_PDF = re.compile(rb"endstream|%PDF-")
_LENGTH = re.compile(rb"/Length\s+(\d{1,12})(?!\d)(?!\s+\d+\s+R)")
_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b")
_XREF_STREAM = re.compile(rb"/Type\s*/XRef\b")
_CATALOG = re.compile(rb"/Type\s*/Catalog\b")
_PAGES = re.compile(rb"/Type\s*/Pages\b")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_COUNT = re.compile(rb"/Count\s+(\d{1,7})(?!\d)(?!\s+\d+\s+R)")
_PAGES_REFERENCE = re.compile(rb"/Pages\s+(\d{1,10})\s+\d+\s+R")
_ROOT_REFERENCE = re.compile(rb"/Root\s+(\d{1,10})\s+\d+\s+R")
_FIRST = re.compile(rb"/First\s+(\d{1,7})\b")
_LINEARIZED = re.compile(rb"/Linearized\b")
_FILE_LENGTH = re.compile(rb"/L\s+(\d{1,12})\b")
_PAGE_COUNT = re.compile(rb"/N\s+(\d{1,7})\b")


class _PageTree:
    """What is kept of a PDF: its catalogs, the roots of its page trees, and which objects are pages."""

    def __init__(self, file_length: int) -> None:
        self._file_length = file_length
        self._root: int | None = None
        self._catalogs: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        self._pages: set[int] = set()
        self._linearized: int | None = None

    def define(self, number: int, body: bytes) -> None:
        """An object, as far as its stream."""
        self._catalogs.pop(number, None)
        self._counts.pop(number, None)
        if _CATALOG.search(body):
            if pages := _PAGES_REFERENCE.search(body):
                self._catalogs[number] = int(pages[1])
        elif _PAGES.search(body):
            if b"/Parent" not in body and (count := _COUNT.search(body)):
                self._counts[number] = int(count[1])
        elif _PAGE.search(body):
            self._pages.add(number)
        elif _XREF_STREAM.search(body):
            self.read_trailer(body)
        elif _LINEARIZED.search(body):
            length, count = _FILE_LENGTH.search(body), _PAGE_COUNT.search(body)
            # A file that has grown since is linearized no longer (annex F.2).
            if length and count and int(length[1]) == self._file_length:
                self._linearized = int(count[1])

    def define_all(self, body: bytes, stream: bytes) -> None:
        """The objects of an object stream: pairs of number and offset, then the objects (7.5.7)."""
        first = _FIRST.search(body)
        if b"/Filter" in body:
            if b"/DecodeParms" in body or not re.search(rb"/Filter\s*\[?\s*/FlateDecode\s*\]?\s*[/>\s]?", body):
                raise _NotKnown
            stream = _inflated(stream)
        if not first:
            raise _NotKnown
        start = int(first[1])
        head = stream[:start].split()
        if len(head) % 2 or not all(part.isdigit() and len(part) <= 10 for part in head):
            raise _NotKnown
        numbers, offsets = [int(part) for part in head[::2]], [*(int(part) for part in head[1::2]), len(stream)]
        for position, number in enumerate(numbers):
            self.define(number, stream[start + offsets[position] : start + offsets[position + 1]])

    def read_trailer(self, trailer: bytes) -> None:
        """A trailer, or the dictionary of a cross-reference stream."""
        if b"/Encrypt" in trailer:
            raise _NotKnown
        if root := _ROOT_REFERENCE.search(trailer):
            self._root = int(root[1])

    @property
    def is_known(self) -> bool:
        """Whether the rest of the file need not be read: it is linearized, and its first trailer hides nothing."""
        return self._linearized is not None and self._root is not None

    @property
    def pages(self) -> int | None:
        """The number of pages, as far as the file was read."""
        if self.is_known:
            return self._linearized
        count = self._counts.get(self._catalogs.get(self._root or 0, 0))
        return count if count and count <= len(self._pages) else None


def _inflated(stream: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(stream, _MOST_INFLATED)
    except zlib.error:
        raise _NotKnown from None
    if not inflater.eof:
        raise _NotKnown
    return data

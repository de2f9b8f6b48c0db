"""How many pages a file has: right, or not known. Asked for only where Read may have left pages out.

A PDF's own ``/Count`` may lie, either way (one in 1,500 does: github.com/unidoc/unipdf, issue 434), so PDFium is not
shown it, and counts the page tree itself; a page exists if it can be loaded. The libraries look into the file in a
process of its own, by ranged reads.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any

from shared.child import ChildFailed, answer, ask
from shared.range_file import RangeFile

SECONDS = 10.0
MEMORY = 600 * 1024 * 1024
COPIED = 16 * 1024 * 1024
"""Bytes of a PDF up to which a page tree in object streams is looked at too; the free tier takes a quarter of it."""

FREE_TIER_PAGES = 2
"""Pages of a file that Read reads on the free tier (F0), whatever the file has."""

SEVERAL_PAGES = ("PDF", "TIFF")
"""The formats whose files may have more than one page."""


def page_count(length: int, read: Callable[[int, int], bytes], seconds: float = SECONDS) -> int | None:
    """The pages of a PDF, or the frames of a TIFF; None where a damaged or hostile file does not tell in time.

    ``length`` is the file's in bytes, ``read`` gives a range of it by offset and length; what it raises passes through.
    """
    try:
        header, _ = ask("shared.page_count", {}, length, read, seconds=seconds, memory=MEMORY)
    except ChildFailed:
        return None
    return int(header) if header.isdecimal() else None


def shortfall(read: int, in_file: int | None, most_pages: int) -> str | None:
    """The warning for a document whose pages Read left out though nobody asked for that."""
    if in_file is None or read >= in_file:
        return None
    only = f"Only {read} of {in_file} pages were read"
    if read == FREE_TIER_PAGES:
        return (
            f"{only}: the Read resource is on the free tier (F0). Move it to a paid tier, then read the document again."
        )
    if read >= most_pages:
        return f"{only}: Read takes no more of one file. Split it, then upload its parts."
    return None


def _count(_job: Mapping[str, Any], file: RangeFile) -> tuple[str, bytes]:
    try:
        is_pdf = b"%PDF-" in file.read(1024)
        file.seek(0)
        count = _pdf_pages(file) if is_pdf else _frames(io.BufferedReader(file))
    except Exception:  # noqa: BLE001 - decoders raise whatever a damaged file makes them stumble over
        count = None
    return str(count) if count is not None else "unknown", b""


def _pdf_pages(file: RangeFile) -> int | None:
    import pypdfium2  # type: ignore[import-untyped]  # ships no types

    document = pypdfium2.PdfDocument(_without_count(file))
    if file.seek(0, io.SEEK_END) <= COPIED:
        copy = io.BytesIO()
        document.save(copy)  # without object streams, in which /Count is compressed
        document = pypdfium2.PdfDocument(_without_count(copy))
    count = len(document)
    # A page beyond the last of the page tree cannot be loaded, whatever the tree says of its length.
    for index in {min(FREE_TIER_PAGES, count - 1), count // 2, count - 1}:
        document[index].close()
    return count or None


def _without_count(file: RangeFile | io.BytesIO) -> RangeFile:
    """A PDF in which no object that can be read has a ``/Count``: PDFium then walks the page tree."""
    key, other = b"/Count", b"/Other"
    around = len(key) - 1  # a block may begin or end within the key

    def fetch(offset: int, length: int) -> bytes:
        start = max(0, offset - around)
        file.seek(start)
        piece = file.read(offset - start + length + around).replace(key, other)
        return piece[offset - start :][:length]

    return RangeFile(file.seek(0, io.SEEK_END), fetch)


def _frames(file: io.BufferedReader) -> int | None:
    """The frames of a TIFF. None where some are thumbnails, smaller copies or masks: what Read takes for a page is not
    known.
    """
    from PIL import Image

    with Image.open(file) as picture:
        frames: int = getattr(picture, "n_frames", 1)
        for number in range(frames):
            picture.seek(number)
            if not is_page(getattr(picture, "tag_v2", {})):
                return None
        return frames


def is_page(tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF's directory is neither a smaller copy of a page nor a mask."""
    return not (tags.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK or tags.get(_OLD_SUBFILE_TYPE) == _REDUCED)


_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_REDUCED_OR_MASK, _REDUCED = 0b101, 2
"""TIFF 6.0, section 8: NewSubfileType and SubfileType."""


if __name__ == "__main__":
    answer(_count)

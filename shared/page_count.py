"""How many pages a file has: the right number, or unknown. It is needed only if Read may have left pages out.

A PDF's own ``/Count`` may be wrong (in one of 1,500: github.com/unidoc/unipdf, issue 434), so it is hidden from PDFium,
which then counts the page tree itself. A page exists if it can be loaded. The libraries read ranges of the file, in a
process of their own.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any

from shared.child import ChildFailed, answer, ask
from shared.range_file import RangeFile

SECONDS = 10.0
MEMORY = 600 * 1024 * 1024
COPIED = 16 * 1024 * 1024
"""Up to this size in bytes, page trees in object streams are counted too. The free tier takes only a quarter of it."""

FREE_TIER_PAGES = 2
"""Pages of a file that Read reads on the free tier (F0), at most."""

SEVERAL_PAGES = ("PDF", "TIFF")
"""The formats whose files may have more than one page."""


def page_count(length: int, read: Callable[[int, int], bytes], seconds: float = SECONDS) -> int | None:
    """The pages of a PDF, or the frames of a TIFF. None if a damaged or hostile file cannot be counted in time.

    ``length`` is the file's, in bytes. ``read`` returns a range of it by offset and length; its errors are not caught.
    """
    try:
        header, _ = ask("shared.page_count", {}, length, read, seconds=seconds, memory=MEMORY)
    except ChildFailed:
        return None
    return int(header) if header.isdecimal() else None


def shortfall(read: int, in_file: int | None, most_pages: int) -> str | None:
    """The warning for a document if Read left pages out without being asked to."""
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
    except Exception:  # noqa: BLE001 - decoders raise all kinds of errors at a damaged file
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
    # A page that is not in the page tree cannot be loaded, whatever the tree says about its length.
    for index in {min(FREE_TIER_PAGES, count - 1), count // 2, count - 1}:
        document[index].close()
    return count or None


def _without_count(file: RangeFile | io.BytesIO) -> RangeFile:
    """The PDF without any readable ``/Count``, so that PDFium walks the page tree."""
    key, other = b"/Count", b"/Other"
    around = len(key) - 1  # a block may begin or end within the key

    def fetch(offset: int, length: int) -> bytes:
        start = max(0, offset - around)
        file.seek(start)
        piece = file.read(offset - start + length + around).replace(key, other)
        return piece[offset - start :][:length]

    return RangeFile(file.seek(0, io.SEEK_END), fetch)


def _frames(file: io.BufferedReader) -> int | None:
    """The frames of a TIFF. None if some are thumbnails, smaller copies or masks: it is not known whether Read counts
    them as pages.
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

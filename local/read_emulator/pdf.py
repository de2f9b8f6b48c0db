"""PDF, rendered as a viewer shows it: its text layer, if it has one, is not used."""

from __future__ import annotations

import contextlib
import io
import re
from typing import IO, Any

import numpy as np
import pypdfium2  # type: ignore[import-untyped]  # ships no types
from typing_extensions import override

from local.read_emulator.documents import Document, Limits, PageImage
from local.read_emulator.refusals import Reason, Rejected, Unreadable

POINTS = 72
"""Points in an inch."""

DPI = 200
MIN_SIDE = 400
"""The fewest pixels of a page's shorter side: scanning programs write pages of a few points, without UserUnit."""

MAX_PIXELS = 16_000_000
"""The most pixels of a page of any shape: a poster does not fill the memory, and a long receipt stays legible."""

MAX_SIDE = 30_000
"""OpenCV cannot cut out of a picture with a side of 2 ** 15 pixels."""

LARGEST_CHECKED = 64 * 1024 * 1024
"""The page count of a larger file is not checked."""

LARGEST_LIE = 20_000
"""The most pages that are tried in a file that claims more than it has."""

_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")


class PdfDocument(Document):
    """PDFium renders. pypdf gives what PDFium does not report, or reports wrongly because a file lies."""

    unit = "inch"

    def __init__(self, file: IO[bytes], limits: Limits, *, page_tree: bool = True) -> None:
        self._file = file
        self._units: dict[int, float] = {}
        """UserUnit of pages that have one, by number: how many points their point is."""
        self._pdf = _opened(file)
        count = len(self._pdf)
        if page_tree and _is_to_be_checked(file, count):
            count = self._checked(count)
        tried = range(min(count, LARGEST_LIE if page_tree else limits.pages))
        self._indices = [index for index in tried if not page_tree or _exists(self._pdf, index)][: limits.pages]
        """PDFium's indexes of the pages: a file may claim more pages than it has."""
        self.page_count = len(self._indices)
        if not self.page_count:
            raise Rejected(Reason.NOT_A_DOCUMENT)
        self._pdf.init_forms()  # otherwise the content of form fields is not drawn

    @override
    def page(self, number: int) -> PageImage:
        try:
            page = self._pdf[self._indices[number - 1]]
            width, height = page.get_size()
            if not (width and height):  # a CropBox outside of the MediaBox, which viewers then show
                page.set_cropbox(*page.get_mediabox())
                width, height = page.get_size()
        except pypdfium2.PdfiumError:
            raise Unreadable("is damaged") from None
        if not (width and height):
            raise Unreadable("has no size")
        inches = self._units.get(number, 1.0) / POINTS
        scale = max(DPI * inches, MIN_SIDE / min(width, height))
        scale = min(scale, (MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))
        try:
            bitmap = page.render(scale=scale, rev_byteorder=False, maybe_alpha=False)
            pixels = np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
        except (pypdfium2.PdfiumError, MemoryError):
            raise Unreadable("is damaged", (width * inches, height * inches)) from None
        finally:
            page.close()
        return PageImage(number, pixels, width * inches, height * inches, "inch", 0.0)

    @override
    def searchable(self, texts: list[list[tuple[str, list[float]]]], numbers: list[int]) -> bytes:
        from local.read_emulator.searchable import searchable

        return searchable(self._file, numbers, texts, POINTS, self._units)

    def _checked(self, count: int) -> int:
        """The number of pages in the tree, whatever its root says. Records UserUnit; repairs files that claim fewer."""
        import pypdf

        self._file.seek(0)
        with contextlib.suppress(Exception):  # pypdf raises anything on a damaged file, and PDFium has it open
            pages = list(pypdf.PdfReader(self._file).pages)
            units = {number: float(page.user_unit) for number, page in enumerate(pages, 1)}
            self._units = {number: unit for number, unit in units.items() if unit > 0}
            if len(pages) > count:
                writer = pypdf.PdfWriter()
                for page in pages:
                    writer.add_page(page)
                repaired = io.BytesIO()
                writer.write(repaired)
                self._pdf, self._file = _opened(repaired), repaired
                return len(self._pdf)
        return count


def _opened(file: IO[bytes]) -> Any:
    file.seek(0)
    try:
        return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        raise Rejected(Reason.NOT_A_DOCUMENT, "PASSWORD" if "password" in str(error).lower() else "") from None


def _exists(pdf: Any, index: int) -> bool:
    with contextlib.suppress(pypdfium2.PdfiumError):
        pdf.get_page_size(index)
        return True
    return False


def _is_to_be_checked(file: IO[bytes], count: int) -> bool:
    """Whether the file may have more pages than its root says, or pages in another unit than points."""
    if file.seek(0, io.SEEK_END) > LARGEST_CHECKED:
        return False
    file.seek(0)
    content = file.read()
    return b"/ObjStm" in content or b"/UserUnit" in content or sum(1 for _ in _PAGE.finditer(content)) > count

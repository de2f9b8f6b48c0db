"""Files as pages: told apart by their content, checked against Read's limits, decoded one page at a time."""

import io
import struct
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Literal

import numpy as np
import pypdfium2  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray
from PIL import ExifTags, Image

from local.read_emulator.refusals import Reason, Rejected, Unreadable

Pixels = NDArray[np.uint8]
"""A picture of shape (height, width, 3), in OpenCV's order: blue, green, red."""

MAX_BYTES = 500 * 1024 * 1024
MIN_SIDE = 50
MAX_SIDE = 10_000
MAX_PAGES = 2_000
"""Further pages are left out (limits: learn.microsoft.com/azure/ai-services/computer-vision/how-to/call-read-api)."""

PDF_DPI = 200
PDF_MAX_SIDE = 4_000
"""Pixels of a PDF page's longer side at most, so that a page the size of a poster does not fill the memory."""

_DECODER_ERRORS = (
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on damaged data."""

_pdfium = threading.Lock()  # PDFium is not thread-safe, not even for two documents


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page as pixels, with its size in its own unit."""

    number: int
    pixels: Pixels
    width: float
    height: float
    unit: Literal["pixel", "inch"]
    expected: float
    """The direction in which its text should run, in degrees, by its EXIF orientation."""


class Document(ABC):
    """A file that Read accepts."""

    page_count: int

    @abstractmethod
    def pages(self, numbers: Iterable[int]) -> Iterator[PageImage]:
        """Decode these pages. Raises Unreadable."""


def open_document(file: IO[bytes]) -> Document:
    """Look at the file's content. Raises Rejected for what Read refuses before reading."""
    size = file.seek(0, io.SEEK_END)
    if not size:
        raise Rejected(Reason.EMPTY)
    if size > MAX_BYTES:
        raise Rejected(Reason.TOO_MANY_BYTES)
    file.seek(0)
    return PdfDocument(file) if b"%PDF-" in file.read(1024) else PictureDocument(file)


class PdfDocument(Document):
    """A PDF, rendered as a reader sees it: its text layer, if it has one, is not used."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        with _pdfium:
            try:
                document = pypdfium2.PdfDocument(file)
            except pypdfium2.PdfiumError:  # broken, or under a password
                raise Rejected(Reason.NOT_A_DOCUMENT) from None
            self.page_count = min(len(document), MAX_PAGES)
            document.close()
        if not self.page_count:
            raise Rejected(Reason.NOT_A_DOCUMENT)

    def pages(self, numbers: Iterable[int]) -> Iterator[PageImage]:
        """Decode these pages. Raises Unreadable."""
        for number in numbers:
            with _pdfium:
                page = self._page(number)
            yield page

    def _page(self, number: int) -> PageImage:
        try:
            document = pypdfium2.PdfDocument(self._file)
            try:
                document.init_forms()  # else what was filled into a form is not drawn
                page = document[number - 1]
                width, height = page.get_size()
                scale = min(PDF_DPI / 72, PDF_MAX_SIDE / max(width, height))
                pixels = page.render(scale=scale, rev_byteorder=False, maybe_alpha=False).to_numpy()[:, :, :3].copy()
            finally:
                document.close()
        except pypdfium2.PdfiumError:
            raise Unreadable from None
        return PageImage(number, pixels, width / 72, height / 72, "inch", 0.0)


_EXIF_DIRECTIONS = {3: 180.0, 4: 180.0, 5: 90.0, 6: -90.0, 7: -90.0, 8: 90.0}
_EXIF_MIRRORED = {2, 4, 5, 7}


class PictureDocument(Document):
    """A JPEG, PNG or BMP, or a TIFF with its frames as pages."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        try:
            image = self._open()
            if image.format == "MPO":  # a JPEG with further pictures in it, which Read does not take
                raise Rejected(Reason.NOT_A_DOCUMENT)
            self.page_count = min(getattr(image, "n_frames", 1), MAX_PAGES) if image.format == "TIFF" else 1
            _check_size(image)
        except Image.DecompressionBombError:
            raise Rejected(Reason.TOO_MANY_PIXELS) from None
        except _DECODER_ERRORS:
            raise Rejected(Reason.NOT_A_DOCUMENT) from None

    def pages(self, numbers: Iterable[int]) -> Iterator[PageImage]:
        """Decode these pages. Raises Unreadable."""
        try:
            image = self._open()
            for number in numbers:
                if self.page_count > 1:
                    image.seek(number - 1)
                _check_size(image)
                yield _page_image(number, image)
        except (Rejected, *_DECODER_ERRORS):  # refused: a later frame of a TIFF that is out of range
            raise Unreadable from None

    def _open(self) -> Image.Image:
        self._file.seek(0)
        return Image.open(self._file, formats=("JPEG", "PNG", "BMP", "TIFF"))


def _check_size(image: Image.Image) -> None:
    if min(image.size) < MIN_SIDE:
        raise Rejected(Reason.TOO_FEW_PIXELS)
    if max(image.size) > MAX_SIDE:
        raise Rejected(Reason.TOO_MANY_PIXELS)


def _page_image(number: int, image: Image.Image) -> PageImage:
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    pixels = np.asarray(_rgb(image))[:, :, ::-1]
    if orientation in _EXIF_MIRRORED:  # the boxes are then those of the picture unmirrored
        pixels = pixels[:, ::-1]
    expected = _EXIF_DIRECTIONS.get(orientation, 0.0)
    return PageImage(number, np.ascontiguousarray(pixels), *image.size, "pixel", expected)


def _rgb(image: Image.Image) -> Image.Image:
    """Eight bits a colour, on white where the picture is transparent."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        white = Image.new("RGBA", coloured.size, "white")
        return Image.alpha_composite(white, coloured).convert("RGB")
    return image.convert("RGB")

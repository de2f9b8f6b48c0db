"""JPEG, PNG, BMP, and TIFF with its frames as pages, decoded to what a viewer would show."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError
from typing_extensions import override

from local.read_emulator.documents import MAX_DECODED_PIXELS, MIN_SIDE, Document, Limits, PageImage
from local.read_emulator.refusals import Reason, Rejected, Unreadable
from shared.page_count import is_page

MISSING = 0.1
"""The share of a picture's height that may be missing at its end; if more is missing, too little is left to read."""

MAX_DIRECTORIES = 10_000
"""The most TIFF directories that are read: pages, their thumbnails and their smaller copies."""

PngImagePlugin.MAX_TEXT_CHUNK = 16 * 1024 * 1024  # larger ones are left out: `_lenient`
PngImagePlugin.MAX_TEXT_MEMORY = 512 * 1024 * 1024
Image.MAX_IMAGE_PIXELS = 10_000 * 10_000
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked below

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
    MemoryError,
)
"""What Pillow raises on damaged data, or if a decoder's memory limit is exceeded."""

_PNG = b"\x89PNG\r\n\x1a\n"

_BITS, _PHOTOMETRIC, _PLANES, _SAMPLE_FORMAT = 258, 262, 284, 339
_SEPARATE = 2
_UNSIGNED = 1

_DIRECTIONS = {3: 180.0, 4: 180.0, 5: 90.0, 6: -90.0, 7: -90.0, 8: 90.0}
_MIRRORED = {2, 4, 5, 7}

_FULL_SCALES = (1, 255, 4_095, 65_535)
"""White, in pictures with more than 8 bits a sample: the smallest of these that no sample exceeds."""


class PictureDocument(Document):
    """A JPEG, PNG or BMP, or a TIFF with its frames as pages, except thumbnails and smaller copies."""

    unit = "pixel"

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._tags: list[Any] = []
        """The TIFF directory of each page; empty for other formats."""
        self._frames = [0]
        try:
            if _is_tiff(file):
                directories = _directories(file)
                pages = [n for n, tags in enumerate(directories) if is_page(tags)] or list(range(len(directories)))
                self._frames = pages[: limits.pages]
                self._tags = [directories[frame] for frame in self._frames]
            with contextlib.suppress(Unreadable):  # it still counts as a page: reading it says why it fails
                image = self._frame(1)
                if image.format == "MPO":  # which Read does not take
                    raise Rejected(Reason.NOT_A_DOCUMENT, "MPO")
                self._check_size(image)
        except Image.DecompressionBombError:
            raise Rejected(Reason.TOO_MANY_PIXELS) from None
        except _DECODER_ERRORS:
            raise Rejected(Reason.NOT_A_DOCUMENT) from None
        self.page_count = len(self._frames)

    @override
    def page(self, number: int) -> PageImage:
        size: tuple[float, float] | None = None
        try:
            image = self._frame(number)
            size = image.size
            self._check_size(image)
            return _page_image(number, self._loaded(number, image))
        except Rejected as refusal:
            small = refusal.reason is Reason.TOO_FEW_PIXELS
            raise Unreadable("has too few pixels" if small else "has too many pixels", size) from None
        except _DECODER_ERRORS:
            raise Unreadable("is damaged", size) from None

    @override
    def searchable(self, texts: list[list[tuple[str, list[float]]]], numbers: list[int]) -> bytes:
        from local.read_emulator.searchable import searchable

        sheets = io.BytesIO()
        pages = [Image.fromarray(self._sheet(number)) for number in numbers]
        pages[0].save(sheets, "PDF", save_all=True, append_images=pages[1:], resolution=72.0)  # a point a pixel
        return searchable(sheets, list(range(1, len(numbers) + 1)), texts, 1.0)

    def _sheet(self, number: int) -> NDArray[np.uint8]:
        try:
            page = self.page(number)
        except Unreadable as reason:
            width, height = reason.size or (MIN_SIDE, MIN_SIDE)
            return np.full((int(height), int(width), 3), 255, np.uint8)
        pixels = np.ascontiguousarray(page.pixels[:, :, ::-1])
        if pixels.shape[1] == page.width:
            return pixels
        return np.asarray(Image.fromarray(pixels).resize((int(page.width), int(page.height))))

    def _open(self) -> Image.Image:
        try:
            return self._opened()
        except (SyntaxError, ValueError, UnidentifiedImageError):  # a text chunk of many megabytes, a broken one
            with _Lenient():
                return self._opened(_without_metadata(self._file))

    def _opened(self, file: IO[bytes] | None = None) -> Image.Image:
        file = file or self._file
        file.seek(0)
        return Image.open(file, formats=("JPEG", "PNG", "BMP", "TIFF"))

    def _frame(self, number: int) -> Image.Image:
        if not self._tags:
            return self._open()
        tags = self._tags[number - 1]
        apart = tags.get(_PLANES) == _SEPARATE and max(tags.get(_BITS, (1,))) > 8
        TiffImagePlugin.READ_LIBTIFF = apart  # Pillow's own reader mixes such planes up
        try:
            image = self._open()
            image.seek(self._frames[number - 1])
        except _DECODER_ERRORS:
            if apart:
                raise Unreadable("is damaged, or has colour planes that the Read emulator does not decode") from None
            return _by_opencv(self._file, self._frames[number - 1], tags)
        finally:
            TiffImagePlugin.READ_LIBTIFF = False
        return image

    def _loaded(self, number: int, image: Image.Image) -> Image.Image:
        try:
            image.load()
        except _DECODER_ERRORS:
            size = image.size
            with _Lenient():
                image = self._frame(number)
                image.load()
            if _missing(image) > MISSING:
                raise Unreadable("ends early, or is damaged in the middle", size) from None
        return image

    def _check_size(self, image: Image.Image) -> None:
        if min(image.size) < MIN_SIDE:
            raise Rejected(Reason.TOO_FEW_PIXELS)
        if max(image.size) > self._limits.side:
            raise Rejected(Reason.TOO_MANY_PIXELS)


def _without_metadata(file: IO[bytes]) -> IO[bytes]:
    """A PNG without its optional chunks, which Pillow would read anyway; or the file itself."""
    file.seek(0)
    if file.read(8) != _PNG:
        return file
    kept = io.BytesIO(_PNG)
    kept.seek(0, io.SEEK_END)
    while len(head := file.read(8)) == 8:
        rest = file.read(int.from_bytes(head[:4]) + 4)
        if head[4:] in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            kept.write(head + rest)
    return kept


class _Lenient:
    """In this context, Pillow decodes as much of a damaged picture as it can."""

    def __enter__(self) -> None:
        ImageFile.LOAD_TRUNCATED_IMAGES = True

    def __exit__(self, *_: object) -> None:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _is_tiff(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _directories(file: IO[bytes]) -> list[Any]:
    """The tags of each directory of a TIFF, whether or not Pillow has a reader for its pixels."""
    file.seek(0)
    header = file.read(16)
    header = header if 43 in header[2:4] else header[:8]  # BigTIFF has the longer one
    following = TiffImagePlugin.ImageFileDirectory_v2(header).next
    found: list[Any] = []
    seen = {0}
    while following not in seen and len(found) < MAX_DIRECTORIES:
        seen.add(following)
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        try:
            file.seek(following)
            tags.load(file)
        except _DECODER_ERRORS:
            if not found:
                raise
            break
        found.append(tags)
        following = tags.next
    return found


def _by_opencv(file: IO[bytes], frame: int, tags: Any) -> Image.Image:
    """A frame that Pillow cannot read: fractions, 64 bits, or grey with alpha. Raises Unreadable."""
    import cv2

    file.seek(0)
    content = np.frombuffer(file.read(), np.uint8)
    try:
        found, frames = cv2.imdecodemulti(content, cv2.IMREAD_UNCHANGED, range=(frame, frame + 1))
    except cv2.error:
        found = False
    if not found:
        raise Unreadable("is damaged")
    grey = _scaled(frames[0])
    if grey.ndim == 3:
        return Image.fromarray(np.ascontiguousarray(grey[:, :, 2::-1]))
    return Image.fromarray(255 - grey if tags.get(_PHOTOMETRIC) == 0 else grey)


def _missing(image: Image.Image) -> float:
    """The share of the picture's height that its decoder did not reach."""
    pixels = np.asarray(image)
    pixels = pixels.reshape(image.height, -1)
    if image.format == "BMP":  # stored from the last row to the first
        pixels = pixels[::-1]
    filler = 128 if image.format == "JPEG" else 0
    there = np.nonzero((pixels != filler).any(axis=1))[0]
    return 1 - (int(there[-1]) + 1) / image.height if there.size else 1.0


def _page_image(number: int, image: Image.Image) -> PageImage:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)  # Pillow turns a TIFF, and forgets its tag
    except _DECODER_ERRORS:
        orientation = 1
    size = image.size
    pixels = np.asarray(_rgb(_reduced(image)))[:, :, ::-1]
    if orientation in _MIRRORED:  # the boxes are then those of the picture unmirrored
        pixels = pixels[:, ::-1]
    return PageImage(number, np.ascontiguousarray(pixels), *size, "pixel", _DIRECTIONS.get(orientation, 0.0))


def _reduced(image: Image.Image) -> Image.Image:
    factor = 1
    while image.width * image.height > MAX_DECODED_PIXELS * factor**2:
        factor += 1
    if factor == 1:
        return image
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode.startswith("I;16"):
        image = _eight_bits(image)
    return image.reduce(factor)


def _rgb(image: Image.Image) -> Image.Image:
    """Eight bits a colour; a transparent picture is put on a background with contrast to its visible part."""
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    coloured = image.convert("RGBA")
    alpha = np.asarray(coloured.getchannel("A"))
    if not alpha.any() and image.format in ("BMP", "TIFF"):  # some programs write 0 for no alpha; viewers ignore it
        return coloured.convert("RGB")
    light = "black" if _is_light(coloured, alpha) else "white"
    return Image.alpha_composite(Image.new("RGBA", coloured.size, light), coloured).convert("RGB")


def _is_light(coloured: Image.Image, alpha: NDArray[np.uint8]) -> bool:
    """Whether the visible part of a mostly transparent picture is light."""
    visible = alpha >= 128
    if not 0 < np.count_nonzero(visible) < visible.size / 2:
        return False
    return bool(np.asarray(coloured.convert("RGB").convert("L"))[visible].mean() > 127)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys with more bits, or fractions, as eight bits."""
    tags: Any = getattr(image, "tag_v2", {})
    values: NDArray[Any] = np.asarray(image)
    if image.mode == "I" and tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] == _UNSIGNED:
        values = values.view(np.uint32)
    grey = _scaled(values)
    return Image.fromarray(255 - grey if tags.get(_PHOTOMETRIC) == 0 else grey)


def _scaled(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples of any type as 0 to 255."""
    if values.dtype == np.uint8:
        return values
    values = np.nan_to_num(values.astype(np.float32))
    low, high = float(values.min()), float(values.max())
    full = next((scale for scale in _FULL_SCALES if low >= 0 and high <= scale), None)
    black, white = (0.0, float(full)) if full else (low, high)
    return np.clip((values - black) * (255 / max(white - black, 1e-12)), 0, 255).astype(np.uint8)

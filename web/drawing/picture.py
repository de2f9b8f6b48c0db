"""Pictures and TIFF frames."""

import io
from contextlib import suppress

from PIL import ExifTags, Image, ImageFile

from web.drawing.job import MOST_SOURCE_PIXELS, Job, NotDrawable

ImageFile.LOAD_TRUNCATED_IMAGES = True  # Read takes truncated files, so show them
Image.MAX_IMAGE_PIXELS = None  # MOST_SOURCE_PIXELS is the limit instead

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a stored picture upright, by its EXIF orientation."""
_BACK = {**_UPRIGHT, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
_MIRRORED = (2, 4, 5, 7)
_SWAPPED = (5, 6, 7, 8)

_REDUCED_RESOLUTION = 1
"""The bit of TIFF's NewSubfileType that marks a thumbnail (TIFF 6.0, page 36)."""

Steps = tuple[Image.Transpose, ...]


def draw(file: io.BufferedReader, job: Job) -> Image.Image:
    """Draw a picture as Read saw it. Raises NotDrawable, or whatever Pillow raises for a damaged one."""
    image = Image.open(file, formats=("JPEG", "PNG", "BMP", "TIFF"))
    if image.format == "TIFF":
        _seek(image, job)
    elif job.page != 1:
        raise NotDrawable("The file is a single picture, so it has only page 1.")
    if image.width * image.height > MOST_SOURCE_PIXELS:
        raise NotDrawable(f"The picture has {image.width} × {image.height} pixels, which are too many to draw here.")
    steps = _steps(image, job)
    width, height = image.size
    scale = min(1.0, job.scale(height, width) if _swaps(steps) else job.scale(width, height))
    target = max(1, round(width * scale)), max(1, round(height * scale))
    if image.format == "JPEG":
        image.draft(None, target)
    shown = _shown(image, target)
    for step in steps:
        shown = shown.transpose(step)
    return shown


def _seek(image: Image.Image, job: Job) -> None:
    """Go to the frame that is the page. Thumbnails count as pages only if the frame has no fitting shape otherwise.

    Reads no further than this frame, since the frames' directories may lie all over the file.
    """
    for thumbnails_are_pages in (False, True):
        with suppress(EOFError):
            page = number = -1
            while page < job.page - 1:
                number += 1
                image.seek(number)
                page += thumbnails_are_pages or not _is_thumbnail(image)
            if any(job.fits(*size) for size in (image.size, image.size[::-1])):
                return
    raise NotDrawable("The file has no frame with the shape of the page that Read saw.")


def _is_thumbnail(image: Image.Image) -> bool:
    kind = image.tag_v2.get(254, 0)  # type: ignore[attr-defined]  # a TIFF has it
    return bool(int(kind) & _REDUCED_RESOLUTION)


def _steps(image: Image.Image, job: Job) -> Steps:
    """How to turn the picture, as Pillow loads it, into what Read saw.

    Read answers in the orientation of the stored picture (Azure-Samples/cognitive-services-quickstart-code, issue 260);
    the page's shape shows where it does not. Mirrored text is not readable, so the mirroring is undone. Pillow loads a
    TIFF upright, so upright is tried first there.
    """
    orientation = _orientation(image)
    stored: Steps = (Image.Transpose.FLIP_LEFT_RIGHT,) if orientation in _MIRRORED else ()
    upright: Steps = (_UPRIGHT[orientation],) if orientation in _UPRIGHT else ()
    if image.format == "TIFF":
        stored, upright = (((_BACK[orientation], *stored) if orientation in _BACK else ()), ())
    for steps in (upright, stored) if image.format == "TIFF" else (stored, upright):
        if job.fits(*(image.size[::-1] if _swaps(steps) else image.size)):
            return steps
    raise NotDrawable("The picture has a different shape from the page that Read saw.")


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return int(image.tag_v2.get(ExifTags.Base.Orientation, 1))  # type: ignore[attr-defined]  # a TIFF has it
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _swaps(steps: Steps) -> bool:
    """Whether width and height are swapped."""
    return any(step in {_UPRIGHT[each] for each in _SWAPPED} for step in steps)


def _shown(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    """The picture with eight bits per colour, at the target size, on a background that shows it."""
    image.load()
    if image.mode == "F" or image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("1", "PA", "La"):
        image = image.convert({"1": "L"}.get(image.mode, "RGBA"))
    elif image.has_transparency_data and image.mode in ("RGB", "L"):
        image = image.convert("RGBA")
    if target != image.size:
        image = image.resize(target, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if image.mode in ("RGBA", "LA"):
        return _grounded(image.convert("RGBA"))
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits, or floats, as 8 bits.

    Black to white is 0 to 65,535, or 0 to 1 for floats; a picture that exceeds this is scaled to its own range.
    """
    plain = image if image.mode in ("I", "F") else image.convert("I")
    low, high = (float(each) for each in plain.getextrema())  # type: ignore[arg-type]  # one band: two numbers
    if plain.mode == "F":
        low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    else:
        low, high = (0.0, 65_535.0) if low >= 0 and high <= 65_535 else (low, high)
    factor = 255 / ((high - low) or 1)
    return plain.convert("F").point(lambda value: value * factor - low * factor).convert("L")


def _grounded(image: Image.Image) -> Image.Image:
    """A transparent picture on white, or on grey if it is too light to show on white."""
    alpha = image.getchannel("A")
    if alpha.getextrema() == (0, 0):  # some programs write this by mistake
        return image.convert("RGB")
    for ground in ("white", "#606060"):
        laid = Image.alpha_composite(Image.new("RGBA", image.size, ground), image).convert("RGB")
        if ground != "white" or laid.convert("L").getextrema()[0] < 208:  # type: ignore[operator]  # one band
            break
    return laid

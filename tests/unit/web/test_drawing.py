"""Page images: a word's box lies on the word, however the file was made and however Read saw it."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from shared.range_file import BLOCK, RangeFile
from tests.support.pages import DrawnPage, PdfPage, overlaps, pdf_of, picture_of, turned, words_of
from web.drawing.__main__ import drawn
from web.drawing.job import Job, NotDrawable


def _draw(data: bytes, page: DrawnPage, number: int = 1, width: int = 600) -> bytes:
    file = RangeFile(len(data), lambda offset, length: data[offset : offset + length])
    return drawn(file, Job(number, width, (page.width, page.height)))[1]


def _size(picture: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(picture)).size


def _fits(data: bytes, page: DrawnPage, number: int = 1) -> None:
    width = round(max(600, 400 * page.width / page.height))  # in a smaller image, rounding to pixels would dominate
    assert min(overlaps(_draw(data, page, number, width), page)) >= 0.9


PDF_PAGES = {
    "plain": PdfPage(),
    "crop box inside": PdfPage(crop=(100, 150, 500, 700)),
    "origin off 0": PdfPage(media=(-200, 300, 412, 1092)),
    "crop box and origin off 0": PdfPage(media=(-200, 300, 412, 1092), crop=(-100, 400, 300, 1000)),
    "user unit": PdfPage(media=(0, 0, 61.2, 79.2), user_unit=10),
    "a receipt": PdfPage(media=(0, 0, 227, 2270)),
}


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("kind", PDF_PAGES)
def test_the_words_of_a_pdf_are_where_their_boxes_say(kind: str, rotate: int) -> None:
    page = replace(PDF_PAGES[kind], rotate=rotate)
    _fits(pdf_of(PdfPage(), page), page.seen(), 2)


@pytest.mark.parametrize("rotate", [90, 270])
def test_a_pdf_that_read_saw_without_its_rotation_is_drawn_without_it(rotate: int) -> None:
    page = PdfPage(rotate=rotate)
    _fits(pdf_of(page), page.seen(turn=False))


def test_a_pdf_is_drawn_by_the_media_box_if_read_saw_that() -> None:
    page = PdfPage(crop=(100, 150, 500, 400))
    _fits(pdf_of(page), page.seen(box=page.media))


def test_a_crop_box_outside_the_page_is_ignored() -> None:
    page = PdfPage()
    data = pdf_of(page).replace(b"/Rotate 0", b"/CropBox [2000 2000 2100 2100] /Rotate 0")
    _fits(data, page.seen())


def test_a_pdf_page_is_drawn_as_wide_as_asked_for() -> None:
    page = PdfPage(rotate=90)
    assert abs(_size(_draw(pdf_of(page), page.seen(), width=800))[0] - 800) <= 1


def test_a_page_whose_shape_differs_from_what_read_saw_is_not_drawn() -> None:
    with pytest.raises(NotDrawable, match="different shape"):
        _draw(pdf_of(PdfPage()), DrawnPage(5, 5, ()))
    with pytest.raises(NotDrawable, match="different shape"):
        _draw(_saved(picture_of(400, 300, ()), "PNG"), DrawnPage(500, 300, ()))


def test_a_page_beyond_the_end_of_a_pdf_is_not_drawn() -> None:
    with pytest.raises(NotDrawable, match="has 1 pages"):
        _draw(pdf_of(PdfPage()), DrawnPage(8.5, 11, ()), number=2)


def _saved(image: Image.Image, kind: str, orientation: int = 1, **options: object) -> bytes:
    body = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image.save(body, kind, exif=exif, **options)
    return body.getvalue()


def _photo(kind: str, orientation: int) -> tuple[bytes, Image.Image]:
    """A stored picture whose EXIF orientation says how it is turned, and the same picture upright."""
    upright = picture_of(500, 320, words_of(500, 320))
    # The orientation that undoes this one.
    back = {6: 8, 8: 6}.get(orientation, orientation)
    tag = Image.Exif()
    tag[ExifTags.Base.Orientation] = back
    copy = upright.copy()
    copy.getexif()[ExifTags.Base.Orientation] = back
    stored = ImageOps.exif_transpose(copy)
    return _saved(stored, kind, orientation, **({"quality": 95, "subsampling": 0} if kind == "JPEG" else {})), upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_is_drawn_as_stored_if_read_saw_it_as_stored(kind: str, orientation: int) -> None:
    data, _ = _photo(kind, orientation)
    stored = Image.open(io.BytesIO(data)).convert("RGB")
    if orientation in (2, 4, 5, 7):  # mirrored text cannot be read
        stored = ImageOps.mirror(stored)
    picture = Image.open(io.BytesIO(_draw(data, DrawnPage(*stored.size, ()))))
    assert picture.size == stored.size
    assert _differs(picture, stored) < 8


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_is_drawn_upright_if_read_saw_it_upright(kind: str, orientation: int) -> None:
    data, upright = _photo(kind, orientation)
    _fits(data, DrawnPage(*upright.size, tuple(words_of(*upright.size))))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_drawn_upright(orientation: int) -> None:
    data, upright = _photo("TIFF", orientation)
    _fits(data, DrawnPage(*upright.size, tuple(words_of(*upright.size))))


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_tiff_is_drawn_as_stored_if_read_saw_it_as_stored(orientation: int) -> None:
    data, upright = _photo("TIFF", orientation)
    turn = Image.Transpose.ROTATE_90 if orientation == 6 else Image.Transpose.ROTATE_270
    stored = upright.transpose(turn)
    picture = Image.open(io.BytesIO(_draw(data, DrawnPage(*stored.size, ()))))
    assert _differs(picture, stored) < 8


def _differs(picture: Image.Image, other: Image.Image) -> float:
    """The mean difference of a pixel's colours, 0 to 255."""
    one, two = (np.asarray(each.convert("RGB"), dtype=np.int16) for each in (picture, other))
    return float(np.abs(one - two).mean())


def test_words_turned_by_15_degrees_are_where_their_boxes_say() -> None:
    quads = turned(words_of(500, 400), 15, (250, 200))
    data = _saved(picture_of(500, 400, quads), "PNG")
    _fits(data, DrawnPage(500, 400, tuple(quads)))


def test_each_tiff_frame_is_the_page_with_its_number_whatever_its_size() -> None:
    sizes = [(300, 500), (640, 200), (400, 400)]
    frames = [picture_of(*size, words_of(*size)) for size in sizes]
    data = _saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    for number, size in enumerate(sizes, start=1):
        _fits(data, DrawnPage(*size, tuple(words_of(*size))), number)


def test_a_thumbnail_in_a_tiff_does_not_count_as_a_page() -> None:
    sizes = [(300, 500), (640, 200)]
    frames = [picture_of(*size, words_of(*size)) for size in sizes]
    thumbnail = picture_of(60, 100, ())
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    data = _saved(frames[0], "TIFF", save_all=True, append_images=[thumbnail, frames[1]])
    _fits(data, DrawnPage(640, 200, tuple(words_of(640, 200))), 2)


def test_a_picture_is_scaled_down_but_never_up() -> None:
    data = _saved(picture_of(500, 400, words_of(500, 400)), "PNG")
    page = DrawnPage(500, 400, tuple(words_of(500, 400)))
    assert _size(_draw(data, page, width=200)) == (200, 160)
    assert _size(_draw(data, page, width=4000)) == (500, 400)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_pixel_format_is_drawn_black_on_white(mode: str) -> None:
    grey = Image.new("L", (200, 100), 255)
    grey.paste(0, (0, 0, 100, 100))
    match mode:
        case "I;16":
            image = grey.convert("I").point(lambda value: value * 257).convert("I;16")
        case "I":
            image = grey.convert("I").point(lambda value: value * 257)
        case "F":
            image = grey.convert("F").point(lambda value: value * (1 / 255) + 0)
        case _:
            image = (grey.convert("RGB") if mode in ("CMYK", "P") else grey).convert(mode)
    picture = Image.open(io.BytesIO(_draw(_saved(image, "TIFF"), DrawnPage(200, 100, ())))).convert("L")
    assert picture.getpixel((20, 50)) == 0
    assert picture.getpixel((180, 50)) == 255


def test_white_text_on_a_transparent_background_stays_visible() -> None:
    image = Image.new("RGBA", (200, 100), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (0, 0, 100, 100))
    picture = Image.open(io.BytesIO(_draw(_saved(image, "PNG"), DrawnPage(200, 100, ())))).convert("L")
    one, other = picture.getpixel((20, 50)), picture.getpixel((180, 50))
    assert abs(float(one) - float(other)) > 100  # type: ignore[arg-type]  # one band: one number


@pytest.mark.parametrize("data", [b"", b"PK\3\4 a document of an office", b"%PDF-1.7 and no more", b"\xff\xd8\xff"])
def test_a_file_that_is_not_a_picture_is_not_drawn(data: bytes) -> None:
    with pytest.raises(NotDrawable):
        _draw(data, DrawnPage(10, 10, ()))


def test_a_picture_with_too_many_pixels_is_not_drawn() -> None:
    data = _saved(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(NotDrawable, match="too many"):
        _draw(data, DrawnPage(10, 10, ()))


def test_drawing_one_page_of_a_long_pdf_reads_only_what_the_page_needs() -> None:
    page = PdfPage()
    data = pdf_of(page)
    filler = b"%" + b"x" * (20 * BLOCK) + b"\n"
    at = data.index(b"3 0 obj")  # before the page, so that the offsets after it move
    data = data[:at] + filler + data[at:]
    for number in (3, 4):
        old = data.rindex(b"\n%d 0 obj" % number) + 1
        before = old - len(filler)
        data = data.replace(b"%010d 00000 n" % before, b"%010d 00000 n" % old)
    start = data.rindex(b"xref\n0 ")
    data = data.replace(b"startxref\n%d" % (start - len(filler)), b"startxref\n%d" % start)
    asked: list[int] = []

    def fetch(offset: int, length: int) -> bytes:
        asked.append(length)
        return data[offset : offset + length]

    drawn(RangeFile(len(data), fetch), Job(1, 100, (8.5, 11)))
    assert sum(asked) <= 3 * BLOCK


def test_a_file_read_from_start_to_end_is_fetched_in_growing_pieces() -> None:
    data = bytes(range(256)) * 1024 * 40
    asked: list[tuple[int, int]] = []

    def fetch(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return data[offset : offset + length]

    file = RangeFile(len(data), fetch)
    assert file.read() == data
    assert [length // BLOCK for _, length in asked[:6]] == [1, 2, 4, 8, 16, 16]
    assert sum(length for _, length in asked) == len(data)
    file.seek(-5, 2)
    assert file.read() == data[-5:]
    assert file.read() == b""

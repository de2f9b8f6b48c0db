"""Files as pages: what is taken, what is refused, what a page looks like."""

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from local.read_emulator.documents import PageImage, open_document
from local.read_emulator.page_ranges import PageRanges
from local.read_emulator.refusals import Reason, Rejected, Unreadable
from tests.unit.local.read_emulator import pdf, picture

UNDER_A_PASSWORD = zlib.decompress(
    base64.b85decode(
        "c-oCo%Wf1g5WM><`m#sjx5t)7dmzb52vAm&z$MDTkM=TXH4}MfrG%g4z#qVm;GICS%5uPxC9Arsy4<~3U##BnGf5Ude|`T!I4~H)SJJk"
        "GuFIJA5eu|TO2KuINiWHANpMI9jyU4pJl-SFwcp^5(DQLWOuz|!-=`hif~v$0?vAALM0)Ngza2N^$pa4F-H|~3vlpQq?#6wIRZ%OIPCsJ"
        "m{oC=Owq<8*zMMVXyMuYb8tt{aK63wj2;PAp^aBo?=?f@Ub)bY(&NRZ+!m8g+bu9FH@<Z|^5qbr!6B$`nN-LjKbVe!TWR^0rCI+ptwoQu"
        "2Q5aj94kLQQS>rioBUwr{`zL5sj=^y5lF!CPk&;M(H<j(Y55_7Roc7g0qKwW;sWQgK>l~VFy=L}!KMw^nVPFV*K47$#8Zta%y#9Tz3@?~"
        "=Cm84U6f?~UCJcYUrsDf8mU*n#{Wq*pXg7`%$a((s-H=D%f8G~$V{MX&F&}i31#-@k4Iy~6K?l!5K)L)MO5OA25X<BJ1p4oycatyEJP_4"
        "rvRGVRt;lb&C&n`"
    )
)
"""A PDF of one page, made with pypdf's `encrypt("secret")`."""


def only_page(content: bytes) -> PageImage:
    (page,) = open_document(io.BytesIO(content)).pages([1])
    return page


def refusal(content: bytes) -> Reason:
    with pytest.raises(Rejected) as refused:
        open_document(io.BytesIO(content))
    return refused.value.reason


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_pdf_under_a_password_is_refused() -> None:
    assert refusal(UNDER_A_PASSWORD) is Reason.NOT_A_DOCUMENT


def test_a_pdf_may_have_something_before_its_header() -> None:
    assert open_document(io.BytesIO(b"\n" * 100 + pdf())).page_count == 1


def test_a_pdf_page_is_rendered_at_200_dots_an_inch() -> None:
    page = only_page(pdf())
    assert page.pixels.shape == (2200, 1700, 3)
    assert (page.width, page.height, page.unit) == (8.5, 11.0, "inch")


def test_a_jpeg_with_further_pictures_inside_is_refused() -> None:
    image = Image.new("RGB", (60, 60))
    assert refusal(saved(image, "MPO", save_all=True, append_images=[image])) is Reason.NOT_A_DOCUMENT


def test_a_picture_that_claims_to_be_vast_is_refused_before_it_is_decoded() -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    assert refusal(bomb + struct.pack(">I", 9) + b"IDAT") is Reason.TOO_MANY_PIXELS


def test_a_picture_of_the_limits_is_taken() -> None:
    for size in ((50, 50), (50, 10_000), (10_000, 50)):
        assert open_document(io.BytesIO(picture(size=size))).page_count == 1


def test_a_tiff_whose_second_frame_is_too_small_fails_when_it_is_read() -> None:
    frames = saved(Image.new("1", (60, 60)), "TIFF", save_all=True, append_images=[Image.new("1", (40, 60))])
    with pytest.raises(Unreadable):
        list(open_document(io.BytesIO(frames)).pages([1, 2]))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_any_mode_becomes_three_colours_and_light_stays_light(mode: str) -> None:
    image = Image.new("L", (60, 60), 255).convert(mode) if mode != "I;16" else Image.new("I;16", (60, 60), 65535)
    page = only_page(saved(image, "TIFF"))
    assert page.pixels.shape == (60, 60, 3)
    assert np.min(page.pixels) > 250


def test_what_is_transparent_is_white() -> None:
    assert np.min(only_page(saved(Image.new("RGBA", (60, 60), (0, 0, 0, 0)))).pixels) == 255


def test_colours_are_in_the_order_of_opencv() -> None:
    assert list(only_page(saved(Image.new("RGB", (60, 60), (1, 2, 3)))).pixels[0, 0]) == [3, 2, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_exif_orientation_says_in_which_direction_text_should_run(orientation: int) -> None:
    pattern = np.arange(60 * 80 * 3, dtype=np.uint8).reshape(60, 80, 3)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image = Image.fromarray(pattern)
    page = only_page(saved(image, exif=exif))
    image.getexif()[ExifTags.Base.Orientation] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))[:, :, ::-1]
    # turning the page so that this direction is rightwards gives what Pillow takes for upright
    assert (np.rot90(page.pixels, round(page.expected / 90)) == upright).all()
    assert (page.width, page.height) == (80, 60)


@pytest.mark.parametrize(
    ("text", "pages"),
    [("1", [1]), ("2-3", [2, 3]), ("3,1", [1, 3]), ("1-2, 2-3", [1, 2, 3]), ("5", []), ("2-9", [2, 3, 4])],
)
def test_page_ranges_name_pages_once_and_in_order(text: str, pages: list[int]) -> None:
    assert PageRanges.parse(text, open_ended=False).of(4) == pages


@pytest.mark.parametrize("text", ["", "-", "0", "2-1", "a", "1,,2", "1-2-3", "³", "+1", "1;2"])
def test_what_is_no_page_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its text is what was given
        PageRanges.parse(text, open_ended=True)
    assert str(refused.value) == text


def test_only_some_generations_take_ranges_without_an_end() -> None:
    assert PageRanges.parse("3-,-1", open_ended=True).of(4) == [1, 3, 4]
    with pytest.raises(ValueError, match="3-"):
        PageRanges.parse("3-", open_ended=False)

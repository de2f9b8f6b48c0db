"""Files as pages: which are accepted, which are rejected, and what a page looks like."""

import base64
import ctypes
import io
import struct
import zipfile
import zlib
from typing import Any, Literal

import numpy as np
import pypdfium2  # type: ignore[import-untyped]  # ships no types
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps
from pypdfium2 import raw

from local.read_emulator.documents import Limits, PageImage
from local.read_emulator.opening import open_document
from local.read_emulator.page_ranges import PageRanges
from local.read_emulator.refusals import Reason, Rejected, Unreadable
from tests.unit.local import odd_files
from tests.unit.local.odd_files import drawn, frames, pdf_page, pdf_with, saved, tiff
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

GREY = np.asarray(drawn())


def page(content: bytes, number: int = 1) -> PageImage:
    return open_document(io.BytesIO(content)).page(number)


def page_count(content: bytes) -> int:
    return open_document(io.BytesIO(content)).page_count


def refusal(content: bytes, limits: Limits | None = None) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as refused:
        open_document(io.BytesIO(content), limits or Limits())
    return refused.value.reason, refused.value.subject


def shows(content: bytes) -> bool:
    """Whether the first page looks like GREY, except for a few rows at the top and bottom."""
    found = page(content).pixels[:, :, 1]
    return found.shape == GREY.shape and bool(np.corrcoef(found[5:-5].ravel(), GREY[5:-5].ravel())[0, 1] > 0.98)


def test_a_password_protected_pdf_is_refused() -> None:
    assert refusal(UNDER_A_PASSWORD) == (Reason.NOT_A_DOCUMENT, "PASSWORD")


def test_a_pdf_may_have_something_before_its_header() -> None:
    assert page_count(b"\n" * 100 + pdf()) == 1


def test_a_pdf_page_is_rendered_at_200_dots_per_inch() -> None:
    found = page(pdf())
    assert found.pixels.shape == (2200, 1700, 3)
    assert (found.width, found.height, found.unit) == (8.5, 11.0, "inch")


@pytest.mark.parametrize("box", ["0 0 612 14400", "0 0 14400 612", "0 0 14400 14400", "0 0 20 14400", "0 0 61 20"])
def test_a_page_of_any_shape_has_enough_pixels_to_be_read_and_not_too_many(box: str) -> None:
    pixels = page(pdf_with(pdf_page(box=box))).pixels
    assert pixels.size <= 3 * 16_100_000
    assert max(pixels.shape) < 2**15
    assert min(pixels.shape[:2]) >= 400 or pixels.size > 3 * 15_000_000 or max(pixels.shape) > 29_000


def test_user_unit_multiplies_the_size_of_a_page() -> None:
    found = page(pdf_with(pdf_page(box="0 0 61.2 79.2", extra="/UserUnit 10")))
    assert (found.width, found.height) == pytest.approx((8.5, 11.0))
    assert found.pixels.shape[:2] == pytest.approx((2200, 1700), abs=1)


@pytest.mark.parametrize("crop", ["2000 2000 2600 2800", "0 0 0 0", "300 120 0 0", "-50 -50 900 900"])
def test_a_crop_box_that_shows_nothing_is_ignored(crop: str) -> None:
    found = page(pdf_with(pdf_page(extra=f"/CropBox[{crop}]")))
    assert (found.width * 72, found.height * 72) == pytest.approx((300, 120))
    assert np.min(found.pixels) < 50


@pytest.mark.parametrize(
    ("content", "pages"),
    [
        (pdf_with(pdf_page(), pdf_page(), count=3), 2),
        (pdf_with(pdf_page(), pdf_page(), count=1), 2),
        (pdf_with(pdf_page(), pdf_page(), pdf_page(), count=0), 3),
        (pdf_with(pdf_page(), pdf_page(), count=1_000_000), 2),
        (pdf_with(pdf_page(), pdf_page(), count=3, kids="3 0 R null 5 0 R"), 2),
        (pdf_with(pdf_page(), pdf_page(), count=3, kids="3 0 R 5 0 R 99 0 R"), 2),
        (pdf_with(pdf_page(), pdf_page(), before="/Note<</Count 7>>"), 2),
        (pdf_with(pdf_page(), pdf_page(), before="/Note(/Count 7)"), 2),
    ],
    ids=["too many", "too few", "none", "a million", "null", "no such object", "in a dictionary", "in a string"],
)
def test_a_pdf_has_the_pages_that_can_be_loaded_whatever_its_tree_says(content: bytes, pages: int) -> None:
    document = open_document(io.BytesIO(content))
    assert document.page_count == pages
    assert all(np.min(document.page(number).pixels) < 50 for number in range(1, pages + 1))


def test_a_jpeg_with_further_pictures_inside_is_refused() -> None:
    assert refusal(saved(drawn(), "MPO", save_all=True, append_images=[drawn()])) == (Reason.NOT_A_DOCUMENT, "MPO")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (saved(drawn(), "WEBP"), "WEBP"),
        (saved(drawn(), "GIF"), "GIF"),
        (saved(drawn(), "AVIF"), "AVIF"),
        (saved(drawn(), "JPEG2000"), "JPEG 2000"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "HEIF"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"\xef\xbb\xbf\r\n<html lang='en'>", "HTML"),
        ("<HTML>".encode("utf-16"), "HTML"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"PK\3\4 and nothing else", "ZIP"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "OLE"),
        (b"{\\rtf1", "RTF"),
        (b"just text", ""),
        (bytes(range(256)) * 10, ""),
    ],
)
def test_a_rejection_says_what_the_file_is(content: bytes, kind: str) -> None:
    assert refusal(content) == (Reason.NOT_A_DOCUMENT, kind)


@pytest.mark.parametrize(("folder", "kind"), [("word/", "DOCX"), ("xl/", "XLSX"), ("ppt/", "PPTX"), ("x/", "ZIP")])
def test_an_office_document_is_recognised_by_its_content(folder: str, kind: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr(f"{folder}document.xml", "")
    assert refusal(file.getvalue()) == (Reason.NOT_A_DOCUMENT, kind)


def test_a_picture_that_claims_to_be_vast_is_refused_before_it_is_decoded() -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    assert refusal(bomb + struct.pack(">I", 9) + b"IDAT") == (Reason.TOO_MANY_PIXELS, "")


def test_a_picture_at_the_limits_is_accepted() -> None:
    for size in ((50, 50), (50, 10_000), (10_000, 50)):
        assert page_count(picture(size=size)) == 1


def test_each_generation_has_its_own_limits() -> None:
    assert refusal(picture(size=(60, 51)), Limits(side=59)) == (Reason.TOO_MANY_PIXELS, "")
    assert refusal(bytes(1024 * 1024 + 1), Limits(megabytes=1)) == (Reason.TOO_MANY_BYTES, "")
    assert open_document(io.BytesIO(pdf(3)), Limits(pages=2)).page_count == 2


def test_a_picture_with_many_pixels_keeps_its_size_but_is_decoded_smaller() -> None:
    found = page(saved(Image.new("1", (8_000, 6_000), 1)))
    assert (found.width, found.height) == (8_000, 6_000)
    assert found.pixels.shape == (3_000, 4_000, 3)


def test_an_unreadable_frame_does_not_affect_the_others() -> None:
    document = open_document(io.BytesIO(frames(drawn(), drawn(size=(40, 60)), drawn())))
    assert document.page_count == 3
    with pytest.raises(Unreadable, match="has too few pixels") as refused:
        document.page(2)
    assert refused.value.size == (40, 60)
    assert np.array_equal(document.page(3).pixels[:, :, 0], GREY)


@pytest.mark.parametrize(
    "tags",
    [
        [{}, {254: 1}, {254: 1}],
        [{254: 1}, {}, {254: 1}],
        [{254: 0}, {255: 2}, {254: 4}],
    ],
    ids=["behind its page", "before its page", "old tag and mask"],
)
def test_smaller_copies_and_masks_of_a_page_do_not_count_as_pages(tags: list[dict[int, int]]) -> None:
    sizes = [(420, 120) if not any(each.get(tag) for tag in (254, 255)) else (60, 51) for each in tags]
    assert page_count(frames(*(drawn(size=size) for size in sizes), tags=tags)) == 1


def test_if_all_frames_claim_to_be_copies_they_count_as_pages() -> None:
    assert page_count(frames(drawn(), drawn(), tags=[{254: 1}, {254: 1}])) == 2


def test_directories_in_a_circle_are_counted_once() -> None:
    content = bytearray(tiff(GREY))
    (start,) = struct.unpack_from("<I", content, 4)
    content[-4:] = struct.pack("<I", start)
    assert page_count(bytes(content)) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
def test_every_mode_becomes_rgb_and_light_stays_light(mode: str) -> None:
    white = Image.new("RGB", (60, 60), "white")
    lab = ImageCms.createProfile("LAB")
    image = (
        ImageCms.profileToProfile(white, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
        if mode == "LAB"
        else white.convert(mode)
    )
    assert image
    found = page(saved(image, "TIFF"))
    assert found.pixels.shape == (60, 60, 3)
    assert np.min(found.pixels) > 250


SAMPLES: dict[str, NDArray[Any]] = {
    "16 bits": GREY.astype("u2") * 257,
    "12 bits in 16": GREY.astype("u2") * 16,
    "15 bits, signed": GREY.astype("i2") * 128,
    "32 bits": GREY.astype("u4") * 16_843_009,
    "32 bits, signed": GREY.astype("i4") * 8_421_504,
    "fractions": GREY.astype("f4") / 255,
    "fractions of 64 bits": GREY.astype("f8") / 255,
    "fractions to 255": GREY.astype("f4"),
    "fractions around 0": GREY.astype("f4") / 100 - 1,
    "not a number among them": np.where(np.indices(GREY.shape)[0] == 0, np.float32("nan"), GREY / np.float32(255)),
}


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("samples", SAMPLES)
def test_greys_look_alike_whatever_their_number_of_bits(samples: str, order: Literal["<", ">"]) -> None:
    assert shows(tiff(SAMPLES[samples], order=order))


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("samples", ["16 bits", "fractions", "fractions of 64 bits"])
def test_greys_that_start_at_white_are_inverted(samples: str, order: Literal["<", ">"]) -> None:
    values = SAMPLES[samples]
    content = tiff(values.max() - values, order=order, tags={262: [0]})
    assert np.corrcoef(page(content).pixels[:, :, 0].ravel(), GREY.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("samples", [np.uint8(1), np.uint16(257)], ids=["8 bits", "16 bits"])
def test_colour_planes_may_be_interleaved_or_separate(
    samples: np.generic, order: Literal["<", ">"], apart: bool
) -> None:
    colours = np.stack([GREY, 255 - GREY, GREY], axis=0 if apart else 2) * samples
    found = page(tiff(colours, order=order, planes_apart=apart)).pixels
    assert np.array_equal(found[:, :, 0], GREY)
    assert np.array_equal(found[:, :, 1], 255 - GREY)


def test_float_colours_are_decoded_but_in_separate_planes_refused_with_the_reason() -> None:
    colours = np.stack([GREY] * 3, axis=2).astype("f4") / 255
    assert shows(tiff(colours))
    with pytest.raises(Unreadable, match="colour planes"):
        page(tiff(np.moveaxis(colours, 2, 0).copy(), planes_apart=True))


def test_transparent_pixels_become_white() -> None:
    assert np.min(page(saved(Image.new("RGBA", (60, 60), (0, 0, 0, 0)))).pixels) == 255


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 255, 0), (0, 0, 0), (200, 30, 30)])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_text_on_a_transparent_background_stays_visible(mode: str, colour: tuple[int, int, int]) -> None:
    image = Image.new("RGB", (420, 120), colour)
    image.putalpha(ImageOps.invert(drawn()))
    image = image.quantize() if mode == "PA" else image.convert(mode)
    pixels = page(saved(image)).pixels.astype(int)
    assert np.abs(pixels - pixels[0, 0]).max() > 90


@pytest.mark.parametrize("alpha", [0, 255])
def test_the_alpha_channel_of_a_bmp_is_ignored(alpha: int) -> None:
    assert shows(odd_files.bmp_with_alpha(alpha))


def test_colours_are_in_opencvs_order() -> None:
    assert list(page(saved(Image.new("RGB", (60, 60), (1, 2, 3)))).pixels[0, 0]) == [3, 2, 1]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_gives_the_direction_in_which_text_should_run(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    found = page(saved(drawn(), kind, exif=exif))
    image = drawn()
    image.getexif()[ExifTags.Base.Orientation] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    # turning the page so that this direction points right gives what Pillow considers upright
    turned = np.rot90(found.pixels[:, :, 0], round(found.expected / 90))
    assert turned.shape == upright.shape
    assert np.corrcoef(turned.ravel(), upright.ravel())[0, 1] > 0.98
    assert (found.width, found.height) == found.pixels.shape[1::-1]


@pytest.mark.parametrize(
    "content",
    [
        saved(drawn(), "JPEG")[:-2],
        saved(drawn(), "JPEG", progressive=True)[:-2],
        saved(drawn())[:-12],
        saved(drawn())[:-30],
        saved(drawn(), "TIFF")[:-1],
        saved(drawn(), "BMP")[:-1000],
        saved(drawn(), "JPEG") + b"and more",
    ],
    ids=["jpeg", "progressive", "png end", "png data", "tiff", "bmp", "more behind"],
)
def test_a_picture_that_viewers_show_whole_is_read_even_if_its_end_is_missing(content: bytes) -> None:
    assert shows(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_a_picture_with_much_missing_fails_and_says_so(kind: str) -> None:
    noise = Image.effect_noise((600, 600), 200)
    content = saved(noise, kind)
    with pytest.raises(Unreadable, match="ends early"):
        page(content[: len(content) // 2])


def test_a_picture_that_is_damaged_in_the_middle_fails() -> None:
    content = bytearray(saved(Image.effect_noise((600, 600), 200)))
    content[len(content) // 2 : len(content) // 2 + 50] = bytes(50)
    with pytest.raises(Unreadable, match="damaged"):
        page(bytes(content))


@pytest.mark.parametrize(
    ("chunk", "content"),
    [
        (b"zTXt", b"note\0\0" + zlib.compress(b"a" * 30_000_000)),
        (b"zTXt", b"note\0\0" + zlib.compress(b"a" * 3_000_000)),
        (b"iTXt", b"note\0\1\0\0\0" + zlib.compress(b"a" * 30_000_000)),
        (b"iTXt", b"note\0\0\0\0\0" + b"a" * 3_000_000),
        (b"tEXt", b"note\0" + b"a" * 3_000_000),
        (b"iCCP", b"note\0\0" + zlib.compress(b"a" * 30_000_000)),
        (b"eXIf", b"nonsense"),
        (b"iCCP", b"nonsense"),
        (b"cHRM", b"nonsense"),
        (b"tIME", b"nonsense"),
    ],
)
def test_metadata_of_any_size_does_no_harm(chunk: bytes, content: bytes) -> None:
    assert shows(odd_files.png_with(chunk, content))


@pytest.mark.parametrize("chunk", [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tIME", b"pHYs", b"gAMA", b"prVt"])
def test_a_damaged_chunk_outside_the_pixel_data_does_no_harm(chunk: bytes) -> None:
    content = odd_files.png_with(chunk, b"before the damage")
    assert shows(content.replace(b"before the damage", b"behind the damage"))  # whose checksum is now wrong


def shown_at(content: bytes, word: str) -> tuple[float, float, float, float]:
    """Where a PDF's first page shows a word: left, top, right, bottom, as a percentage of its width and height."""
    shown = pypdfium2.PdfDocument(content)[0]
    text = shown.get_textpage()
    first, _ = text.search(word).get_next()
    corners = []
    for index in range(first, first + len(word)):
        left, bottom, right, top = text.get_charbox(index, loose=True)
        for corner in ((left, bottom), (right, top)):
            x, y = ctypes.c_int(), ctypes.c_int()
            raw.FPDF_PageToDevice(shown, 0, 0, 100, 100, 0, *corner, x, y)
            corners.append((x.value, y.value))
    (left, right), (top, bottom) = ((min(each), max(each)) for each in zip(*corners, strict=True))
    return left, top, right, bottom


@pytest.mark.parametrize("turn", ["", "/Rotate 90", "/Rotate 180", "/Rotate 270", "/Rotate -90"])
@pytest.mark.parametrize("box", ["", "/CropBox[50 20 250 100]", "/CropBox[900 900 990 990]", "/UserUnit 2"])
def test_words_of_a_searchable_pdf_are_where_the_page_shows_them(turn: str, box: str) -> None:
    document = open_document(io.BytesIO(pdf_with(pdf_page("x", extra=turn + box))))
    image = document.page(1)
    width, height = image.width, image.height
    corners = [0.2, 0.3, 0.6, 0.3, 0.6, 0.4, 0.2, 0.4]
    quad = [part * (height if n % 2 else width) for n, part in enumerate(corners)]
    content = document.searchable([[("Γράμματα", quad)]], [1])
    assert shown_at(content, "Γράμματα") == pytest.approx((20, 30, 60, 40), abs=2)
    assert np.array_equal(page(content).pixels, image.pixels)  # none of it is visible


def test_words_of_a_searchable_pdf_run_where_the_text_does() -> None:
    document = open_document(io.BytesIO(saved(Image.new("L", (100, 100), 255))))
    upwards = [30.0, 80.0, 30.0, 20.0, 40.0, 20.0, 40.0, 80.0]
    content = document.searchable([[("ᚠ上がる", upwards)]], [1])
    assert shown_at(content, "上がる") == pytest.approx((30, 20, 40, 65), abs=2)


@pytest.mark.parametrize(
    ("text", "pages"),
    [("1", [1]), ("2-3", [2, 3]), ("3,1", [1, 3]), ("1-2, 2-3", [1, 2, 3]), ("5", []), ("2-9", [2, 3, 4])],
)
def test_page_ranges_name_pages_once_and_in_order(text: str, pages: list[int]) -> None:
    assert PageRanges.parse(text, open_ended=False).of(4) == pages


@pytest.mark.parametrize("text", ["", "-", "0", "2-1", "a", "1,,2", "1-2-3", "³", "+1", "1;2"])
def test_an_invalid_page_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its text is what was given
        PageRanges.parse(text, open_ended=True)
    assert str(refused.value) == text


def test_only_some_generations_accept_open_ended_ranges() -> None:
    assert PageRanges.parse("3-,-1", open_ended=True).of(4) == [1, 3, 4]
    with pytest.raises(ValueError, match="3-"):
        PageRanges.parse("3-", open_ended=False)

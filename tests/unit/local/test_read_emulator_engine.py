"""The engine, on pictures that each ask one question."""

import time
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from local.read_emulator import ink
from local.read_emulator.documents import PageImage
from local.read_emulator.page import Page
from tests.unit.local.read_emulator import engine

pytestmark = pytest.mark.slow

TEXT = ["The quick brown fox", "jumps over the lazy dog", "at 12:30, for $5.00"]


def drawn(lines: list[tuple[int, int, str]], size: tuple[int, int] = (500, 260), height: int = 32) -> Image.Image:
    """A picture with these texts at these places, black on white."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for x, y, text in lines:
        draw.text((x, y), text, fill="black", font=ImageFont.load_default(size=height))
    return image


def text_picture() -> Image.Image:
    return drawn([(40, 40 + 60 * row, text) for row, text in enumerate(TEXT)])


def read(image: Image.Image, expected: float = 0.0, columns: bool = False) -> Page:
    pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
    return engine().read_page(PageImage(1, pixels, *image.size, "pixel", expected), columns)


def texts(page: Page) -> list[str]:
    return [line.text for line in page.lines]


@pytest.mark.parametrize("turn", [0, 90, 180, 270, 12, -20, 200])
def test_a_turned_page_is_read_and_its_angle_given(turn: int) -> None:
    page = read(text_picture().rotate(turn, expand=True, fillcolor="white"))
    assert texts(page) == TEXT
    assert -180 <= page.angle < 180
    assert (page.angle + turn + 180) % 360 - 180 == pytest.approx(0, abs=1.5)  # Pillow turns counter-clockwise


def test_a_wrong_orientation_in_the_metadata_does_no_harm() -> None:
    page = read(text_picture(), expected=90.0)
    assert texts(page) == TEXT
    assert page.angle == pytest.approx(0, abs=1.5)


def test_boxes_refer_to_the_page_as_given() -> None:
    upright, turned = read(text_picture()), read(text_picture().transpose(Image.Transpose.ROTATE_90))
    for line, same in zip(upright.lines, turned.lines, strict=True):
        x, y = np.array(line.box).reshape(4, 2).T
        expected = np.stack([y, upright.width - x], axis=1).ravel()  # the right edge is now at the top
        assert same.box == pytest.approx(expected, abs=4)


def test_the_words_of_a_line_are_in_order() -> None:
    for line in read(text_picture()).lines:
        assert line.text == " ".join(word.text for word in line.words)
        left, right = line.box[0], line.box[2]
        assert all(left - 1 <= word.box[0] < word.box[2] <= right + 1 for word in line.words)
        assert all(word.box[2] <= after.box[0] + 1 for word, after in pairwise(line.words))
        assert all(0.5 < word.confidence <= 1 for word in line.words)


@pytest.mark.parametrize("colour", ["white", "black"])
def test_an_empty_page_has_no_lines_and_no_angle(colour: str) -> None:
    page = read(Image.new("RGB", (400, 300), colour))
    assert (page.lines, page.angle) == ((), 0)


def test_vertical_text_in_the_margin_of_an_upright_page_is_read_in_its_own_direction() -> None:
    image = drawn([(120, 40 + 60 * row, text) for row, text in enumerate(TEXT)], size=(600, 400))
    margin = drawn([(0, 4, "HANDLE WITH CARE")], size=(330, 44)).rotate(90, expand=True)
    image.paste(margin, (20, 40))
    page = read(image)
    assert sorted(texts(page)) == sorted([*TEXT, "HANDLE WITH CARE"])
    assert page.angle == pytest.approx(0, abs=1)


def test_small_print_on_a_large_page_is_read_at_full_resolution() -> None:
    page = read(drawn([(100, 200, "a line of print on a page of twelve million pixels")], size=(3000, 4000), height=52))
    assert texts(page) == ["a line of print on a page of twelve million pixels"]


def ink_of(image: Image.Image, inside: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """The left, top, right and bottom of the ink in this part of a picture."""
    left, top, right, bottom = (round(each) for each in inside)
    found = (
        ImageOps.invert(image.convert("L").crop((left, top, right, bottom))).point(lambda v: 255 * (v > 128)).getbbox()
    )
    assert found
    return left + found[0], top + found[1], left + found[2], top + found[3]


@pytest.mark.parametrize("height", [14, 32, 60])
def test_boxes_of_lines_and_words_fit_their_ink(height: int) -> None:
    image = drawn([(40, 40, "Harbour"), (40 + 11 * height, 40, "ticket 4711")], (40 + 20 * height, 80 + height), height)
    lines = read(image).lines
    assert [line.text for line in lines] == ["Harbour", "ticket 4711"]
    for box in [line.box for line in lines] + [word.box for line in lines for word in line.words]:
        around = (box[0] - 0.2 * height, box[1] - 0.2 * height, box[2] + 0.2 * height, box[5] + 0.2 * height)
        assert (box[0], box[1], box[4], box[5]) == pytest.approx(ink_of(image, around), abs=max(3, 0.15 * height))


@pytest.mark.parametrize("apart", [1.5, 3, 8])
def test_a_label_and_its_value_are_two_lines_but_the_words_of_one_text_are_one_line(apart: float) -> None:
    after_label = 40 + ImageFont.load_default(size=32).getlength("Invoice number:")
    image = drawn(
        [(40, 40, "Invoice number:"), (round(after_label + apart * 32), 40, "4711"), (40, 120, "one line of text")],
        (900, 220),
    )
    assert texts(read(image)) == ["Invoice number:", "4711", "one line of text"]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_angle_of_a_page_as_it_was_printed_is_exact(turn: int) -> None:
    page = read(text_picture().rotate(turn, expand=True, fillcolor="white"))
    assert page.angle == {0: 0, 90: -90, 180: -180, 270: 90}[turn]


def test_a_long_page_is_read_to_its_end() -> None:
    rows = [(30, 40 + 400 * n, f"ticket line {n}") for n in range(20)]
    page = read(drawn(rows, size=(500, 8_000), height=24))
    assert texts(page) == [text for _, _, text in rows]


def test_an_unknown_script_is_reported() -> None:
    def scribble(row: int) -> list[tuple[int, int]]:  # unlike a letter of any script
        return [(60 + 12 * n, 60 + 60 * row + (n * n * 7 + row * 5) % 28) for n in range(36)]

    image = Image.new("RGB", (560, 320), "white")
    for row in range(4):
        ImageDraw.Draw(image).line(scribble(row), fill="black", width=3)
    assert read(image).unknown_script
    assert not read(text_picture()).unknown_script


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_page_on_its_side_is_recognised_before_text_detection(turn: int) -> None:
    rows = [(40, 40 + 44 * row, f"{row} lines of text, as many as a page of a letter has") for row in range(16)]
    image = drawn(rows, size=(900, 800)).rotate(turn, expand=True, fillcolor="white")
    assert ink.stands(np.asarray(image)) == (turn in (90, 270))


def test_a_small_picture_is_not_treated_like_a_page() -> None:
    strip, page = (
        drawn([(20, 20, "Harbour 4711")], size=(420, 80)),
        drawn([(200, 200, "Harbour 4711")], size=(1700, 1400)),
    )
    seconds = []
    for image in (strip, page):
        begun = time.process_time()
        read(image)
        seconds.append(time.process_time() - begun)
    assert seconds[0] < seconds[1] / 3


@pytest.mark.parametrize(
    ("width", "height", "size", "at"),
    [
        (1700, 2200, 20, (700, 1000)),  # a letter page at 200 dots per inch, 7 points
        (2480, 3508, 40, (1000, 3300)),
        (5000, 5000, 40, (30, 30)),
        (9900, 9900, 60, (9000, 9500)),
    ],
)
@pytest.mark.parametrize("turns", [0, 1])
def test_a_single_small_line_on_a_large_page_is_read(
    width: int, height: int, size: int, at: tuple[int, int], turns: int
) -> None:
    image = drawn([(*at, "Harbour 4711")], (width, height), size)
    assert texts(read(image.transpose(Image.Transpose.ROTATE_90) if turns else image)) == ["Harbour 4711"]


def test_two_lines_far_from_each_other_on_a_blank_page_are_read() -> None:
    image = drawn([(300, 100, "Harbour 4711")], (1700, 2200), 90)
    draw = ImageDraw.Draw(image)
    draw.text((1200, 2000), "Page 3", fill="black", font=ImageFont.load_default(24))
    assert texts(read(image)) == ["Harbour 4711", "Page 3"]

"""The engine on pictures made for one question each."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from local.read_emulator.documents import PageImage
from local.read_emulator.page import Page
from tests.unit.local.read_emulator import engine

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
def test_a_turned_page_is_read_and_its_angle_told(turn: int) -> None:
    page = read(text_picture().rotate(turn, expand=True, fillcolor="white"))
    assert texts(page) == TEXT
    assert -180 <= page.angle < 180
    assert (page.angle + turn + 180) % 360 - 180 == pytest.approx(0, abs=1.5)  # Pillow turns counter-clockwise


def test_an_orientation_in_the_metadata_that_is_wrong_does_no_harm() -> None:
    page = read(text_picture(), expected=90.0)
    assert texts(page) == TEXT
    assert page.angle == pytest.approx(0, abs=1.5)


def test_boxes_are_those_of_the_page_as_given() -> None:
    upright, turned = read(text_picture()), read(text_picture().transpose(Image.Transpose.ROTATE_90))
    for line, same in zip(upright.lines, turned.lines, strict=True):
        x, y = np.array(line.box).reshape(4, 2).T
        expected = np.stack([y, upright.width - x], axis=1).ravel()  # what was right is now above
        assert same.box == pytest.approx(expected, abs=4)


def test_words_stand_in_their_line_in_order() -> None:
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


def test_text_up_the_margin_of_an_upright_page_is_read_in_its_own_direction() -> None:
    image = drawn([(120, 40 + 60 * row, text) for row, text in enumerate(TEXT)], size=(600, 400))
    margin = drawn([(0, 4, "HANDLE WITH CARE")], size=(330, 44)).rotate(90, expand=True)
    image.paste(margin, (20, 40))
    page = read(image)
    assert sorted(texts(page)) == sorted([*TEXT, "HANDLE WITH CARE"])
    assert page.angle == pytest.approx(0, abs=1)


def test_small_print_on_a_large_page_is_cut_from_the_page_at_its_own_size() -> None:
    page = read(drawn([(100, 200, "a line of print on a page of twelve million pixels")], size=(3000, 4000), height=52))
    assert texts(page) == ["a line of print on a page of twelve million pixels"]

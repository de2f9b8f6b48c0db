"""Boxes are put together as lines in reading order."""

import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.read_emulator import layout
from local.read_emulator.page import Line, Word

DIRECTIONS = st.floats(-180, 179.9)


def line(text: str, left: float, top: float, width: float | None = None, height: float = 20.0) -> Line:
    """Ten pixels per character unless ``width`` is given."""
    right, bottom = left + (10.0 * len(text) if width is None else width), top + height
    box = (left, top, right, top, right, bottom, left, bottom)
    return Line(box, text, tuple(Word(box, word, 1.0) for word in text.split()))


def turned(lines: list[Line], direction: float) -> list[Line]:
    cos, sin = math.cos(math.radians(direction)), math.sin(math.radians(direction))
    matrix = np.array([[cos, sin], [-sin, cos]])
    return [Line(layout.box_of(layout.quad_of(each.box) @ matrix + 500), each.text, each.words) for each in lines]


def arranged(lines: list[Line], direction: float = 0.0, *, columns: bool = False) -> list[str]:
    return [each.text for each in layout.arrange(lines, direction, columns=columns)]


TABLE = [
    line("Item", 0, 0),
    line("Price", 400, 2),
    line("Apples", 0, 60),
    line("1.25", 400, 58),
    line("Pears", 0, 120),
    line("2.50", 400, 121),
]
IN_ROWS = ["Item", "Price", "Apples", "1.25", "Pears", "2.50"]

LEFT = [line(f"left column of prose, line {n}", 0, 100 + 24 * n) for n in range(5)]
RIGHT = [line(f"right column of prose, line {n}", 330, 106 + 24 * n) for n in range(5)]
TITLE = line("A title above both of the columns, from edge to edge", 0, 0)
FOOTER = line("1", 300, 320)


@given(order=st.permutations(TABLE), direction=DIRECTIONS)
def test_a_table_is_read_in_rows_however_the_page_is_turned(order: list[Line], direction: float) -> None:
    assert arranged(turned(order, direction), direction) == IN_ROWS


@given(order=st.permutations(TABLE))
def test_a_table_is_read_in_rows_in_natural_order_too(order: list[Line]) -> None:
    assert arranged(order, columns=True) == IN_ROWS


@given(order=st.permutations([TITLE, *LEFT, *RIGHT, FOOTER]), direction=DIRECTIONS)
def test_columns_of_prose_are_read_one_after_the_other_in_natural_order(order: list[Line], direction: float) -> None:
    expected = [each.text for each in (TITLE, *LEFT, *RIGHT, FOOTER)]
    assert arranged(turned(order, direction), direction, columns=True) == expected


def test_columns_of_prose_are_read_across_in_basic_order() -> None:
    assert arranged(LEFT[:2] + RIGHT[:2]) == [LEFT[0].text, RIGHT[0].text, LEFT[1].text, RIGHT[1].text]


def test_parts_of_a_line_are_joined_with_their_words_and_bounds() -> None:
    (joined,) = layout.arrange([line("world", 65, 1), line("hello", 10, 0)], 0.0)
    assert joined.text == "hello world"
    assert [word.text for word in joined.words] == ["hello", "world"]
    assert joined.box == (10, 0, 115, 1, 115, 21, 10, 20)


def test_parts_of_a_line_of_chinese_are_joined_without_a_space() -> None:
    assert arranged([line("你好", 10, 0, 40), line("世界", 52, 0, 40)]) == ["你好世界"]


def test_a_heading_next_to_small_print_is_a_separate_line() -> None:
    assert arranged([line("BIG", 0, 0, 100, 60), line("small", 105, 20)]) == ["BIG", "small"]


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600), st.integers(5, 300), st.integers(5, 60)), max_size=25),
    DIRECTIONS,
    st.booleans(),
)
def test_no_word_is_lost_or_duplicated(
    places: list[tuple[int, int, int, int]], direction: float, columns: bool
) -> None:
    lines = [line(f"w{n}", x, y, width, height) for n, (x, y, width, height) in enumerate(places)]
    found = [word.text for each in layout.arrange(lines, direction, columns=columns) for word in each.words]
    assert sorted(found) == sorted(f"w{n}" for n in range(len(places)))


@given(DIRECTIONS)
def test_the_axis_of_a_page_is_the_axis_of_its_long_lines(direction: float) -> None:
    quads = [layout.quad_of(each.box) for each in turned([*LEFT, line("1", 0, 0, 8)], direction)]
    axis = layout.axis(quads)
    assert axis is not None
    assert abs(math.sin(math.radians(axis - direction))) < 1e-6


def test_squares_show_no_axis() -> None:
    assert layout.axis([layout.quad_of(line("字", 0, 0, 20).box)]) is None


@given(st.integers(0, 3), DIRECTIONS)
def test_a_quad_starts_where_the_text_begins(rolled: int, direction: float) -> None:
    (straight,) = turned([line("some words", 0, 0)], direction)
    quad = layout.quad_of(straight.box)
    found = layout.starting_where_read(np.roll(quad, rolled, axis=0), direction)
    assert np.allclose(found, quad)


@pytest.mark.parametrize("quarters", range(4))
def test_lines_found_in_a_turned_picture_are_turned_back(quarters: int) -> None:
    picture = np.zeros((30, 50))
    picture[10:15, 20:40] = 1
    rows, columns = np.nonzero(np.rot90(picture, quarters))
    found = np.array([(np.min(columns), np.min(rows)), (np.max(columns) + 1, np.max(rows) + 1)] * 2, dtype=np.float64)
    back = layout.turned_back(found, quarters, 50, 30)
    assert sorted(back[:, 0])[::3] == [20, 40]
    assert sorted(back[:, 1])[::3] == [10, 15]


def test_close_similar_lines_are_a_paragraph_until_one_ends_early() -> None:
    texts = ["a first line of some prose", "goes on with a second one", "and ends.", "Another one begins here no"]
    lines = [line(text, 0, 24 * n) for n, text in enumerate(texts)]
    heading = line("HEADING", 0, 120, height=40)
    paragraphs = [[each.text for each in found] for found in layout.paragraphs([*lines, heading], 0.0)]
    assert paragraphs == [texts[:3], texts[3:], ["HEADING"]]


@given(DIRECTIONS)
def test_a_box_around_lines_has_their_direction(direction: float) -> None:
    box = layout.around(turned(LEFT, direction), direction)
    (expected,) = turned([line("", 0, 100, 280, 24 * 4 + 20)], direction)
    assert box == pytest.approx(expected.box)


def test_the_widest_gap_between_boxes_is_found() -> None:
    starts = list(accumulate([0, 12, 15, 30]))
    assert layout._widest_gap([(start, start + 10) for start in starts]) == (20, 37)

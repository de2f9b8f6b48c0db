"""Figures, and how they are shown."""

import pytest

from bench.figure import Figure
from bench.table import line, markdown, shown


@pytest.mark.parametrize(
    ("goal", "at_least", "met"),
    [(None, False, None), (2, False, True), (1.9, False, False), (2, True, True), (2.1, True, False)],
)
def test_a_goal_is_a_maximum_or_a_minimum(goal: float | None, at_least: bool, met: bool | None) -> None:
    assert Figure(name="calls", value=2, unit="calls", goal=goal, at_least=at_least).met is met


def test_the_json_of_a_figure_has_the_documented_members() -> None:
    figure = Figure(name="calls", value=2.1, unit="calls", goal=2, note="of 40")
    assert figure.to_json() == {"name": "calls", "value": 2.1, "unit": "calls", "goal": 2, "met": False}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 s"), (2, "2 s"), (2.0854, "2.09 s"), (0.7881, "0.788 s"), (12.34, "12.3 s"), (97.96, "98.0 s"),
     (936.7, "937 s"), (12345.6, "12,346 s"), (-3.21, "-3.21 s")],
)  # fmt: skip
def test_a_value_is_shown_with_three_significant_digits(value: float, text: str) -> None:
    assert shown(value, "s") == text


def test_a_value_without_a_unit_ends_with_its_digits() -> None:
    assert shown(5, "") == "5"


def test_a_line_shows_goal_verdict_and_note() -> None:
    missed = line(Figure(name="share", value=80, unit="%", goal=95, at_least=True, note="3 runs"))
    assert missed.split("  ", 1)[0] == "share"
    assert missed.split() == ["share", "80", "%", "at", "least", "95", "MISSED", "3", "runs"]
    assert line(Figure(name="share", value=80, unit="%")).split() == ["share", "80", "%"]


def test_a_markdown_table_has_one_row_per_figure() -> None:
    figures = [Figure(name="a", value=1, unit="s", goal=2), Figure(name="b", value=1, unit="s", note="twice")]
    assert markdown(figures, notes=True).splitlines()[2:] == [
        "| a | 1 s | at most 2 | met | – |",
        "| b | 1 s | – | – | twice |",
    ]
    assert markdown(figures, notes=False).splitlines()[2] == "| a | 1 s | at most 2 | met |"

"""Figures as texts for people."""

from collections.abc import Iterable

from bench.figure import Figure

NAME_WIDTH = 84
_VALUE_WIDTH = 30
_GOAL_WIDTH = 16


def shown(value: float, unit: str) -> str:
    """A value with three significant digits: ``0.788 s``, ``97.1 %``, ``937 calls``, ``2 calls``, ``5`` of no unit."""
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} {unit}".rstrip()


def shown_goal(figure: Figure) -> str:
    """``at most 2.1``, or nothing."""
    if figure.goal is None:
        return ""
    return f"at {'least' if figure.at_least else 'most'} {figure.goal:,g}"


def verdict(figure: Figure) -> str:
    """``met``, ``MISSED``, or nothing if there is no goal."""
    return {None: "", True: "met", False: "MISSED"}[figure.met]


def line(figure: Figure) -> str:
    """A line of a terminal's table."""
    columns = (
        f"{figure.name:{NAME_WIDTH}}",
        f"{shown(figure.value, figure.unit):{_VALUE_WIDTH}}",
        f"{shown_goal(figure):{_GOAL_WIDTH}}",
        f"{verdict(figure):6}",
        figure.note,
    )
    return "  ".join(columns).rstrip()


def markdown(figures: Iterable[Figure], *, notes: bool) -> str:
    """A Markdown table; ``notes`` adds a column."""
    head, rule = "| figure | value | goal | |", "|---|---|---|---|"
    rows = [f"{head} note |" if notes else head, f"{rule}---|" if notes else rule]
    for figure in figures:
        cells = [figure.name, shown(figure.value, figure.unit), shown_goal(figure) or "–", verdict(figure) or "–"]
        rows.append(f"| {' | '.join([*cells, *([figure.note or '–'] if notes else [])])} |")
    return "\n".join(rows) + "\n"

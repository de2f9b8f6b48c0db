"""Writes the figures of a run into the README and docs/."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from bench.table import markdown
from local.paths import ROOT

HEADLINES = {
    "Read calls per document, one page: ours": "Calls of Read for a document of one page",
    "Added latency, one page, p50: ours": "Added latency, one page, p50",
    "Added latency, one page, p95: ours": "Added latency, one page, p95",
    "Burst in the harder world of 1,000 files, 1, 2, 10 instances: share of the ceiling, steady, at worst": (
        "Share of Read's quota that a burst uses, at worst"
    ),
    "Memory to store 2,000 pages, v3.2": "Memory to store a result of 2,000 pages",
}
"""The figures that the README shows, and their names there."""

_TABLE = re.compile(r"(<!-- figures: made by `dev\.py bench --update` -->\n).*?(<!-- /figures -->)", re.DOTALL)


def publish(figures: Sequence[Figure], machine: str, root: Path = ROOT) -> None:
    """Write docs/bench.jsonl and docs/bench-schedule.svg, and the tables in docs/bench.md and in the README.

    Raises ValueError if a file has no place for its table.
    """
    from bench.plot import draw

    run = f"{datetime.now(UTC).date()}, on {machine}.\n\n"
    lines = (json.dumps(figure.to_json(), ensure_ascii=False) for figure in figures)
    _write(root / "docs/bench.jsonl", "".join(f"{line}\n" for line in lines))
    _insert(root / "docs/bench.md", f"\n{run}{markdown(figures, notes=True)}\n")
    _insert(root / "README.md", f"\n{markdown(headlines(figures), notes=False)}\n")
    draw(figures, root / "docs/bench-schedule.svg")


def headlines(figures: Sequence[Figure]) -> list[Figure]:
    """The figures for the README, under the names that it uses."""
    return [replace(figure, name=HEADLINES[figure.name]) for figure in figures if figure.name in HEADLINES]


def _insert(path: Path, table: str) -> None:
    text, places = _TABLE.subn(lambda found: f"{found[1]}{table}{found[2]}", path.read_text(encoding="utf-8"))
    if places != 1:
        raise ValueError(f"{path} has {places} places for the figures, and not one.")
    _write(path, text)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")

"""What the README and docs/ show of a run."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from bench.table import markdown
from local.paths import ROOT

DETAILS = "Burst at "
"""How the names begin that the README leaves to docs/bench.md: it has the worst of them."""

_TABLE = re.compile(r"(<!-- figures: made by `dev\.py bench --update` -->\n).*?(<!-- /figures -->)", re.DOTALL)


def in_readme(figure: Figure) -> bool:
    """Whether the README's table has it."""
    return figure.goal is not None and not figure.name.startswith(DETAILS)


def publish(figures: Sequence[Figure], machine: str, root: Path = ROOT) -> None:
    """Write docs/bench.jsonl, docs/bench.md and docs/bench-schedule.svg, and the table in the README."""
    from bench.plot import draw

    today = datetime.now(UTC).date()
    lines = (json.dumps(figure.to_json(), ensure_ascii=False) for figure in figures)
    _write(root / "docs/bench.jsonl", "".join(f"{line}\n" for line in lines))
    _write(
        root / "docs/bench.md",
        "# Figures\n\n"
        "What `python3 dev.py bench` measured; [bench.jsonl](bench.jsonl) is the same for programs.\n\n"
        f"{today}, on {machine}.\n\n{markdown(figures, notes=True)}",
    )
    draw(figures, root / "docs/bench-schedule.svg")
    readme = root / "README.md"
    table = f"\n{markdown(filter(in_readme, figures), notes=False)}\n{today}, on {machine}.\n\n"
    text, places = _TABLE.subn(lambda found: f"{found[1]}{table}{found[2]}", readme.read_text(encoding="utf-8"))
    if places != 1:
        raise ValueError(f"{readme} has {places} places for the figures, and not one.")
    _write(readme, text)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")

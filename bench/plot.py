"""The plot of schedules: Read calls per document against seconds added."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figure import Figure
from bench.schedule import ORACLE, SCHEDULES, added_name, calls_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {
    "one page": "One page: Read takes 1.2 to 1.9 s,\n2 % of the documents up to a minute",
    "the slow 2 %": "Those 2 %",
    "2,000 pages": "2,000 pages: Read takes\n10 to 30 minutes",
}
OURS, OTHERS, BOUND, INK = "#c2410c", "#475569", "#15803d", "#1e293b"


def draw(figures: Iterable[Figure], path: Path) -> None:
    """Write an SVG on an opaque ground. ``figures`` has all that ``schedule`` measures."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    values = {figure.name: figure.value for figure in figures}
    with mpl.rc_context({"svg.hashsalt": "blob-ocr", "font.size": 10}):
        canvas = Canvas(figsize=(10.5, 4.2), layout="constrained", facecolor="white")
        for axes, workload in zip(canvas.subplots(1, len(PANELS)), PANELS, strict=True):
            _panel(axes, workload, values)
        canvas.savefig(path, metadata={"Date": None})


def _panel(axes: "Axes", workload: str, values: Mapping[str, float]) -> None:
    for schedule in [*SCHEDULES, ORACLE]:
        calls = values[calls_name(workload, schedule)]
        median, p95 = (values[added_name(workload, schedule, what)] for what in ("median", "95th percentile"))
        color = OURS if schedule == "ours" else BOUND if schedule == ORACLE else OTHERS
        marker = "*" if schedule == ORACLE else "o"
        axes.plot([median, p95], [calls, calls], color=color, linewidth=1.5, marker="|", markevery=[1])
        axes.plot(median, calls, marker, color=color, markersize=11 if schedule in ("ours", ORACLE) else 7)
        axes.annotate(schedule, (median, calls), (0, 8), textcoords="offset points", color=color, ha="center")
    axes.set_title(PANELS[workload], color=INK, fontsize=10)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("seconds added: median, and to the 95th percentile")
    axes.set_ylabel("calls of Read per document")

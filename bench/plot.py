"""The plot of schedules: Read calls per document against added latency."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.figure import Figure
from bench.schedule import MOST_CALLS, MOST_MEDIAN, ORACLE, SCHEDULES, added_name, calls_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class _Panel(NamedTuple):
    """One kind of documents. ``seconds`` and ``calls`` are the ticks of its axes."""

    workload: str
    title: str
    seconds: tuple[float, ...]
    calls: tuple[float, ...]
    below: tuple[str, ...]
    """The schedules with their names below the points, since another name is above."""


PANELS = (
    _Panel(
        "one page",
        "One page: 1.2 to 1.9 s of Read, and up to a minute for 2 %",
        (0.1, 0.2, 0.5, 1, 2, 5, 10),
        (2, 2.5, 3, 3.5),
        ("2-5-13-34", ORACLE),
    ),
    _Panel(
        "2,000 pages",
        "2,000 pages: 10 to 30 minutes of Read",
        (0.1, 0.3, 1, 3, 10, 30, 100),
        (1, 3, 10, 30, 100, 300, 1000, 3000),
        ("ours",),
    ),
)

INK, GRID = "#1f2937", "#e5e7eb"
COLORS = {"ours": "#d9480f", ORACLE: "#2b8a3e"}
OTHERS = "#52667a"


def draw(figures: Iterable[Figure], path: Path) -> None:
    """Write an SVG on an opaque background. ``figures`` has everything that ``schedule`` measures."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    values = {figure.name: figure.value for figure in figures}
    with mpl.rc_context(
        {
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "font.size": 10.5,
            "svg.hashsalt": "blob-ocr",
        }
    ):
        canvas = Canvas(figsize=(11, 4.4), layout="constrained", facecolor="white")
        for axes, panel in zip(canvas.subplots(1, len(PANELS)), PANELS, strict=True):
            _axes(axes, panel)
            for schedule in [*SCHEDULES, ORACLE]:
                _point(axes, panel, schedule, values)
        canvas.savefig(path, metadata={"Date": None, "Creator": None} if path.suffix == ".svg" else None)


def _axes(axes: "Axes", panel: _Panel) -> None:
    axes.set_title(panel.title, color=INK, fontsize=11.5, pad=10)
    axes.set_xlabel("added latency in seconds: p50, line to p95")
    axes.set_ylabel("calls of Read per document")
    axes.set_xscale("log")
    if panel.calls[-1] > 100:
        axes.set_yscale("log")
    axes.set_xticks(panel.seconds, [f"{each:g}" for each in panel.seconds])
    axes.set_yticks(panel.calls, [f"{each:,g}" for each in panel.calls])
    axes.minorticks_off()
    axes.set_xlim(panel.seconds[0], panel.seconds[-1] * 1.35)
    axes.set_ylim(panel.calls[0] * 0.88, panel.calls[-1] * 1.06)
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if panel.workload == "one page":
        axes.fill_between([panel.seconds[0], MOST_MEDIAN], 0, MOST_CALLS, color=COLORS["ours"], alpha=0.1, linewidth=0)
        place = (panel.seconds[0], MOST_CALLS)
        text = f"goal: {MOST_CALLS:g} calls, {MOST_MEDIAN:g} s"
        axes.annotate(text, place, (6, 5), textcoords="offset points", color=COLORS["ours"])


def _point(axes: "Axes", panel: _Panel, schedule: str, values: Mapping[str, float]) -> None:
    calls = values[calls_name(panel.workload, schedule)]
    p50, p95 = (values[added_name(panel.workload, schedule, what)] for what in ("p50", "p95"))
    color, special = COLORS.get(schedule, OTHERS), schedule in COLORS
    axes.plot([p50, p95], [calls, calls], color=color, linewidth=2 if special else 1.4, zorder=3 + special)
    axes.plot(
        p50,
        calls,
        "*" if schedule == ORACLE else "o",
        color=color,
        markeredgecolor="white",
        markersize={"ours": 11, ORACLE: 14}.get(schedule, 8),
        zorder=4 + special,
    )
    axes.annotate(
        schedule,
        (p50, calls),
        (0, -19 if schedule in panel.below else 10),
        textcoords="offset points",
        color=color,
        weight="bold" if special else "normal",
        ha="center",
    )

"""dev.py bench."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bench import __main__ as bench
from bench import publish
from bench.figure import Figure
from bench.schedule import ORACLE, SCHEDULES, WORKLOADS, added_name, calls_name
from local.commands import bench as command
from local.commands.__main__ import parse
from local.processes import ServiceError
from tests.support.markdown import tables

FIGURES = [
    Figure(name="calls", value=2, unit="calls", goal=1),
    Figure(name="Burst at 30/s: share", value=96, unit="%", goal=95, at_least=True),
    Figure(name="seconds", value=0.5, unit="s", note="of 40"),
    *(
        Figure(name=name, value=value, unit="")
        for workload in WORKLOADS
        for value, schedule in enumerate([*SCHEDULES, ORACLE], start=2)
        for name in (
            calls_name(workload.name, schedule),
            added_name(workload.name, schedule, "p50"),
            added_name(workload.name, schedule, "p95"),
        )
    ),
]


class Measured(list[bool]):
    """The value of ``quick`` in each run of the benchmark."""


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """A benchmark that takes the place of `schedule`; there is no other."""
    runs = Measured()

    def measure(*, quick: bool) -> Iterator[Figure]:
        runs.append(quick)
        yield from FIGURES

    module = ModuleType("bench.fake")
    module.measure = measure  # type: ignore[attr-defined]  # this makes it a benchmark
    monkeypatch.setitem(sys.modules, "bench.fake", module)
    for module_of_names in (bench, command):
        monkeypatch.setattr(module_of_names, "BENCHMARKS", ("fake", "schedule"))
    monkeypatch.setattr(bench, "PLOTTED", "fake")
    return runs


def test_a_run_names_the_machine_and_prints_one_line_per_figure(
    capsys: pytest.CaptureFixture[str], measured: Measured
) -> None:
    assert bench.main(["fake"]) == 0
    shown = capsys.readouterr().out
    assert "Azurite" in shown.splitlines()[0]
    assert "calls" in shown
    assert "MISSED" in shown
    assert shown.splitlines()[-1] == f"{len(FIGURES)} figures; of 2 goals, 1 met, 1 missed."
    assert measured == [False]


def test_quick_is_passed_on(measured: Measured) -> None:
    bench.main(["fake", "--quick"])
    assert measured == [True]


def test_json_output_is_one_object_per_line(tmp_path: Path) -> None:
    bench.main(["fake", "--json", str(tmp_path / "figures.jsonl")])
    lines = (tmp_path / "figures.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [figure.to_json() for figure in FIGURES]


def test_a_file_that_cannot_be_written_ends_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["fake", "--json", str(tmp_path / "missing/figures.jsonl")]) == 2
    assert "could not be run" in capsys.readouterr().err


def test_a_stack_that_does_not_start_ends_with_status_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*, quick: bool) -> Iterator[Figure]:
        raise ServiceError(f"Azurite is not there, quick or not: {quick}")

    monkeypatch.setattr(sys.modules["bench.fake"], "measure", measure)
    assert bench.main(["fake"]) == 2


@pytest.mark.parametrize(
    "arguments",
    [["schedule", "--plot", "a.svg"], ["--update", "--quick"], ["fake", "--update"]],
)
def test_contradictory_options_end_with_status_2_and_measure_nothing(arguments: list[str], measured: Measured) -> None:
    assert bench.main(arguments) == 2
    assert not measured


def test_dev_py_passes_its_arguments_on_to_the_benchmarks(tmp_path: Path) -> None:
    file = tmp_path / "figures.jsonl"
    assert command.main(parse(["bench", "schedule", "--quick", "--update", "--json", str(file)])) == 2
    assert not file.exists()


def test_an_unknown_benchmark_is_refused_before_anything_is_installed() -> None:
    with pytest.raises(SystemExit) as end:
        parse(["bench", "speed"])
    assert end.value.code == 2


def test_the_plot_names_every_schedule_on_an_opaque_background(tmp_path: Path) -> None:
    bench.main(["fake", "--plot", str(tmp_path / "plot.svg")])
    plot = (tmp_path / "plot.svg").read_text(encoding="utf-8")
    assert all(f"<!-- {schedule} -->" in plot for schedule in [*SCHEDULES, ORACLE])
    assert "fill: #ffffff" in plot


def test_publishing_a_run_writes_it_into_the_docs_and_its_headlines_into_the_readme(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    pages = [tmp_path / "README.md", tmp_path / "docs/bench.md"]
    for page in pages:
        page.write_text(
            "before\n<!-- figures: made by `dev.py bench --update` -->\nold\n<!-- /figures -->\nafter\n",
            encoding="utf-8",
        )
    for _ in range(2):  # published a second time, over the first
        publish.publish(FIGURES, "a machine", tmp_path)
    lines = (tmp_path / "docs/bench.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [figure.to_json() for figure in FIGURES]
    readme, every = (page.read_text(encoding="utf-8") for page in pages)
    assert [row[0] for row in tables(every)[0]] == [figure.name for figure in FIGURES]
    headlines = [publish.HEADLINES[figure.name] for figure in FIGURES if figure.name in publish.HEADLINES]
    assert len(headlines) == 3
    assert [row[0] for row in tables(readme)[0]] == headlines
    assert "on a machine" in every
    for text in (readme, every):
        assert text.startswith("before\n")
        assert text.endswith("<!-- /figures -->\nafter\n")
        assert "old" not in text
    assert (tmp_path / "docs/bench-schedule.svg").exists()

"""Measure and report: `python3 dev.py bench`. Standard library only, until a benchmark is run."""

import argparse
import importlib
import json
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.figure import Figure
from bench.machine import machine
from bench.table import line
from local.processes import ServiceError

BENCHMARKS = ("schedule", "throughput", "peers", "work", "memory", "startup", "million")
"""Modules of this package; each has ``measure(*, quick: bool)``, which gives its figures."""

PLOTTED = "schedule"


def run(names: Sequence[str], *, quick: bool, json_file: Path | None, plot: Path | None, update: bool) -> int:
    """Run benchmarks, all if none is named, and print their figures as they come.

    Returns the exit status: 0, whether goals are met or not, and 2 where they could not be run. Raises ServiceError
    if a part of the local stack does not come up.
    """
    chosen = [name for name in BENCHMARKS if not names or name in names]
    if plot and PLOTTED not in chosen:
        print(f"--plot draws what `{PLOTTED}` measures: name it, too.", file=sys.stderr)
        return 2
    if update and (names or quick):
        print("--update publishes a whole run: name no benchmark, and leave --quick out.", file=sys.stderr)
        return 2
    try:
        figures = list(_figures(chosen, quick, json_file))
        if plot:
            from bench.plot import draw

            draw(figures, plot)
        if update:
            from bench.publish import publish

            publish(figures, machine())
    except ServiceError:
        raise
    except Exception:  # noqa: BLE001 - any error is reported, and is not the exit status of a failed test
        traceback.print_exc()
        print("The benchmarks could not be run to their end.", file=sys.stderr)
        return 2
    goals = [figure for figure in figures if figure.goal is not None]
    missed = sum(not figure.met for figure in goals)
    print(f"\n{len(figures)} figures; of {len(goals)} goals, {len(goals) - missed} met, {missed} missed.")
    return 0


def _figures(chosen: Sequence[str], quick: bool, json_file: Path | None) -> Iterator[Figure]:
    print(f"On {machine()}.")
    with ExitStack() as files:
        file = files.enter_context(json_file.open("w", encoding="utf-8")) if json_file else None
        for name in chosen:
            print(f"\n{name}", flush=True)
            for figure in importlib.import_module(f"bench.{name}").measure(quick=quick):
                print(f"  {line(figure)}", flush=True)
                if file:
                    print(json.dumps(figure.to_json(), ensure_ascii=False), file=file, flush=True)
                yield figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument(
        "names",
        nargs="*",
        type=_benchmark,
        metavar="BENCHMARK",
        help=f"{', '.join(BENCHMARKS[:-1])} or {BENCHMARKS[-1]}; default: all, in turn",
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny ones, to see that they run; their figures say little"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write one JSON object a line there, a figure each")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the schedules of polls there")
    parser.add_argument("--update", action="store_true", help="publish this run in the README and in docs/")


def _benchmark(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark {name!r}; there are: {', '.join(BENCHMARKS)}")
    return name


if __name__ == "__main__":
    from local.commands.__main__ import carry_out, parse

    sys.exit(carry_out(parse(["bench", *sys.argv[1:]])))

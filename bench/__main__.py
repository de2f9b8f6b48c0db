"""Measure and report: `python3 dev.py bench`. Imports only the standard library until a benchmark runs."""

import argparse
import importlib
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.figure import Figure
from bench.machine import machine
from bench.table import line
from cli.__main__ import ended
from local.commands.bench import BENCHMARKS, add_arguments
from local.processes import ServiceError

PLOTTED = "schedule"


def run(names: Sequence[str], *, quick: bool, json_file: Path | None, plot: Path | None, update: bool) -> int:
    """Run benchmarks (all if none is named) and print their figures as they come.

    Returns the exit status: 0, even if a goal is missed, or 2 if a benchmark could not be run. Raises ServiceError
    if a part of the local stack does not start.
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line that `dev.py bench` passes on. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", allow_abbrev=False)
    add_arguments(parser)
    chosen = parser.parse_args(arguments)
    # Images of containers often set this; starts would then be measured with a compilation that users do not have.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return ended(
        lambda: run(chosen.names, quick=chosen.quick, json_file=chosen.json, plot=chosen.plot, update=chosen.update)
    )


if __name__ == "__main__":
    sys.exit(main())

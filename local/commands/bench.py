"""dev.py bench: what the app costs, measured in a process of its own."""

# ruff: noqa: S603 - what is started is this project's own

import argparse
import subprocess
import sys
from pathlib import Path

from local.paths import ROOT

BENCHMARKS = ("schedule", "throughput", "peers", "work", "memory", "startup", "page", "laptop", "million")
"""Modules of ``bench``; each has ``measure(*, quick: bool)``, which gives its figures."""


def main(arguments: argparse.Namespace) -> int:
    """Run the chosen benchmarks; returns 0 whether or not goals are met, and 2 if they could not be run."""
    options = ["--quick"] * arguments.quick + ["--update"] * arguments.update
    for option in ("json", "plot"):
        if file := getattr(arguments, option):
            options += [f"--{option}", str(file.absolute())]
    return subprocess.run([sys.executable, "-m", "bench", *arguments.names, *options], cwd=ROOT, check=False).returncode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command line."""
    parser.add_argument(
        "names",
        nargs="*",
        type=_benchmark,
        metavar="BENCHMARK",
        help=f"{', '.join(BENCHMARKS[:-1])} or {BENCHMARKS[-1]}; default: all, in turn",
    )
    parser.add_argument(
        "--quick", action="store_true", help="run tiny ones, to see that they work; their figures mean little"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures to this file, one JSON object a line"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the schedules of polls in this file")
    parser.add_argument("--update", action="store_true", help="publish this run in the README and in docs/")


def _benchmark(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark {name!r}; choose from: {', '.join(BENCHMARKS)}")
    return name

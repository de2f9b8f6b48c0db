"""dev.py test: style, types, every test, and which code of shared/ no test reaches."""

# ruff: noqa: S603 - the programs that are started are installed with the tests

import argparse
import os
import shlex
import subprocess
import sys

from local.paths import ROOT

AT_ONCE = ["--dist", "loadfile", "--no-loadscope-reorder", "--durations", "25"]
"""Run test files in parallel: each process has its own storage and stack."""

CHECKS = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])


def main(arguments: argparse.Namespace) -> int:
    """Run all chosen commands, even if one fails; returns 1 if any failed."""
    failed = []
    for command in commands(arguments):
        print(f"\n{shlex.join(command)}", flush=True)
        if subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode:
            failed.append(shlex.join(command[:2]))
    if failed:
        print(f"\nFailed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def commands(arguments: argparse.Namespace) -> list[list[str]]:
    """What ``python -m`` is to run, in order."""
    if arguments.checks:
        return [*CHECKS]
    # The quick tests compute. The others wait for the local stack for much of their time.
    processes = (os.cpu_count() or 1) + (0 if arguments.quick else 2)
    at_once = [] if arguments.pytest else ["-n", str(min(4, processes)), *AT_ONCE]
    tests = ["pytest", *at_once, *(["-m", "quick"] if arguments.quick else []), *arguments.pytest]
    if arguments.coverage:
        return [["coverage", "erase"], ["coverage", "run", "-m", *tests], ["coverage", "combine", "--quiet"],
                ["coverage", "report"]]  # fmt: skip
    return [tests] if arguments.quick else [*CHECKS, tests]

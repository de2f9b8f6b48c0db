"""dev.py test: style, types, and every test."""

# ruff: noqa: S603 - what is started is installed with the tests

import argparse
import shlex
import subprocess
import sys

from local.paths import ROOT

AT_ONCE = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
"""Files of tests at a time: each process has storage and a stack of its own."""

CHECKS = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])


def main(arguments: argparse.Namespace) -> int:
    """Run all checks, whatever the first ones say; returns 1 if any failed."""
    commands = [] if arguments.quick else [*CHECKS]
    at_once = [] if arguments.pytest else AT_ONCE
    commands.append(["pytest", *at_once, *(["-m", "quick"] if arguments.quick else []), *arguments.pytest])
    failed = []
    for command in commands:
        print(f"\n{shlex.join(command)}", flush=True)
        if subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode:
            failed.append(command[0])
    if failed:
        print(f"\nFailed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0

"""dev.py bench: what the app costs, measured."""

import argparse

from bench.__main__ import run


def main(arguments: argparse.Namespace) -> int:
    """Run the chosen benchmarks; returns 0, whether goals are met or not, and 2 where they could not be run."""
    return run(
        arguments.names,
        quick=arguments.quick,
        json_file=arguments.json,
        plot=arguments.plot,
        update=arguments.update,
    )

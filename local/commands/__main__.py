"""The command line of dev.py. Standard library only: it is read before anything is installed."""

import argparse
import importlib
import re
import sys
from collections.abc import Sequence
from typing import cast

from cli.__main__ import ended
from cli.arguments import add_command, checked
from cli.arguments import add_commands as add_operator_commands
from local.commands.bench import add_arguments as add_bench_arguments

DESCRIPTION = "Read documents on this machine as blob-ocr does in Azure."

EPILOG = """\
exit status: 0 done, and every file was read; 1 a file was not read or not found, or a test failed; 2 the command
could not be carried out (standard error says why); 130 stopped by Ctrl-C"""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read a command line. Exits with status 2, its usage on standard error, if it is wrong."""
    parser = make_parser()
    chosen, others = parser.parse_known_args(arguments)
    if others and chosen.module != "test":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    chosen.pytest = others
    return checked(parser, chosen)


def make_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module="operator", operator=None, needs_install=True, needs_tests=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = add_command(commands, "run", "read files, and print their text")
    run.add_argument("files", nargs="*", metavar="FILE|FOLDER|PATTERN", help="default: the project's own samples")
    _json_option(run, "print one JSON object a file on standard output, and nothing else")
    _ports_option(run, "the first of five ports in a row to use; default: any free ports")
    run.set_defaults(module="run")

    up = add_command(commands, "up", "run everything until Ctrl-C, for `dev.py run` and other tools to use")
    host = up.add_mutually_exclusive_group()
    host.add_argument("--without-host", action="store_true", help="storage and Read only, for `func start` or F5")
    host.add_argument("--func", action="store_true", help="run the app in Azure Functions Core Tools (`func`)")
    _ports_option(
        up,
        "the first of five ports in a row (blob, queue, table, Read, Functions); 0 for any free ports;"
        " default: 10000, 10001, 10002, 5000, 7071",
    )
    up.set_defaults(module="up")

    read = add_command(commands, "read", "run the Read emulator alone, until Ctrl-C")
    read.add_argument("--port", type=int, default=5000, help="default: 5000, as for the Read container")
    read.set_defaults(module="read")

    add_operator_commands(commands)

    _add_test(commands)

    bench = add_command(
        commands,
        "bench",
        "measure what the app costs, compared with other ways to call Read",
        "Takes half an hour. The figures are meaningful only on a machine that does nothing else.",
    )
    add_bench_arguments(bench)
    bench.set_defaults(module="bench", needs_tests=True)

    clean = add_command(commands, "clean", "delete what was stored on this machine: files, rows, text and logs")
    clean.add_argument("--all", action="store_true", help="also delete what was installed")
    clean.set_defaults(module="clean", needs_install=False)
    return parser


def _add_test(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    test = add_command(commands, "test", "check style and types, and run every test; other arguments are pytest's")
    part = test.add_mutually_exclusive_group()
    part.add_argument("--quick", action="store_true", help="the unit tests and one test of each other kind")
    part.add_argument("--checks", action="store_true", help="only style and types")
    part.add_argument("--coverage", action="store_true", help="the tests, and the code of shared/ that no test reaches")
    test.set_defaults(module="test", needs_tests=True)


def carry_out(arguments: argparse.Namespace) -> int:
    """Run the chosen command; returns its exit status.

    Everything it started is stopped first, however it ends. If this process is killed, the rest stops by itself.
    """
    return ended(lambda: cast(int, importlib.import_module(f"local.commands.{arguments.module}").main(arguments)))


def _json_option(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


def _ports_option(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--ports", type=_ports, metavar="BASE", help=text)


def _ports(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65531:
        raise argparse.ArgumentTypeError(f"{text!r} is not 0, nor the first of five ports in a row (1 to 65531)")
    return int(text)


if __name__ == "__main__":
    sys.exit(carry_out(parse()))

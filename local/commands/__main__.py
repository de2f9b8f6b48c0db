"""The command line of dev.py. Standard library only: it is read before anything is installed."""

import argparse
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import cast

from bench.__main__ import add_arguments as add_bench_arguments
from local.processes import ServiceError

DESCRIPTION = "Read documents on this machine as blob-ocr does in Azure."

EPILOG = """\
exit status: 0 done, and every file was read; 1 a file was not read or not found, or a test failed; 2 the command
could not be carried out (standard error says why); 130 stopped by Ctrl-C"""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read a command line. Exits with status 2, its usage on standard error, if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(needs_install=True, needs_tests=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = _command(commands, "run", "read files, and print their text")
    run.add_argument("files", nargs="*", metavar="FILE|FOLDER|PATTERN", help="default: the project's own samples")
    _json_option(run, "one JSON object a file on standard output, and nothing else there")
    _ports_option(run, "the first of five ports in a row to use; default: any that are free")
    run.set_defaults(module="run")

    up = _command(commands, "up", "run everything until Ctrl-C, for `dev.py run` and other tools to use")
    host = up.add_mutually_exclusive_group()
    host.add_argument("--without-host", action="store_true", help="storage and Read only, for `func start` or F5")
    host.add_argument("--func", action="store_true", help="run the app in Azure Functions Core Tools (`func`)")
    _ports_option(
        up,
        "the first of five ports in a row (blob, queue, table, Read, Functions); 0 for any that are free;"
        " default: 10000, 10001, 10002, 5000, 7071",
    )
    up.set_defaults(module="up")

    read = _command(commands, "read", "run the Read emulator alone, until Ctrl-C")
    read.add_argument("--port", type=int, default=5000, help="default: 5000, as the Read container's")
    read.set_defaults(module="read")

    status = _command(commands, "status", "how many files were read, failed, or wait")
    status.add_argument("prefix", nargs="?", default="", metavar="PREFIX", help="only names that start so: 2024/")
    _json_option(status, "the counts as one JSON object")
    _storage_option(status)
    status.set_defaults(module="status")

    listing = _command(commands, "list", "files, how they stand, and what to do about those that failed")
    listing.add_argument("prefix", nargs="?", default="", metavar="PREFIX", help="only names that start so: 2024/")
    listing.add_argument("--status", choices=STATUSES, help="only files that stand so")
    _json_option(listing, "one JSON object a file")
    _storage_option(listing)
    listing.set_defaults(module="listing")

    text = _command(commands, "text", "print a file's text")
    text.add_argument("name", type=_name, metavar="NAME", help="its name in the container")
    _json_option(text, "the text with pages, lines and boxes, as `run --json`")
    _storage_option(text)
    text.set_defaults(module="text")

    _add_tasks(commands)

    _add_test(commands)

    bench = _command(
        commands,
        "bench",
        "measure what the app costs, beside what its reader would otherwise run",
        "Takes half an hour, and means something on a machine with nothing else to do.",
    )
    add_bench_arguments(bench)
    bench.set_defaults(module="bench", needs_tests=True)

    clean = _command(commands, "clean", "delete what was stored on this machine: files, rows, text and logs")
    clean.add_argument("--all", action="store_true", help="what was installed, too")
    clean.set_defaults(module="clean", needs_install=False)

    chosen, others = parser.parse_known_args(arguments)
    if others and chosen.module != "test":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    chosen.pytest = others
    return chosen


def _add_test(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    test = _command(commands, "test", "check style and types, and run every test; other arguments are pytest's")
    part = test.add_mutually_exclusive_group()
    part.add_argument("--quick", action="store_true", help="the unit tests and one test of each other kind")
    part.add_argument("--checks", action="store_true", help="style and types alone")
    part.add_argument("--coverage", action="store_true", help="the tests, and the code of shared/ that none reaches")
    test.set_defaults(module="test", needs_tests=True)


def _add_tasks(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What a person asks of the app itself."""
    again = _command(
        commands,
        "again",
        "have files read anew, whatever became of them",
        "Each is billed again. A file that is being read just now is left to that.",
    )
    _names(again)
    _storage_option(again)
    again.set_defaults(module="again")

    forget = _command(
        commands,
        "forget",
        "delete files and all that is known of them",
        "Text, lines, results and row go, then the file. Read's own copy of a result is deleted where that is possible"
        " (READ_API_VERSION 2024-11-30, with READ_ENDPOINT and READ_KEY as in the app); else Read deletes it within 48"
        " hours.",
    )
    _names(forget)
    forget.add_argument(
        "--keep-file", action="store_true", help="keep the file itself; it is read again only if you ask for it"
    )
    _storage_option(forget)
    forget.set_defaults(module="forget")

    missed = _command(
        commands,
        "missed",
        "have files read that no event reported",
        "As the app does each day, and with files of this minute too: compares the container with the table, and enqueues"
        " files that are not read in their present version, as many as READ_RATE allows in a day. Files last changed before"
        " READ_FILES_FROM are left alone.",
    )
    missed.add_argument("--dry-run", action="store_true", help="only say how many files there are, and how large")
    _storage_option(missed)
    missed.set_defaults(module="missed")


STATUSES = ("submitting", "reading", "waiting", "succeeded", "failed", "ignored")


def carry_out(arguments: argparse.Namespace) -> int:
    """Run the chosen command; returns its exit status.

    However it ends, what it started is stopped first, unless this process is killed: then it stops by itself.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A Windows code page knows few of the letters that Read does: files and pipes get UTF-8.
            asked = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=None if asked else "utf-8", errors="replace", line_buffering=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's `&` sets aside
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    command = importlib.import_module(f"local.commands.{arguments.module}")
    try:
        return cast(int, command.main(arguments))
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `dev.py run | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, more: str = ""
) -> argparse.ArgumentParser:
    description = f"{text[0].upper()}{text[1:]}. {more}".strip()
    return commands.add_parser(name, help=text, description=description, allow_abbrev=False)


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", type=_name, nargs="+", metavar="NAME", help="a file's name in the container")


def _name(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("a name is not text in this system's encoding") from None
    if not text:
        raise argparse.ArgumentTypeError("a name is empty")
    return text


def _json_option(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


def _ports_option(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--ports", type=_ports, metavar="BASE", help=text)


def _ports(text: str) -> int:
    base = int(text)
    if base and not 1 <= base <= 65531:
        raise argparse.ArgumentTypeError(f"{base} is not 0, nor the first of five ports in a row (1 to 65531)")
    return base


def _storage_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--storage", metavar="ACCOUNT", help="of this Azure storage account, with your Azure login")


if __name__ == "__main__":
    sys.exit(carry_out(parse()))

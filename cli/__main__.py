"""``python -m cli COMMAND``: the operator's commands, on the storage that --storage or the settings name."""

import io
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from cli.arguments import parse
from cli.errors import CommandError
from cli.settings import CONNECTION, load_settings


def main() -> int:
    """Carry out the command line; returns the exit status."""
    arguments = parse()
    return ended(lambda: _run(arguments))


def _run(arguments: Any) -> int:
    from cli.connection import App, pointed_to

    settings = load_settings(os.environ)
    if arguments.storage:
        settings = pointed_to(arguments.storage, settings)
    elif not any(name.startswith(CONNECTION) for name in settings):
        raise CommandError(
            f"Which storage? Give --storage ACCOUNT, or set {CONNECTION} as in the app. (`dev.py` knows the storage of"
            " the local stack.)"
        )
    return run(arguments, App(settings, program="python -m cli"))


def run(arguments: Any, app: Any) -> int:
    """Run a parsed command on an App; returns its exit status.

    Raises CommandError if it cannot be carried out, or if storage refuses it.
    """
    from cli.connection import CHANGING, READING, explained

    module = import_module(f"cli.{arguments.operator}")
    with explained(CHANGING if arguments.operator in ("again", "forget", "missed") else READING):
        return cast(int, module.main(arguments, app))


def ended(command: Callable[[], int]) -> int:
    """Run a command to its end, and turn every outcome into an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A Windows code page has few of the letters that Read knows, so files and pipes get UTF-8.
            asked = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=None if asked else "utf-8", errors="replace", line_buffering=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's `&` ignores
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return command()
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `python -m cli list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())

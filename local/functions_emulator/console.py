"""Output in the form of `func start`: one time-stamped line for each event."""

import logging
import sys
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from local.functions_emulator.index import Function
from local.functions_emulator.routes import Route

log = logging.getLogger("functions_emulator")
"""The host's own log, unaffected by what the app does to the root logger."""

running: ContextVar[str | None] = ContextVar("running", default=None)
"""The name of the function that the current thread or task runs."""


class Console(logging.Handler):
    """Prints records at or above the level that host.json's `logging.logLevel` gives their category."""

    def __init__(self, levels: Mapping[str, int], stream: TextIO | None = None) -> None:
        super().__init__()
        self._levels = levels
        self._stream = stream or sys.stdout

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record, with its traceback if it has one."""
        category = _category(record)
        if record.levelno < level_of(category, self._levels):
            return
        when = datetime.fromtimestamp(record.created, UTC)
        try:
            text = self.format(record)
            self._stream.write(f"[{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z] {text}\n")
            self._stream.flush()
        except Exception:  # noqa: BLE001 - a console that is gone must not stop the host
            self.handleError(record)


def install(levels: Mapping[str, int]) -> None:
    """Print the app's records and the host's, from now on."""
    console = Console(levels)
    lowest = min([logging.INFO, *levels.values()])
    root = logging.getLogger()
    root.addHandler(console)
    root.setLevel(lowest)
    log.addHandler(console)
    log.setLevel(lowest)
    log.propagate = False
    # The host's own storage calls, each logged by the SDK with its headers, would bury everything else.
    logging.getLogger("azure").setLevel(logging.WARNING)


def level_of(category: str, levels: Mapping[str, int]) -> int:
    """The level of the longest prefix of `category` that host.json names, else the default one's."""
    parts = category.lower().split(".")
    for length in range(len(parts), 0, -1):
        if (level := levels.get(".".join(parts[:length]))) is not None:
            return level
    return levels.get("default", logging.INFO)


def printable(text: str) -> str:
    """`text` without control characters, which in a blob's name could forge a line or change a terminal's colours."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def print_functions(functions: Iterable[Function]) -> None:
    """The list of functions and their triggers, before anything runs."""
    lines = ["", "Functions:", ""]
    for function in functions:
        note = "" if function.trigger else " (not run by this emulator)"
        lines += [f"\t{function.name}: {function.trigger_type}{note}", ""]
    print("\n".join(lines), flush=True)


def print_routes(routes: Mapping[str, Route], url: str) -> None:
    """The addresses of the HTTP functions, once the port is known."""
    for name, route in routes.items():
        methods = ",".join(sorted(route.methods))
        print(f"\t{name}: [{methods}] {url}/{route.template.text}", flush=True)


def _category(record: logging.LogRecord) -> str:
    function = running.get()
    if record.name == log.name:
        return f"Function.{function}" if function else "Host"
    return f"Function.{function}.User" if function else "Worker"

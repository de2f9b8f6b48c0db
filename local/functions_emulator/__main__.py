"""`python -m local.functions_emulator --app DIR`: run a function app until Ctrl-C.

Exit status: 0 after a stop that was asked for, 2 when the app or its storage cannot run, 3 when a function
ran longer than host.json's functionTimeout (the real host kills and restarts its worker then), 130 after a
second Ctrl-C.
"""

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from local.functions_emulator.console import install, log, print_functions, print_routes
from local.functions_emulator.host import Host, RunOptions, chosen
from local.functions_emulator.host_json import load_host_options
from local.functions_emulator.index import IndexingError, index_app
from local.functions_emulator.invoke import Invoker, app_traceback
from local.functions_emulator.server import Server
from local.functions_emulator.settings import HostError, host_id, load_app_settings
from local.functions_emulator.storage import Connections

CANNOT_RUN, TIMED_OUT, INTERRUPTED = 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the host, and return its exit status."""
    given = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that cannot show a blob's name must not stop the host
            stream.reconfigure(errors="backslashreplace")
    stopped = threading.Event()
    _stop_on_signals(stopped)
    try:
        return _run(given, stopped)
    except IndexingError as error:
        if error.__cause__ is not None:
            print(app_traceback(error.__cause__), file=sys.stderr)
        print(error, file=sys.stderr)
    except HostError as error:
        print(error, file=sys.stderr)
    return CANNOT_RUN


def _run(given: argparse.Namespace, stopped: threading.Event) -> int:
    app = given.app.resolve()
    settings = given.settings or app / "local.settings.json"
    if given.settings or settings.is_file():
        load_app_settings(settings, os.environ)
    # Core Tools sets it too; it shortens the longest wait between two polls from a minute to 2 s.
    os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    options = load_host_options(app, os.environ)
    run = RunOptions(host_id(app, given.host_id, os.environ), given.lease_seconds, given.scan_seconds)
    install(options.log_levels)
    functions = index_app(app, os.environ)
    listened = chosen(functions, given.function, os.environ)
    print_functions(listened if given.function else functions)
    invoker = Invoker(options.function_timeout, lambda: _end(TIMED_OUT))
    host = Host(listened, options, run, Connections(os.environ), invoker)
    server = Server(given.port, options.http, host.threads)
    host.start()
    server.start(host.admin(server.url).answer, host.http.answer)
    print_routes(host.http.routes, server.url)
    log.info("Host started (id %s). Admin endpoint: %s/admin/", run.host_id, server.url)
    while not stopped.wait(0.5):  # a wait without end would not see Ctrl-C on Windows
        pass
    log.info("Stopping: what is running may finish.")
    server.close()
    if not host.stop():
        log.warning("Some invocations did not finish; their messages come back when their leases end.")
    return 0


def _stop_on_signals(stopped: threading.Event) -> None:
    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal.signal calls
        if stopped.is_set():
            _end(INTERRUPTED)
        stopped.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):  # the last is Ctrl-Break, on Windows
        if number := getattr(signal, name, None):
            signal.signal(number, stop)


def _end(status: int) -> None:
    """End at once: threads that run an app's code cannot be stopped in any other way."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.functions_emulator",
        description="Runs an Azure Functions app of the Python v2 model, for development, without Core Tools.",
    )
    parser.add_argument(
        "--app", type=Path, required=True, metavar="DIR", help="folder of function_app.py and host.json"
    )
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="app settings (default: the app's local.settings.json, if any)",
    )
    parser.add_argument(
        "--function",
        action="append",
        default=[],
        metavar="NAME",
        help="listen for this function only; repeatable",
    )
    parser.add_argument(
        "--port", type=int, default=7071, help="of HTTP functions and the admin endpoint; 0: any free one"
    )
    parser.add_argument(
        "--lease-seconds",
        type=_at_least_one,
        default=600,
        metavar="N",
        help="a queue message's lease",
    )
    parser.add_argument(
        "--scan-seconds", type=_positive, default=2.0, metavar="N", help="pause between two scans for new blobs"
    )
    parser.add_argument("--host-id", metavar="ID", help="under which receipts are kept (default: from the folder)")
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


if __name__ == "__main__":
    _end(main())

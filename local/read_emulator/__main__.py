"""Read documents on this machine as Azure's Read service would."""

import argparse
import os
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp
from typing_extensions import override

from local.read_emulator.reader import Reader, ReadPage
from local.read_emulator.script import Script, ScriptError
from local.read_emulator.server import ReadService
from local.read_emulator.serving import Server, logged
from local.read_emulator.stage import Stage


def main() -> int:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="python -m local.read_emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="default 5000, the container's; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1: this machine only")
    parser.add_argument("--key", help="what the header Ocp-Apim-Subscription-Key must say; without it, anything")
    parser.add_argument("--script", type=Path, metavar="FILE", help="play a service by this script, without OCR")
    arguments = parser.parse_args()
    listening = threading.Event()
    reader = None
    try:
        if arguments.script:
            app: ASGIApp = Stage(Script.load(arguments.script), _now, arguments.key)
        else:
            reader = Reader(partial(_load_engine, listening), _now)
            app = ReadService(reader, arguments.key).app
    except (ScriptError, OSError) as error:
        print(f"Cannot play {arguments.script}: {error}", file=sys.stderr)
        return 2
    try:
        server = _AnnouncingServer(logged(app), listening, arguments.host, arguments.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"Cannot listen on {arguments.host}:{arguments.port}: {reason}.", file=sys.stderr)
        return 2
    _end_at_once(reader)
    server.run()
    return 0


def _end_at_once(reader: Reader | None) -> None:
    """Let SIGINT and SIGTERM end the process, even while it is reading, and leave no document behind."""

    def end(number: int, _: object) -> None:
        if reader:
            reader.close()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _now() -> datetime:
    return datetime.now(UTC)


class _AnnouncingServer(Server):
    def __init__(self, app: ASGIApp, listening: threading.Event, host: str, port: int) -> None:
        super().__init__(app, host, port)
        self._listening = listening

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"Read emulator listening on {self.url}", flush=True)
        self._listening.set()


def _load_engine(listening: threading.Event) -> ReadPage:
    listening.wait()  # importing would only slow down what others wait for
    try:
        from local.read_emulator.engine import Engine

        return Engine().read_page
    except (ImportError, OSError, RuntimeError) as error:
        print(f"The OCR engine cannot be loaded: {error}", file=sys.stderr)
        print("Install what it needs with: pip install -r local/requirements.txt", file=sys.stderr, flush=True)
        os._exit(2)  # from a thread, and nothing could be read


if __name__ == "__main__":
    sys.exit(main())

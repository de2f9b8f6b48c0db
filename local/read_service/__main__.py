"""Read documents on this machine as Azure's Read service would."""

import argparse
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import ASGIApp
from typing_extensions import override

from local.read_service.reader import Reader, ReadPage
from local.read_service.script import Script, ScriptError
from local.read_service.scripted import scripted
from local.read_service.server import ReadService
from local.read_service.serving import Server, logged


def main() -> int:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="python -m local.read_service", description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="default 5000, the container's; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1: this machine only")
    parser.add_argument("--key", help="what the header Ocp-Apim-Subscription-Key must say; without it, anything")
    parser.add_argument("--script", type=Path, metavar="FILE", help="play a service by this script, without OCR")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # at once, whatever is being read
    try:
        app = (
            scripted(Script.load(arguments.script), _now, arguments.key)
            if arguments.script
            else _reading(arguments.key)
        )
    except (ScriptError, OSError) as error:
        print(f"Cannot play {arguments.script}: {error}", file=sys.stderr)
        return 2
    try:
        server = _AnnouncingServer(logged(app), arguments.host, arguments.port)
    except OSError as error:
        print(f"Cannot listen on {arguments.host}:{arguments.port}: {error.strerror}.", file=sys.stderr)
        return 2
    server.run()
    return 0


def _reading(key: str | None) -> ASGIApp:
    return ReadService(Reader(_load_engine, _now), key).app


def _now() -> datetime:
    return datetime.now(UTC)


class _AnnouncingServer(Server):
    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"Read stand-in listening on {self.url}", flush=True)


def _load_engine() -> ReadPage:
    from local.read_service.engine import Engine  # takes a second or two, which the port need not wait for

    return Engine().read_page


if __name__ == "__main__":
    sys.exit(main())

"""A tap on the wire to storage: it records every call, and can do something else right before one of them."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Call:
    """One call of a storage service, as it went over the wire."""

    service: str
    """``blob``, ``queue`` or ``table``."""
    method: str
    path: str
    """Decoded, below the account; a batch of the tables is ``$batch``."""

    def __str__(self) -> str:
        return f"{self.method} {self.service} {self.path}"


class StorageTap:
    """A proxy before a storage account on this machine that forwards every call.

    ``calls`` are the calls so far. ``intercept`` takes an action to do once, before the first matching call.
    """

    def __init__(self, connection_string: str) -> None:
        self.calls: list[Call] = []
        self.connection_string = connection_string
        self._interceptions: list[tuple[Callable[[Call], bool], Callable[[], object]]] = []
        self._servers: list[ThreadingHTTPServer] = []
        settings = dict(part.split("=", 1) for part in connection_string.rstrip(";").split(";"))
        for service in ("blob", "queue", "table"):
            there = settings[f"{service.capitalize()}Endpoint"]
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, service, urlsplit(there)))
            server.daemon_threads = True
            here = there.replace(urlsplit(there).netloc, f"127.0.0.1:{server.server_address[1]}")
            self.connection_string = self.connection_string.replace(there, here)
            self._servers.append(server)

    def intercept(self, fits: Callable[[Call], bool], action: Callable[[], object]) -> None:
        """Do this once, before the next matching call is forwarded."""
        self._interceptions.append((fits, action))

    def __enter__(self) -> Self:
        for server in self._servers:
            Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def saw(self, call: Call) -> None:
        """Record a call, and do what was requested before it."""
        self.calls.append(call)
        for interception in list(self._interceptions):
            fits, action = interception
            if fits(call):
                self._interceptions.remove(interception)
                action()


def _handler(tap: StorageTap, service: str, there: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.onward = http.client.HTTPConnection(there.hostname, there.port, timeout=30)

        def finish(self) -> None:
            super().finish()
            self.onward.close()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Tests print nothing."""

        def hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path.removeprefix(there.path)
            tap.saw(Call(service, self.command, unquote(path).lstrip("/")))
            self.onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                self.onward.putheader(name, value)
            self.onward.endheaders(body)
            answer = self.onward.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "keep-alive", "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            if answer.status != 204:
                self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_MERGE = do_PATCH = hand_on  # noqa: N815

    return Handler

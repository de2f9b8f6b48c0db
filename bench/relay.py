"""A relay before a server on this machine that counts the bytes in both directions."""

import socket
from collections.abc import Callable
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from typing import Self
from urllib.parse import urlsplit


class Relay:
    """Forwards each connection at ``url`` to the server of another URL. Both counts are from the client's side."""

    def __init__(self, there: str) -> None:
        parts = urlsplit(there)
        self.sent = self.received = 0
        self._there = (parts.hostname or "", parts.port or 80)
        self._lock = Lock()
        relay = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                relay._hand_on(self.request)

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = there.replace(parts.netloc, f"127.0.0.1:{self._server.server_address[1]}")

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _hand_on(self, client: socket.socket) -> None:
        with socket.create_connection(self._there) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = Thread(target=_pump, args=(server, client, self._count_received), daemon=True)
            answers.start()
            _pump(client, server, self._count_sent)
            answers.join()

    def _count_sent(self, size: int) -> None:
        with self._lock:
            self.sent += size

    def _count_received(self, size: int) -> None:
        with self._lock:
            self.received += size


def _pump(source: socket.socket, sink: socket.socket, count: Callable[[int], None]) -> None:
    """Copy until the source is closed, then close the sink's half."""
    with suppress(OSError):  # either end may be closed at any time
        while data := source.recv(64 * 1024):
            count(len(data))
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

"""Runs the application, in its own process or within a test."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol


class _Protocol(H11Protocol):
    """Gives the application access to its connection, so that it can break it."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        super().connection_made(transport)
        # asyncio does so only for sockets made with the protocol's number; else each answer waits 40 ms for its body
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


class Server(uvicorn.Server):
    """uvicorn on a port that is already bound, ended by signals like any process; there is nothing to clean up."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises OSError if the port is taken."""
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
            )
        )
        self._socket = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._socket.getsockname()[1]}"
        self.ready = threading.Event()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @override
    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets or [self._socket])


async def reset(scope: Scope, receive: Receive) -> None:
    """Break the connection, like a crashing host."""
    transport: asyncio.Transport = scope["state"]["transport"]
    linger = struct.pack("ii", 1, 0)  # close with a reset
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await _disconnected(receive)


async def truncate(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    """Send half of the answer's body, and close the connection."""
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    half = bytes(response.body)[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    scope["state"]["transport"].close()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve on a free port of this machine, in a thread, until the block ends; gives the address."""
    server = Server(app)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    server.ready.wait(10)
    try:
        yield server.url
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


def logged(app: ASGIApp) -> ASGIApp:
    """The application, with a line for each call: method, path as sent, and status; never its body or headers."""

    async def log(scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                with suppress(BrokenPipeError):  # the parent may have stopped reading
                    print(scope["method"], scope["raw_path"].decode("latin-1"), message["status"], flush=True)
            await send(message)

        await app(scope, receive, note)

    return log

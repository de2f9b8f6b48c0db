"""Runs the application: in a process of its own, or within a test."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override


class Server(uvicorn.Server):
    """uvicorn on a port that is already bound, ended by signals as any process is: nothing is left to tidy up."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises OSError where the port is taken."""
        super().__init__(
            uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none")
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
    """The application, with a line for each call: method, path and status; never what was sent."""

    async def log(scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                with suppress(BrokenPipeError):  # whoever started us may have stopped listening
                    print(scope["method"], scope["path"], message["status"], flush=True)
            await send(message)

        await app(scope, receive, note)

    return log

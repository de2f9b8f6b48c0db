"""The host's HTTP server, on 127.0.0.1: it takes requests apart, keeps the host's limits, and sends answers.

Sources: azure-functions-host, ScriptConstants.cs and HttpRequestBodySizeMiddleware.cs (100 MB),
HttpThrottleMiddleware.cs, HomepageMiddleware.cs, CustomHttpHeadersMiddleware.cs; ASP.NET Core, KestrelServerLimits
(request line 8 KB, headers 32 KB).
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.functions_emulator.host_json import HttpOptions
from local.functions_emulator.http_trigger import Request, Response
from local.functions_emulator.settings import HostError
from shared.loopback import is_loopback

LONGEST_REQUEST_LINE = 8 * 1024
LARGEST_HEADERS = 32 * 1024
HOMEPAGE = b"<!doctype html><title>Functions emulator</title><p>The function app is up and running."

Answer = Callable[[Request], Response]


class Server:
    """Serves from `start` to `close`. Raises HostError if the port is taken.

    `admin` answers below /admin, `functions` everything else. Both may be slow: they run in `threads`.
    """

    def __init__(self, port: int, options: HttpOptions, threads: ThreadPoolExecutor) -> None:
        self._options = options
        self._threads = threads
        self._admin: Answer = _not_found
        self._functions: Answer = _not_found
        self._outstanding = 0
        self._room = asyncio.Semaphore(options.max_concurrent_requests or 1_000_000)
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise HostError(f"Port {port} is taken: choose another with --port. ({error.strerror})") from error
        self._server = _Uvicorn(
            uvicorn.Config(
                self._serve,
                http=_Protocol,
                interface="asgi3",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=[[self._socket]], name="http", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        number: int = self._socket.getsockname()[1]
        return number

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, admin: Answer, functions: Answer) -> None:
        """Start answering requests: all listeners run."""
        self._admin, self._functions = admin, functions
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(3)
        self._socket.close()

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        request = Request(scope["method"], target, headers, b"")
        response = _refused(request)
        if response is None:
            body = await self._body(request, receive)
            if body is None:
                response = Response(413)
            else:
                response = await self._answer(Request(request.method, target, headers, body))
        await self._send(request, response, send)

    async def _body(self, request: Request, receive: Any) -> bytes | None:
        """The whole body, or None if it is larger than the host accepts."""
        limit = self._options.largest_body
        with suppress(ValueError):
            if int(request.header("content-length") or 0) > limit:
                return None
        parts, length = [], 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            length += len(part)
            if length > limit:
                return None
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)

    async def _answer(self, request: Request) -> Response:
        if (request.path + "/").lower().startswith("/admin/"):
            return await self._run(self._admin, request)
        if request.path == "/" and request.method in ("GET", "HEAD"):
            found = await self._run(self._functions, request)
            return Response(200, [("content-type", "text/html")], HOMEPAGE) if found.status == 404 else found
        if self._options.max_outstanding_requests and self._outstanding >= self._options.max_outstanding_requests:
            return Response(429, [("x-function-scaleout", "1")])
        self._outstanding += 1
        try:
            async with self._room:
                return await self._run(self._functions, request)
        finally:
            self._outstanding -= 1

    async def _run(self, answer: Answer, request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(self._threads, answer, request)

    async def _send(self, request: Request, response: Response, send: Any) -> None:
        given = dict(self._options.custom_headers)
        given = {name: value for name, value in given.items() if name not in dict(response.headers)}
        headers = [*response.headers, *given.items()]
        body = response.body
        if response.status in (204, 205, 304) or response.status < 200:
            body = b""  # Kestrel sends none
        elif request.method != "HEAD" or not any(name == "content-length" for name, _ in headers):
            headers = [(name, value) for name, value in headers if name != "content-length"]
            headers.append(("content-length", str(len(body))))
        headers = [(name, value) for name, value in headers if name != "transfer-encoding"]
        encoded = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        await send({"type": "http.response.start", "status": response.status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


def _not_found(_: Request) -> Response:
    return Response(404)


def _refused(request: Request) -> Response | None:
    """Refuse requests that are too long for Kestrel, and requests from pages of other sites.

    The second rule is this emulator's own, since its keys are public: a request for a host name that is not this
    machine's (DNS rebinding), or from a page of another origin, is refused whatever its key.
    """
    if len(request.method) + len(request.target) + len("  HTTP/1.1\r\n") > LONGEST_REQUEST_LINE:
        return Response(414)
    if sum(len(name) + len(value) + 4 for name, value in request.headers) > LARGEST_HEADERS:
        return Response(431)
    origin = request.header("origin")
    if not is_loopback(f"//{request.header('host') or '127.0.0.1'}") or (origin and not is_loopback(origin)):
        return Response(403, [("content-type", "text/plain")], b"Only pages and programs of this machine may ask this.")
    return None


class _Protocol(H11Protocol):
    """asyncio turns Nagle's algorithm off only for sockets made with the protocol's number; else each answer waits."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _Uvicorn(uvicorn.Server):
    """uvicorn in a thread: signals are the host's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

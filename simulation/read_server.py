"""A Read service on a real socket that plays a script, records requests, and does no OCR."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

SUBMIT = "/vision/v3.2/read/analyze"
RESULTS = "/vision/v3.2/read/analyzeResults/"


@dataclass(frozen=True)
class Request:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An answer. A lost one is not sent: the request is received, and the connection closed."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False
    closes: bool = False
    """Close the connection after the body, even if Content-Length announced more."""


LOST = Answer(0, lost=True)

Turn = Answer | None | Callable[[Request], Answer | None]
"""An entry of the script: an answer, or a function to call while Read works. None means the default answer."""


class ReadServer:
    """Accepts every file and reads it as UTF-8 text: line feeds separate lines, form feeds separate pages.

    ``posts`` and ``gets`` are its script: each request takes the first remaining entry of its kind. ``results`` are the
    answers for files that are not text, by their bytes.
    """

    def __init__(self) -> None:
        self.posts: deque[Turn] = deque()
        self.gets: deque[Turn] = deque()
        self.results: dict[bytes, Mapping[str, Any]] = {}
        self.requests: list[Request] = []
        self.connections = 0
        self._operations: dict[str, bytes] = {}
        self._lock = Lock()
        server = self

        class Handler(_Handler):
            def setup(self) -> None:
                server.connections += 1
                super().setup()

            def answer(self, request: Request) -> Answer:
                return server._answer(request)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """For READ_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def submitted(self) -> list[bytes]:
        """The bodies of all POSTs: each was, or may have been, paid."""
        return [request.body for request in self.requests if request.method == "POST"]

    @property
    def polls(self) -> int:
        """How many GETs there were."""
        return sum(request.method == "GET" for request in self.requests)

    def __enter__(self) -> Self:
        # The default half second between two checks for a shutdown would be added to every test.
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: Request) -> Answer:
        script = self.posts if request.method == "POST" else self.gets
        with self._lock:
            self.requests.append(request)
            turn = script.popleft() if script else None
        answer = turn(request) if callable(turn) else turn
        return answer or (self._accept(request) if request.method == "POST" else self._result(request))

    def _accept(self, request: Request) -> Answer:
        with self._lock:
            operation = f"operation-{len(self._operations) + 1}"
            self._operations[operation] = request.body
        return accepted(operation)

    def _result(self, request: Request) -> Answer:
        body = self._operations.get(request.path.removeprefix(RESULTS))
        if body is None:
            return NO_SUCH_OPERATION
        known = self.results.get(body)
        return as_json(200, known) if known else succeeded(body.decode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Tests print nothing."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.answer(Request(self.command, self.path, dict(self.headers), body))
        if answer.lost:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = self.close_connection or answer.closes

    do_POST = do_DELETE = do_GET  # noqa: N815


def accepted(operation: str, **headers: str) -> Answer:
    """202, with an Operation-Location on the host name that Read thinks it has."""
    return Answer(202, headers={"Operation-Location": f"http://read.internal{RESULTS}{operation}", **headers})


def as_json(status: int, body: Mapping[str, Any], **headers: str) -> Answer:
    """An answer in JSON; header names with ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


RUNNING = as_json(200, {"status": "running", "createdDateTime": "2026-11-22T10:00:00Z"})
FAILED = as_json(
    200, {"status": "failed", "analyzeResult": {"errors": [{"code": "InvalidImage", "message": "Broken."}]}}
)
THROTTLED = as_json(429, {"error": {"code": "429", "message": "Too many. Please retry after 26 seconds."}})
NO_SUCH_OPERATION = as_json(404, {"error": {"code": "BadArgument", "message": "Operation ID is invalid."}})


def succeeded(text: str) -> Answer:
    """A finished operation: the result of a v3.2 that read this text."""
    return as_json(200, result(text.split("\f")))


def result(pages: Iterable[str]) -> dict[str, Any]:
    """A succeeded v3.2 answer with these pages; line feeds separate their lines."""
    return result_of(
        {
            "page": number,
            "angle": 0,
            "width": 1000,
            "height": 1000,
            "unit": "pixel",
            "lines": [_line(line) for line in page.split("\n") if line],
        }
        for number, page in enumerate(pages, start=1)
    )


def result_of(pages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A succeeded v3.2 answer with these pages, as its ``readResults`` have them."""
    about = {"version": "3.2.0", "modelVersion": "2022-04-30", "readResults": list(pages)}
    return {"status": "succeeded", "analyzeResult": about}


def _line(text: str) -> dict[str, Any]:
    box = [10, 10, 90, 10, 90, 20, 10, 20]
    words = [{"text": word, "boundingBox": box, "confidence": 0.9} for word in text.split()]
    return {"text": text, "boundingBox": box, "words": words}

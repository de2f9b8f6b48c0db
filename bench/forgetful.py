"""A proxy before Azurite's tables that lets only the lines of a document's first pages through.

Azurite's own time for a batch grows with the rows that are there: on a busy machine, a bare loop of batches of 100 took
0.1 s each at first, and 0.5 s each at 20,000 rows. The 100,000 lines of 2,000 pages would take it far longer than
all else that is measured. A batch of later pages is answered as Azurite answered the last batch of as many rows.
"""

import http.client
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import urlsplit

_FIRST_LINE = re.compile(rb"RowKey='(\d{5})-\d{5}'")
_OPERATION = b" HTTP/1.1\r\n"


class Forgetful:
    """``connection_string`` is of the same account, with these tables. Batches beyond ``pages`` are ``forgotten``."""

    def __init__(self, connection_string: str, pages: int) -> None:
        (there,) = re.findall(r"TableEndpoint=([^;]+)", connection_string)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, urlsplit(there).netloc))
        self._server.daemon_threads = True
        here = there.replace(urlsplit(there).netloc, f"127.0.0.1:{self._server.server_address[1]}")
        self.connection_string = connection_string.replace(there, here)
        self.pages = pages
        self.forgotten = 0

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def takes(self, body: bytes) -> bool:
        """Whether a batch is passed on to Azurite."""
        first = _FIRST_LINE.search(body)
        return first is None or int(first[1]) <= self.pages


def _handler(tables: Forgetful, there: str) -> type[BaseHTTPRequestHandler]:
    answers: dict[int, tuple[int, list[tuple[str, str]], bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Nothing is logged."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            operations = body.count(_OPERATION) if self.path.endswith("$batch") else 0
            if operations in answers and not tables.takes(body):
                tables.forgotten += 1
                self.send(*answers[operations])
                return
            onward = http.client.HTTPConnection(there, timeout=60)  # Azurite closes one that is idle for five seconds
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                onward.putheader(name, value)
            onward.endheaders(body)
            response = onward.getresponse()
            answered = response.status, response.getheaders(), response.read()
            onward.close()
            if operations and _FIRST_LINE.search(body):
                answers[operations] = answered
            self.send(*answered)

        def send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "connection", "keep-alive", "content-length"):
                    self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_MERGE = do_PATCH = answer  # noqa: N815

    return Handler

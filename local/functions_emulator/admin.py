"""The admin endpoint: run a function by hand, ask whether the host runs. On 127.0.0.1 only, without a key."""

import json
import os
import re
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.functions_emulator.console import log
from local.functions_emulator.settings import HostError

LARGEST_BODY = 1 << 20


class Rejected(Exception):
    """A call that cannot be carried out: its HTTP status, and a sentence for its maker."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


Call = Callable[[Any], None]
"""Starts a function with the `input` of the request. Raises Rejected."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # on Windows, two processes could then share the port


class AdminServer:
    """GET /admin/host/status, and POST /admin/functions/NAME with `{"input": …}` as JSON, which answers 202.

    Raises HostError if the port is taken.
    """

    def __init__(self, port: int, host_id: str, calls: Mapping[str, Call]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/admin/host/status":
                    return self._answer(HTTPStatus.NOT_FOUND, {"error": "There is only /admin/host/status."})
                return self._answer(HTTPStatus.OK, {"id": host_id, "state": "Running"})

            def do_POST(self) -> None:
                try:
                    _find(self.path, calls)(_input(self))
                except Rejected as refused:
                    return self._answer(refused.status, {"error": str(refused)})
                except Exception as error:  # noqa: BLE001 - a request is answered, whatever storage says
                    log.exception("A call of the admin endpoint failed.")
                    return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": type(error).__name__})
                return self._answer(HTTPStatus.ACCEPTED, None)

            def _answer(self, status: HTTPStatus, body: object) -> None:
                payload = json.dumps(body).encode() if body is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
                log.debug("Admin endpoint: " + format, *arguments)

        try:
            self._server = _Server(("127.0.0.1", port), Handler)
        except OSError as error:
            raise HostError(f"Port {port} is taken: choose another with --port. ({error.strerror})") from error

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def start(self) -> None:
        """Answer requests: all listeners run."""
        threading.Thread(target=self._server.serve_forever, name="admin endpoint", daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _find(path: str, calls: Mapping[str, Call]) -> Call:
    match = re.fullmatch(r"/admin/functions/([^/?]+)", path)
    # Function names are compared without regard to case, as the host compares them.
    for name, call in calls.items():
        if match and name.lower() == match[1].lower():
            return call
    raise Rejected(HTTPStatus.NOT_FOUND, "This host runs no such function.")


def _input(request: BaseHTTPRequestHandler) -> Any:
    # A web page cannot send this type without asking first, so none can call functions here.
    if request.headers.get_content_type() != "application/json":
        raise Rejected(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json.")
    try:
        length = int(request.headers["Content-Length"])
        if length > LARGEST_BODY:
            raise Rejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
        body = json.loads(request.rfile.read(length))
        return body["input"]
    except (ValueError, TypeError, KeyError):
        raise Rejected(HTTPStatus.BAD_REQUEST, 'Send {"input": …} as JSON.') from None

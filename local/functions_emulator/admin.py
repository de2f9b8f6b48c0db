"""The admin endpoints: run a function by hand, and ask for the host's state and functions.

Sources: azure-functions-host, HostController.cs, FunctionsController.cs. They need no key, like those of Core Tools.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from local.functions_emulator.console import log
from local.functions_emulator.http_trigger import Request, Response

LARGEST_BODY = 1 << 20


class Rejected(Exception):
    """A call that cannot be carried out: its HTTP status, and a sentence for the caller."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


Call = Callable[[Any], None]
"""Starts a function with the `input` of the request. Raises Rejected."""


class Admin:
    """Answers requests whose path begins with ``/admin``.

    ``functions`` describes each function of the app, and ``calls`` runs each by hand.
    """

    def __init__(self, host_id: str, functions: Mapping[str, Mapping[str, Any]], calls: Mapping[str, Call]) -> None:
        self._host_id = host_id
        self._functions = functions
        self._calls = calls

    def answer(self, request: Request) -> Response:
        """Answer one request, even if storage fails."""
        try:
            status, body = self._answer(request)
        except Rejected as refused:
            status, body = refused.status, {"error": str(refused)}
        except Exception as error:  # noqa: BLE001 - a request is answered, whatever storage says
            log.exception("A call of the admin endpoint failed.")
            status, body = HTTPStatus.INTERNAL_SERVER_ERROR, {"error": type(error).__name__}
        payload = json.dumps(body).encode() if body is not None else b""
        return Response(status, [("content-type", "application/json")] if payload else [], payload)

    def _answer(self, request: Request) -> tuple[HTTPStatus, Any]:
        parts = request.path.strip("/").split("/")[1:]
        match request.method, parts:
            case "GET", ["host", "status"]:
                return HTTPStatus.OK, {"id": self._host_id, "state": "Running"}
            case "GET" | "POST", ["host", "ping"]:
                return HTTPStatus.OK, None
            case "GET", ["functions"]:
                return HTTPStatus.OK, list(self._functions.values())
            case "GET", ["functions", name]:
                return HTTPStatus.OK, _find(name, self._functions)
            case "GET", ["functions", name, "status"]:
                _find(name, self._functions)
                return HTTPStatus.OK, {}
            case "POST", ["functions", name] if name:
                call = _find(name, self._calls)
                call(_input(request))
                return HTTPStatus.ACCEPTED, None
        raise Rejected(HTTPStatus.NOT_FOUND, "This emulator does not have this endpoint.")


def _find(wanted: str, known: Mapping[str, Any]) -> Any:
    # Case is ignored in names of functions, as in the host.
    for name, value in known.items():
        if name.lower() == wanted.lower():
            return value
    raise Rejected(HTTPStatus.NOT_FOUND, "This host runs no such function.")


def _input(request: Request) -> Any:
    # A web page cannot send this type without asking first, so none can call functions here.
    if (request.header("content-type") or "").partition(";")[0].strip().lower() != "application/json":
        raise Rejected(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json.")
    if len(request.body) > LARGEST_BODY:
        raise Rejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    try:
        return json.loads(request.body)["input"]
    except (ValueError, TypeError, KeyError):
        raise Rejected(HTTPStatus.BAD_REQUEST, 'Send {"input": …} as JSON.') from None

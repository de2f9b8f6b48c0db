"""The HTTP trigger: a request becomes an invocation, and what the function returns becomes the response.

Sources: azure-functions-host, GrpcMessageConversionExtensions.cs (ToRpcHttp), FunctionInvocationMiddleware.cs,
AuthenticationLevelHandler.cs, ExceptionMiddleware.cs, RawScriptResult.cs.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from azure.functions import meta
from azure.functions.meta import Datum

from local.functions_emulator.index import Function, HttpTrigger
from local.functions_emulator.invoke import PROGRAMMATICALLY, Input, Invoker
from local.functions_emulator.keys import FUNCTION_KEY, MASTER_KEY
from local.functions_emulator.routes import Route, decoded, find, route


@dataclass(frozen=True)
class Request:
    """A request as received. ``target`` is path and query, still percent-encoded; headers are in lower case."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The values of each name, joined by commas, as .NET's StringValues are."""
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True, errors="replace")
        return _joined(pairs)

    def header(self, name: str) -> str | None:
        """A header, by its name in lower case."""
        return dict(reversed(self.headers)).get(name)


@dataclass(frozen=True)
class Response:
    """The response."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


class HttpFunctions:
    """The HTTP functions of an app, by route. Raises HostError for a route that the host would refuse."""

    def __init__(self, functions: Iterable[Function], prefix: str, invoker: Invoker) -> None:
        self._invoker = invoker
        self._functions: dict[str, tuple[Function, HttpTrigger]] = {}
        self.routes: dict[str, Route] = {}
        for function in functions:
            if isinstance(trigger := function.trigger, HttpTrigger):
                self._functions[function.name] = (function, trigger)
                self.routes[function.name] = route(prefix, trigger.route, function.name, trigger.methods)

    def answer(self, request: Request) -> Response:
        """Run the function whose route matches. Returns 404 if none does, 401 without the key that it needs.

        If the function raises, the answer is 500 without a body; only the host prints the traceback.
        """
        found = find(self.routes, request.method, decoded(request.path))
        if found is None:
            return Response(404)
        function, trigger = self._functions[found[0]]
        if not allowed(trigger.auth_level, given_key(request)):
            return Response(401)
        made: list[Response] = []
        ran = self._invoker.invoke(
            function,
            PROGRAMMATICALLY,
            lambda: http_input(request, found[1]),
            take=lambda value: made.append(response(value)),
        )
        return made[0] if ran else Response(500)


def given_key(request: Request) -> str:
    """The key that a request carries, if any; the header takes precedence over the query."""
    key = request.header("x-functions-key")
    if key is None:
        pairs = parse_qsl(request.target.partition("?")[2], keep_blank_values=True, errors="replace")
        key = next((value for name, value in pairs if name.lower() == "code"), None)
    return key or ""


def allowed(level: str, key: str) -> bool:
    """Whether this key opens a function of this level: anonymous, function or admin. The master key opens all."""

    def is_key(known: str) -> bool:
        return hmac.compare_digest(key.encode(), known.encode())

    return level == "anonymous" or is_key(MASTER_KEY) or (level == "function" and is_key(FUNCTION_KEY))


def http_input(request: Request, parameters: Mapping[str, str]) -> Input:
    """The request as the worker gets it.

    Empty values of the query are left out, and so is a body without a Content-Length, the only thing the host checks.
    """
    host = request.header("host") or ""
    body = request.body if request.header("content-length") else b""
    value = {
        "method": Datum(request.method, "string"),
        "url": Datum(f"http://{host}{request.target}", "string"),
        "headers": _strings(_joined(request.headers)),
        "params": _strings(parameters),
        "query": _strings({name: value for name, value in request.query.items() if value}),
        "body": Datum(body, "bytes"),
    }
    return Input(Datum(value, "http"), {})


def response(value: Any) -> Response:
    """What the function returned, encoded by `azure-functions`. Raises TypeError for what it cannot encode."""
    converter: Any = meta.get_binding_registry().get("http")  # type: ignore[no-untyped-call]  # theirs
    try:
        datum = converter.encode(value, expected_type=None)
    except NotImplementedError:
        kind = type(value).__name__
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "{kind}" for the http binding'
        ) from None
    if datum.type == "string":
        return Response(200, [("content-type", "text/plain; charset=utf-8")], datum.value.encode())
    headers = [(name.lower(), header.value) for name, header in datum.value["headers"].items()]
    headers += [("set-cookie", morsel.OutputString()) for morsel in _morsels(datum.value["cookies"])]
    return Response(int(datum.value["status_code"].value), headers, bytes(datum.value["body"].value))


def _morsels(cookies: Iterable[SimpleCookie] | None) -> Iterable[Any]:
    for cookie in cookies or ():
        yield from cookie.values()


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value for each name. .NET ignores case in names of headers and of the query."""
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return {name: ",".join(several) for name, several in values.items()}


def _strings(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}

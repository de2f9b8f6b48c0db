"""Turns one request into one response: checks the caller, parses the request, answers it or says 304."""

import json
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from web import operations, protection
from web.caching import etag_of, matches
from web.message import Request, Response
from web.operations import Operation
from web.problem import MEDIA_TYPE, Problem
from web.routes import Route
from web.schema import InvalidValue, from_body, from_query, to_json

if TYPE_CHECKING:
    from shared.settings import Settings
    from web.context import Context

MOST_BODY = 256 * 1024
"""The largest JSON body, in bytes. Nearly every request for a hundred names fits."""

_CLOSED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def serve(
    route: Route,
    request: Request,
    settings: "Settings",
    environ: Mapping[str, str],
    context: "Callable[[], Context]",
) -> Response:
    """Answer a request. Raises nothing: errors are answered as problems, and logged without any document's text."""
    try:
        if route.is_open:
            return _open(route, request, settings)
        protection.check(request, environ)
        return _data(route, request, context)
    except Problem as problem:
        return _refusal(problem)
    except Exception as error:  # noqa: BLE001 - the host would answer with an empty 500
        return _refusal(_problem_of(route, error))


def _open(route: Route, request: Request, settings: "Settings") -> Response:
    if route.name == "openapi":
        from web.openapi import document

        body = _dumps(document())
        headers = {**_CLOSED, "ETag": etag_of(body), "Cache-Control": "no-cache"}
        if matches(request, headers["ETag"]):
            return Response(status=304, headers=headers)
        return Response(headers=headers, body=body)
    from web.site import site_file, storage_origin

    return site_file(request, storage_origin(settings.storage))


def _data(route: Route, request: Request, context: "Callable[[], Context]") -> Response:
    from web import handlers

    operation = operations.OPERATIONS[route.name]
    asked = _asked(operation, request)
    answer = getattr(handlers, route.name)(context(), asked, request)
    if isinstance(answer, Response):
        return Response(
            status=answer.status,
            headers={**_CLOSED, "Cache-Control": "private, no-cache", **answer.headers},
            body=answer.body,
            media_type=answer.media_type,
        )
    body = _dumps(to_json(answer))
    if not operation.caches:
        return Response(status=operation.status, headers={**_CLOSED, "Cache-Control": "no-store"}, body=body)
    headers = {**_CLOSED, "ETag": etag_of(body), "Cache-Control": "private, no-cache"}
    if matches(request, headers["ETag"]):
        return Response(status=304, headers=headers)
    return Response(status=operation.status, headers=headers, body=body)


def _asked(operation: Operation, request: Request) -> Any:
    """The request's parameters, from its query or its body. Raises Problem."""
    if operation.request is None:
        return None
    try:
        if request.method != "POST":
            return from_query(operation.request, request.query)
        return from_body(operation.request, _body(request))
    except InvalidValue as error:
        raise Problem("InvalidParameter", str(error)) from None


def _body(request: Request) -> Mapping[str, Any]:
    # A form on another site can send other types without a CORS preflight, but not this one.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem("UnsupportedMediaType", "The Content-Type is not application/json.")
    if len(request.body) > MOST_BODY:
        raise Problem("BodyTooLarge", f"The body has {len(request.body):,} bytes; at most {MOST_BODY:,} are allowed.")
    try:
        body = json.loads(request.body.decode())
    except (ValueError, RecursionError):
        raise Problem("InvalidBody", "The body is not JSON in UTF-8.") from None
    if not isinstance(body, dict):
        raise Problem("InvalidBody", "The body is JSON, but not an object.")
    return body


def _problem_of(route: Route, error: Exception) -> Problem:
    from azure.core.exceptions import AzureError, HttpResponseError

    from shared import log

    if isinstance(error, HttpResponseError) and error.status_code == 400:
        return Problem("InvalidParameter", "Storage does not accept this name.")
    if isinstance(error, AzureError):
        log.trouble(f"HTTP: storage did not answer {route.path}.", code=type(error).__name__)
        return Problem(
            "StorageUnavailable", f"Storage did not answer ({type(error).__name__}).", headers={"Retry-After": "5"}
        )
    # The error's text may contain a document's text; its location does not.
    last = traceback.extract_tb(error.__traceback__)[-1]
    log.trouble(f"HTTP: {route.path} failed at {Path(last.filename).name}:{last.lineno}.", code=type(error).__name__)
    return Problem("InternalError", "The app failed; the request is not the cause.")


def _refusal(problem: Problem) -> Response:
    headers = {**_CLOSED, "Cache-Control": "no-store", "x-ms-error-code": problem.code, **problem.headers}
    return Response(status=problem.status, headers=headers, body=_dumps(to_json(problem.body)), media_type=MEDIA_TYPE)


def _dumps(value: Any) -> bytes:
    # A name in somebody's table may have half of a surrogate pair, which UTF-8 cannot encode.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

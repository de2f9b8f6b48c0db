"""The OpenAPI 3.1 document, made from the operations and their types."""

from functools import cache
from http import HTTPStatus

from web import problem
from web.operations import COMMON_PROBLEMS, OPERATIONS, Operation
from web.problem import ProblemBody
from web.routes import PREFIX, ROUTES, Route
from web.schema import Json, properties_of, reference, schemas_of

_ETAG = {
    "description": "The version of this answer. Send it as If-None-Match, and you get 304 until something changes.",
    "schema": {"type": "string"},
}
_CODE = {"description": "The problem's code.", "schema": {"type": "string"}}


@cache
def document() -> Json:
    """The whole document."""
    routes = [route for route in ROUTES if not route.is_open]
    answers = [operation.answer for operation in OPERATIONS.values() if operation.answer]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "blob-ocr",
            "version": "1",
            "summary": "Files that were dropped, and the text that Read found in them.",
            "description": "Routes that read take their parameters in the query of a GET or in the JSON body of a POST;"
            " use POST if a name is too long for a URL. In a query, write a plus sign as %2B. Times are UTC. In Azure,"
            " send a function key, or sign in if App Service authentication is turned on.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": PREFIX}],
        "security": [{"key": []}, {"signIn": []}],
        "paths": {f"/{route.path}": _path(route, OPERATIONS[route.name]) for route in routes},
        "components": {
            "schemas": {**schemas_of(*answers, ProblemBody), **_request_schemas()},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "signIn": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "AppServiceAuthSession",
                    "description": "App Service authentication (Microsoft Entra ID), if it is turned on.",
                },
            },
        },
    }


def _request_schemas() -> dict[str, Json]:
    requests = {operation.request for operation in OPERATIONS.values() if operation.request}
    found = schemas_of(*sorted(requests, key=lambda kind: kind.__name__))
    for kind in requests:
        schema = found[kind.__name__]
        schema["required"] = [name for name, (_, needed) in properties_of(kind).items() if needed]
        schema["additionalProperties"] = False
        if not schema["required"]:
            del schema["required"]
    return found


def _path(route: Route, operation: Operation) -> Json:
    return {method.lower(): _operation(route, operation, method) for method in route.methods}


def _operation(route: Route, operation: Operation, method: str) -> Json:
    by_body = method == "POST"
    # A route with two methods is two operations, and each needs its own name.
    name = route.name if len(route.methods) == 1 or not by_body else f"{route.name}_by_body"
    described: Json = {
        "operationId": name,
        "summary": operation.summary,
        "description": operation.description,
        "responses": _responses(operation),
    }
    if operation.request and not by_body:
        described["responses"]["414"] = {"description": "The URL is too long for the host. Send a POST with a body."}
    if operation.request and by_body:
        described["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {"schema": reference(operation.request), "example": operation.example.request}
            },
        }
    elif operation.request:
        described["parameters"] = [
            _parameter(name, schema, needed, operation.example.request)
            for name, (schema, needed) in properties_of(operation.request).items()
            if schema.get("type") != ["array", "null"]  # a list goes into a body
        ]
    return described


def _parameter(name: str, schema: Json, needed: bool, example: Json) -> Json:
    schema = dict(schema)
    described = {"name": name, "in": "query", "description": schema.pop("description"), "required": needed}
    if isinstance(schema.get("type"), list):  # null in JSON means absent in a query
        schema["type"] = schema["type"][0]
        if "enum" in schema:
            schema["enum"] = [each for each in schema["enum"] if each is not None]
    described["schema"] = schema
    if name in example:
        described["example"] = example[name]
    return described


def _responses(operation: Operation) -> Json:
    success: Json = {"description": HTTPStatus(operation.status).phrase}
    headers = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in operation.headers.items()
    }  # fmt: skip
    if operation.caches:
        headers["ETag"] = _ETAG
    if headers:
        success["headers"] = headers
    if operation.answer:
        success["content"] = {
            "application/json": {"schema": reference(operation.answer), "example": operation.example.answer}
        }
    elif operation.media_types:
        success["content"] = {media_type: {} for media_type in operation.media_types}
    responses = {str(operation.status): success}
    if operation.caches:
        responses["304"] = {"description": "Nothing has changed.", "headers": {"ETag": _ETAG}}
    codes: dict[int, list[str]] = {}
    for code in (*operation.problems, *COMMON_PROBLEMS):
        codes.setdefault(problem.STATUS[code], []).append(code)
    for status, names in sorted(codes.items()):
        responses[str(status)] = {
            "description": ", ".join(names),
            "headers": {"x-ms-error-code": _CODE},
            "content": {problem.MEDIA_TYPE: {"schema": reference(ProblemBody)}},
        }
    return responses

"""The reference in docs/http.md, generated from the OpenAPI document. To regenerate it:

python -m tests.support.http_reference
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from web.openapi import document
from web.operations import COMMON_PROBLEMS, OPERATIONS
from web.problem import ADVICE, STATUS
from web.routes import PREFIX, ROUTES
from web.schema import to_json

DOCS = Path(__file__).resolve().parents[2] / "docs" / "http.md"
MARK = "<!-- The rest of this file is generated from the OpenAPI document; see tests/support/http_reference.py. -->"


def reference() -> str:
    """All routes, shapes and codes, as Markdown."""
    return "\n".join([*_routes(), *_shapes(), *_codes()])


def _routes() -> Iterator[str]:
    yield "## Routes\n"
    schemas = document()["components"]["schemas"]
    for route in ROUTES:
        if route.is_open:
            continue
        operation = OPERATIONS[route.name]
        yield f"### {', '.join(route.methods)} {PREFIX}/{route.path}\n"
        yield f"{operation.summary}. {operation.description}\n"
        if operation.request:
            yield "| parameter | | meaning |\n|---|---|---|"
            schema = schemas[operation.request.__name__]
            for name, form in schema["properties"].items():
                needed = "required" if name in schema.get("required", ()) else _default(form)
                yield f"| `{name}` | {needed} | {form['description']} |"
            yield ""
        yield f"Answer: {_answer(operation)}"
        codes = [*operation.problems]
        if codes:
            yield "\nProblems: " + ", ".join(f"`{code}`" for code in codes) + ", and those of every route."
        yield "\n```http"
        yield from _example(route.methods[0], route.path, operation)
        yield "```\n"


def _default(form: dict[str, Any]) -> str:
    return f"default {json.dumps(form['default'])}" if form.get("default") not in (None, "") else ""


def _answer(operation: Any) -> str:
    if operation.answer:
        what = f"{operation.status}, [{operation.answer.__name__}](#{operation.answer.__name__.lower()})"
    elif operation.media_types:
        what = f"{operation.status}, `{'` or `'.join(operation.media_types)}`"
    else:
        what = f"{operation.status}, without a body"
    headers = "".join(f" `{name}`: {text[0].lower()}{text[1:]}" for name, text in operation.headers.items())
    return f"{what}.{headers}{' Has an `ETag`; answers 304 to a caller who sends it.' if operation.caches else ''}"


def _example(method: str, path: str, operation: Any) -> Iterator[str]:
    request = operation.example.request
    if method == "GET":
        from urllib.parse import quote, urlencode

        query = urlencode(request, quote_via=quote, safe="/")
        yield f"GET {PREFIX}/{path}{f'?{query}' if query else ''}"
    else:
        yield f"POST {PREFIX}/{path}"
        yield f"Content-Type: application/json\n\n{json.dumps(request, ensure_ascii=False)}"
    if operation.example.answer is not None:
        yield f"\n{json.dumps(to_json(operation.example.answer), indent=2, ensure_ascii=False)}"


def _shapes() -> Iterator[str]:
    yield "## Shapes\n\nEvery answer has all its members; unknown values are null.\n"
    requests = {operation.request.__name__ for operation in OPERATIONS.values() if operation.request}
    for name, schema in document()["components"]["schemas"].items():
        if name in requests:
            continue
        yield f"### {name}\n\n{schema['description']}\n"
        yield "| member | type | meaning |\n|---|---|---|"
        for member, form in schema["properties"].items():
            yield f"| `{member}` | {_type(form)} | {form.get('description', '')} |"
        yield ""


def _type(form: dict[str, Any]) -> str:
    if "$ref" in form:
        name = form["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in form:
        return " or ".join(_type(each) for each in form["anyOf"])
    kind = form["type"]
    names = kind if isinstance(kind, list) else [kind]
    types = []
    for name in names:
        if name == "array":
            types.append(f"list of {_type(form['items'])}")
        elif name == "string" and form.get("format") == "date-time":
            types.append("time")
        else:
            types.append(name)
    return " or ".join(types)


def _codes() -> Iterator[str]:
    yield "## Problem codes\n"
    everywhere = ", ".join(f"`{code}`" for code in COMMON_PROBLEMS)
    yield f"Any data route can answer with {everywhere}.\n"
    yield "| code | status | advice |\n|---|---|---|"
    for code, status in STATUS.items():
        yield f"| `{code}` | {status} | {ADVICE[code]} |"
    yield ""


def written() -> str:
    """All of docs/http.md, with its reference regenerated."""
    before, _, _ = DOCS.read_text(encoding="utf-8").partition(MARK)
    return f"{before}{MARK}\n\n{reference()}"


if __name__ == "__main__":
    DOCS.write_text(written(), encoding="utf-8")

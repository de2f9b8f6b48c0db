"""The fake interface behind the page's tests answers like the real one: each answer fits the OpenAPI document."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from tests.web.fake_api import FakeApi, library
from web.openapi import document

NAME = "invoices/2026/harbour.png"
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("documents", {"limit": 3}),
    ("documents", {"names": [NAME, "broken.pdf", "later.pdf", "nowhere.png"]}),
    ("counts", {}),
    ("document", {"name": NAME}),
    ("document", {"name": "broken.pdf"}),
    ("document", {"name": "nowhere.png"}),
    ("lines", {"name": NAME, "limit": 2}),
    ("page", {"name": NAME, "page": 1}),
    ("page", {"name": "broken.pdf", "page": 1}),
    ("page-image", {"name": NAME, "page": 1, "width": 64}),
    ("page-image", {"name": "arabic.pdf", "page": 1, "width": 64}),
    ("links", {"name": NAME}),
    ("links", {"name": "broken.pdf"}),
    ("uploads", {"name": "a.png", "metadata": {"language": "en"}}),
    ("read-again", {"name": "crashed.pdf"}),
    ("forget", {"name": "notes.docx", "keepFile": False}),
    ("check", {}),
]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeApi]:
    with FakeApi(library(many=0)) as fake:
        yield fake


@pytest.mark.parametrize(("route", "parameters"), ASKED, ids=lambda value: str(value)[:50])
def test_each_answer_of_the_fake_interface_fits_the_openapi_document(
    fake: FakeApi, route: str, parameters: dict[str, Any]
) -> None:
    methods = document()["paths"][f"/{route}"]
    if "post" in methods:
        answer = requests.post(f"{fake.url}{route}", json=parameters, timeout=30)
    else:
        answer = requests.get(f"{fake.url}{route}", timeout=30)
    responses = methods["post" if "post" in methods else "get"]["responses"]
    assert str(answer.status_code) in responses
    described = responses[str(answer.status_code)]
    assert {name for name in described.get("headers", {}) if name != "ETag" and name not in answer.headers} == set()
    content = described.get("content")
    if content is None:
        assert answer.content == b""
        return
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in content
    if "schema" in content[kind]:
        schema = {**content[kind]["schema"], "components": document()["components"]}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(answer.content))]
        assert errors == []

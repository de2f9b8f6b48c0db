"""The OpenAPI document is complete and valid, and matches the routes."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from shared.document import Status
from shared.entries import TROUBLE
from tests.support.http_reference import DOCS, written
from web import handlers, problem
from web.openapi import document
from web.operations import OPERATIONS
from web.routes import PREFIX, ROUTES
from web.shapes import ByStatus, ShownStatus

OPERATIONS_OF = [
    (path, method, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
]  # fmt: skip


def _resolved(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document()["components"]})


def test_every_data_route_is_described_with_its_methods_and_has_a_handler() -> None:
    described = {path: set(methods) for path, methods in document()["paths"].items()}
    assert described == {
        f"/{route.path}": {method.lower() for method in route.methods} for route in ROUTES if not route.is_open
    }
    assert set(OPERATIONS) == {route.name for route in ROUTES if not route.is_open}
    assert all(callable(getattr(handlers, name)) for name in OPERATIONS)
    assert document()["servers"] == [{"url": PREFIX}]


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    schemas = document()["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            return (
                [value["$ref"]] if "$ref" in value else [each for part in value.values() for each in references(part)]
            )
        return [each for part in value for each in references(part)] if isinstance(value, list) else []

    assert {each.rpartition("/")[2] for each in references(document())} <= set(schemas)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS_OF)
def test_every_example_fits_its_schema(path: str, method: str, operation: dict[str, Any]) -> None:
    del path, method
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            _resolved(parameter["schema"]).validate(parameter["example"])
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for described in (*bodies, *operation["responses"].values()):
        for media in described.get("content", {}).values():
            if "example" in media:
                _resolved(media["schema"]).validate(media["example"])


def test_operation_ids_are_unique() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS_OF]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS_OF)
def test_every_error_response_is_a_problem_with_a_code(path: str, method: str, operation: dict[str, Any]) -> None:
    del path, method
    for status, response in operation["responses"].items():
        if int(status) >= 400 and status != "414":  # the Functions host answers that
            codes = response["description"].split(", ")
            assert {problem.STATUS[code] for code in codes} == {int(status)}
            assert list(response["content"]) == ["application/problem+json"]


def test_every_code_of_an_operation_is_known_and_every_code_has_advice() -> None:
    used = {code for operation in OPERATIONS.values() for code in operation.problems}
    assert used <= set(problem.STATUS)
    assert all(problem.ADVICE[code].endswith(".") for code in problem.STATUS)


def test_the_statuses_are_those_of_documents_plus_trouble() -> None:
    assert [str(each) for each in ShownStatus] == [*map(str, Status), TROUBLE]
    assert list(ByStatus.__dataclass_fields__) == [*map(str, Status), TROUBLE]


def test_the_reference_in_the_docs_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == written(), "run: python -m tests.support.http_reference"

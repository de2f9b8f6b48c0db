"""One declaration gives the parsing of a request, the JSON of an answer, and the schema of both."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from web import shapes
from web.schema import Field, InvalidValue, camel, from_body, from_query, schemas_of, to_json


@dataclass(frozen=True, kw_only=True)
class Asked:
    """All kinds of parameters."""

    name: Annotated[str, Field("A name.", minLength=1, maxLength=3)]
    page_number: Annotated[int, Field("A number.", minimum=1, maximum=10)] = 1
    keep_file: Annotated[bool, Field("Yes or no.")] = False
    status: Annotated[shapes.ShownStatus | None, Field("One of some.")] = None
    names: Annotated[list[str] | None, Field("Some.", maxItems=2)] = None
    metadata: Annotated[dict[str, str], Field("Pairs.")] = field(default_factory=dict)


def test_a_query_is_parsed_by_the_types_of_its_fields() -> None:
    asked = from_query(Asked, {"name": "a+b", "pageNumber": "7", "keepFile": "true", "status": "failed", "code": "key"})
    assert asked == Asked(name="a+b", page_number=7, keep_file=True, status=shapes.ShownStatus.FAILED)


def test_a_body_is_parsed_by_the_types_of_its_fields() -> None:
    body = {"name": "a", "pageNumber": 7.0, "keepFile": True, "names": ["b"], "metadata": {"c": "d"}, "status": None}
    assert from_body(Asked, body) == Asked(name="a", page_number=7, keep_file=True, names=["b"], metadata={"c": "d"})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'name' is missing"),
        ({"name": None}, "'name' is missing"),
        ({"name": ""}, "1 to 3 characters"),
        ({"name": "abcd"}, "1 to 3 characters"),
        ({"name": 1}, "must be a string"),
        ({"name": "\ud800"}, "surrogate"),
        ({"name": "a", "pageNumber": 0}, "1 to 10"),
        ({"name": "a", "pageNumber": "1"}, "must be a whole number"),
        ({"name": "a", "pageNumber": True}, "must be a whole number"),
        ({"name": "a", "pageNumber": 1.5}, "must be a whole number"),
        ({"name": "a", "pageNumber": 10**400}, "1 to 10"),
        ({"name": "a", "keepFile": "true"}, "true or false"),
        ({"name": "a", "status": "gone"}, "must be one of submitting"),
        ({"name": "a", "status": []}, "must be one of submitting"),
        ({"name": "a", "names": "b"}, "must be a list"),
        ({"name": "a", "names": ["b"] * 3}, "at most 2 items"),
        ({"name": "a", "names": [1]}, r"names\[0\]' must be a string"),
        ({"name": "a", "metadata": []}, "must be an object"),
        ({"name": "a", "metadata": {"b": 1}}, "must be a string"),
        ({"name": "a", "nmae": 1}, "no parameter 'nmae'"),
    ],
)
def test_a_wrong_value_is_named_with_the_form_that_it_must_have(body: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        from_body(Asked, body)


@pytest.mark.parametrize("value", ["", "x", "1.0", "99", "٣", "1" * 5000, "0x1"])
def test_a_number_in_a_query_consists_of_digits_and_stays_within_its_bounds(value: str) -> None:
    if not value:
        assert from_query(Asked, {"name": "a", "pageNumber": value}).page_number == 1  # an empty field of a form
        return
    with pytest.raises(InvalidValue):
        from_query(Asked, {"name": "a", "pageNumber": value})


def test_json_has_camel_case_and_utc_to_the_millisecond() -> None:
    at = datetime(2026, 11, 27, 10, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert camel("error_code") == "errorCode"
    assert to_json({"at": at, "status": shapes.ShownStatus.FAILED, "box": (1.5, 2)}) == {
        "at": "2026-11-27T08:30:00.123Z",
        "status": "failed",
        "box": [1.5, 2],
    }
    assert to_json(datetime(2026, 11, 27, tzinfo=UTC)) == "2026-11-27T00:00:00.000Z"


def test_every_schema_is_valid_and_accepts_what_to_json_returns() -> None:
    line = shapes.Line(
        page=1, line=1, text="x", bounding_box=None, unit=None, confidence=0.5, handwritten=None, language=None
    )
    schemas = schemas_of(shapes.Lines, shapes.Document, shapes.Upload)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    whole = {**schemas["Lines"], "components": {"schemas": schemas}}
    answer = to_json(shapes.Lines(value=[line], next_link=None, continuation=None))
    Draft202012Validator(whole).validate(answer)
    answer["value"][0]["page"] = "1"
    assert not Draft202012Validator(whole).is_valid(answer)

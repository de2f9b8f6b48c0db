"""Dataclasses as JSON: their schema, their values, and how to parse a request. One declaration serves all three.

Fields are ``snake_case`` in Python and ``camelCase`` on the wire. ``Annotated[type, Field(...)]`` gives a field its
description and the JSON Schema 2020-12 keywords that limit it.
"""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from dataclasses import Field as DataclassField
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

Json = dict[str, Any]


class Field:
    """A field's description and the JSON Schema keywords for its value, such as ``maximum=1000``."""

    def __init__(self, text: str, *, made: Callable[[str], str] = str, **keywords: Any) -> None:
        """``made`` converts a valid text into the field's value."""
        self.text = text
        self.made = made
        self.keywords = keywords


class InvalidValue(ValueError):
    """A value does not have the form that its field requires. The text names the field and the form."""


def camel(name: str) -> str:
    """``page_count`` as ``pageCount``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def schemas_of(*kinds: Any) -> dict[str, Json]:
    """The schema of each dataclass and of the dataclasses inside it, by name."""
    found: dict[str, Json] = {}
    for kind in kinds:
        _collect(kind, found)
    return found


def reference(kind: type) -> Json:
    """A reference to a dataclass's schema."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def properties_of(kind: type) -> dict[str, tuple[Json, bool]]:
    """Each field by its name on the wire: its schema, and whether it is required."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        camel(field.name): (_described(hints[field.name], field), _is_required(field)) for field in _fields_of(kind)
    }


def to_json(value: Any) -> Any:
    """A value as JSON. Times are UTC, to the millisecond."""
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(field.name): to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Mapping):
        return {key: to_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(each) for each in value]
    return value


def from_query(kind: type[T], query: Mapping[str, str]) -> T:
    """A dataclass from a query string's parameters. Unknown parameters are ignored. Raises InvalidValue."""
    return _parse(kind, query, text=True)


def from_body(kind: type[T], body: Mapping[str, Any]) -> T:
    """A dataclass from a JSON object's members. Raises InvalidValue, also for an unknown member."""
    known = [camel(field.name) for field in _fields_of(kind)]
    for name in body:
        if name not in known:
            raise InvalidValue(f"There is no parameter {name[:100]!r}. The parameters are {', '.join(known)}.")
    return _parse(kind, body, text=False)


def _parse(kind: type[T], values: Mapping[str, Any], *, text: bool) -> T:
    hints = get_type_hints(kind, include_extras=True)
    given: dict[str, Any] = {}
    for field in _fields_of(kind):
        name = camel(field.name)
        value = values.get(name)
        if value is None or (text and value == "" and not _is_required(field)):
            if _is_required(field):
                raise InvalidValue(f"The parameter {name!r} is missing.")
            continue
        given[field.name] = _value(name, hints[field.name], value, text=text)
    return kind(**given)


def _value(name: str, hint: Any, value: Any, *, text: bool) -> Any:
    kind, note = _split(hint)
    kind, _ = _without_none(kind)
    keywords = note.keywords if note else {}
    origin = get_origin(kind)
    if origin is list:
        if not isinstance(value, list):
            raise InvalidValue(f"The parameter {name!r} must be a list.")
        _check(name, keywords, "minItems", "maxItems", len(value), "items")
        return [_value(f"{name}[{at}]", get_args(kind)[0], each, text=text) for at, each in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise InvalidValue(f"The parameter {name!r} must be an object.")
        item = get_args(kind)[1]
        return {key: _value(f"{name}.{key[:100]!r}", item, each, text=text) for key, each in value.items()}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if not isinstance(value, str) or value not in list(kind):
            raise InvalidValue(f"The parameter {name!r} must be one of {', '.join(kind)}.")
        return kind(value)
    if kind is bool:
        return _truth(name, value, text=text)
    if kind is int:
        number = _whole(name, value, text=text)
        _check(name, keywords, "minimum", "maximum", number, "")
        return number
    text_value = _text(name, keywords, value)
    return note.made(text_value) if note else text_value


def _truth(name: str, value: Any, *, text: bool) -> bool:
    if text and value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise InvalidValue(f"The parameter {name!r} must be true or false.")
    return value


def _whole(name: str, value: Any, *, text: bool) -> int:
    if text and re.fullmatch(r"-?[0-9]{1,99}", str(value)):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON does not distinguish 1 from 1.0
    if type(value) is not int:
        raise InvalidValue(f"The parameter {name!r} must be a whole number.")
    return value


def _text(name: str, keywords: Mapping[str, Any], value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f"The parameter {name!r} must be a string.")
    if re.search("[\ud800-\udfff]", value):
        raise InvalidValue(f"The parameter {name!r} has half of a surrogate pair, which is not a character.")
    _check(name, keywords, "minLength", "maxLength", len(value), "characters")
    # In JSON Schema, $ matches only the very end; in Python, also before a final line feed.
    if (pattern := keywords.get("pattern")) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        raise InvalidValue(f"The parameter {name!r} must match {pattern}.")
    return value


def _check(name: str, keywords: Mapping[str, Any], least: str, most: str, value: int, unit: str) -> None:
    low, high = keywords.get(least), keywords.get(most)
    if (low is not None and value < low) or (high is not None and value > high):
        span = f"at most {high}" if low is None else f"at least {low}" if high is None else f"{low} to {high}"
        raise InvalidValue(f"The parameter {name!r} must be {span}{f' {unit}' if unit else ''}.")


def _collect(kind: Any, found: dict[str, Json]) -> None:
    if is_dataclass(kind):
        assert isinstance(kind, type)  # noqa: S101 - annotations name classes
        if kind.__name__ in found:
            return
        properties = properties_of(kind)
        found[kind.__name__] = {
            "type": "object",
            "description": " ".join((kind.__doc__ or "").split()),
            "properties": {name: schema for name, (schema, _) in properties.items()},
            # An answer always has all its fields; unknown values are null.
            "required": list(properties),
        }
        for hint in get_type_hints(kind).values():
            _collect(hint, found)
    for argument in get_args(kind):
        _collect(argument, found)


def _described(hint: Any, field: "DataclassField[Any]") -> Json:
    kind, note = _split(hint)
    schema = _schema(kind, note.keywords if note else {})
    if note:
        schema["description"] = note.text
    if field.default is not MISSING and field.default is not None:
        schema["default"] = to_json(field.default)
    return schema


def _schema(kind: Any, keywords: Mapping[str, Any] | None = None) -> Json:
    kind, nullable = _without_none(kind)
    schema = {**_plain(kind), **(keywords or {})}
    if not nullable:
        return schema
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    schema["type"] = [schema["type"], "null"]
    return schema


def _plain(kind: Any) -> Json:
    origin = get_origin(kind)
    if origin is Annotated:
        inner, note = _split(kind)
        return _schema(inner, note.keywords if note else {})
    if origin in (list, tuple):
        return {"type": "array", "items": _schema(get_args(kind)[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(get_args(kind)[1])}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(each) for each in get_args(kind)]}
    if origin is Literal:
        return {"type": "string", "enum": list(get_args(kind))}
    if is_dataclass(kind):
        assert isinstance(kind, type)  # noqa: S101 - annotations name classes
        return reference(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"type": "string", "enum": [str(each) for each in kind]}
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    return {"type": {str: "string", int: "integer", float: "number", bool: "boolean"}[kind]}


def _split(hint: Any) -> tuple[Any, Field | None]:
    """A type and its Field."""
    if get_origin(hint) is not Annotated:
        return hint, None
    kind, *notes = get_args(hint)
    return kind, next((note for note in notes if isinstance(note, Field)), None)


def _without_none(kind: Any) -> tuple[Any, bool]:
    """A type without None, and whether it allowed None."""
    if get_origin(kind) not in (Union, types.UnionType) or type(None) not in get_args(kind):
        return kind, False
    rest = tuple(each for each in get_args(kind) if each is not type(None))
    return (rest[0] if len(rest) == 1 else Union[rest]), True  # noqa: UP007 - made of a tuple


def _is_required(field: "DataclassField[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _fields_of(kind: Any) -> "tuple[DataclassField[Any], ...]":
    return fields(kind)

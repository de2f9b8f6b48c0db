"""Reading JSON from Read: a missing required value raises ResultNotUnderstood, a missing optional one is None."""

import math
from collections.abc import Mapping
from typing import Any

from shared.read.result import Box, ResultNotUnderstood

_NUMBERS = frozenset((int, float))
"""The types of JSON's numbers. A bool, which is an int to isinstance, is none."""


def objects(container: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of objects that must be there."""
    value = container.get(key)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ResultNotUnderstood(f"the result has no list of objects {key!r}")
    return value


def is_object(value: object, of: str) -> Mapping[str, Any]:
    """An element of a list that must be an object."""
    if not isinstance(value, Mapping):
        raise ResultNotUnderstood(f"the result has no list of objects {of!r}")
    return value


def optional_objects(container: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of objects that may be missing or null."""
    return [] if container.get(key) is None else objects(container, key)


def mapping(container: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object that must be there."""
    value = container.get(key)
    if not isinstance(value, Mapping):
        raise ResultNotUnderstood(f"the result has no object {key!r}")
    return value


def text(container: Mapping[str, Any], key: str) -> str:
    """A text that must be there. Half a surrogate pair, which no storage takes, becomes U+FFFD."""
    value = container.get(key)
    if not isinstance(value, str):
        raise ResultNotUnderstood(f"the result has no text {key!r}")
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def optional_text(container: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these values that is a text and not empty."""
    return next((text(container, key) for key in keys if container.get(key) and isinstance(container[key], str)), None)


def number(value: object) -> float | None:
    """A finite number, or None."""
    return value if _are_numbers([value]) else None  # type: ignore[return-value]  # it is one


class PageNumbers:
    """The number that each page states, or else its position from 1. No two pages get the same number."""

    def __init__(self) -> None:
        self._used: set[int] = set()
        self._position = self._highest = 0

    def next(self, stated: object) -> int:
        """The number of the next page, which states ``stated``."""
        self._position += 1
        number = self._position
        if isinstance(stated, int) and not isinstance(stated, bool) and 0 < stated < 100_000:
            number = stated
        if number in self._used:
            number = self._highest + 1
        self._used.add(number)
        self._highest = max(self._highest, number)
        return number


def box(value: object) -> Box | None:
    """Eight numbers, as a list or as four points; None for anything else."""
    if isinstance(value, list) and len(value) == 4 and all(isinstance(point, Mapping) for point in value):
        value = [point.get(axis) for point in value for axis in ("x", "y")]
    return tuple(value) if isinstance(value, list) and len(value) == 8 and _are_numbers(value) else None


def _are_numbers(values: list[Any]) -> bool:
    """Whether all are finite numbers. A page has thousands, so no Python code runs for each of them."""
    try:
        return _NUMBERS.issuperset(map(type, values)) and all(map(math.isfinite, values))
    except OverflowError:  # an integer beyond all floats
        return False


def complaints(found: list[object]) -> tuple[str, ...]:
    """The warnings or errors in a result, e.g. ``2005: Unable to read file. (page 2)``."""
    texts: list[str] = []
    for each in found:
        if isinstance(each, Mapping):
            parts = [optional_text(each, "code"), optional_text(each, "message")]
            target = optional_text(each, "target")
            texts.append(": ".join(filter(None, parts)) + (f" ({target})" if target else ""))
    return tuple(filter(None, texts))

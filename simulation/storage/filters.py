"""The part of the table service's `$filter` language that can be answered from keys and columns.

Comparisons of a column with a literal, joined by `and`: `PartitionKey eq 'inbox' and RowKey ge '!'`.
Anything else is refused, so that no test passes on a filter that was misread.
"""

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from azure.data.tables import EntityProperty
from azure.data.tables._deserialize import _from_entity_datetime

from .account import code_units

_COMPARISON = re.compile(
    r"""\s*(?P<column>[A-Za-z_]\w*)\s+(?P<verb>eq|gt|ge|lt|le)\s+
    (?:'(?P<string>(?:[^']|'')*)'
      |datetime'(?P<datetime>[^']*)'
      |(?P<number>-?\d+(?:\.\d+)?)L?
      |(?P<boolean>true|false))\s*""",
    re.VERBOSE,
)
_AND = re.compile(r"and\s+")
_VERBS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


class Comparison(NamedTuple):
    """One `column verb literal`."""

    column: str
    verb: str
    literal: str | bool | int | float | datetime

    def holds(self, value: Any) -> bool:
        """Whether it is true for a column's value. Without a value it is false, whatever the verb."""
        if value is None:
            return False
        return _VERBS[self.verb](_comparable(value, self), _comparable(self.literal, self))


def parse(text: str | None) -> list[Comparison]:
    """The comparisons that `text` joins by `and`; none for no filter.

    Raises:
        NotImplementedError: it holds anything else.
    """
    comparisons: list[Comparison] = []
    at = 0
    while text and at < len(text):
        if comparisons:
            joint = _AND.match(text, at)
            if joint is None:
                raise NotImplementedError(f"the in-memory table cannot read {text[at:]!r} in a filter")
            at = joint.end()
        found = _COMPARISON.match(text, at)
        if found is None:
            raise NotImplementedError(f"the in-memory table cannot read {text[at:]!r} in a filter")
        comparisons.append(Comparison(found["column"], found["verb"], _literal(found)))
        at = found.end()
    return comparisons


def _literal(found: re.Match[str]) -> str | bool | int | float | datetime:
    if found["string"] is not None:
        return found["string"].replace("''", "'")
    if found["datetime"] is not None:
        moment: datetime = _from_entity_datetime(found["datetime"])  # type: ignore[no-untyped-call]
        return moment
    if found["boolean"] is not None:
        return found["boolean"] == "true"
    return float(found["number"]) if "." in found["number"] else int(found["number"])


def _comparable(value: Any, comparison: Comparison) -> Any:
    """`value` in a form that sorts as in the service, if the literal has the same kind."""
    if isinstance(value, EntityProperty):
        value = value.value
    if _kind(value) is None or _kind(value) != _kind(comparison.literal):
        raise NotImplementedError(f"the in-memory table does not compare {value!r} in {comparison}")
    return code_units(value) if isinstance(value, str) else value


def _kind(value: Any) -> object:
    return next((kind for kind in (str, bool, datetime, int | float) if isinstance(value, kind)), None)

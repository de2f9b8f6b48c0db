"""Listings in parts: one answer of the table service, and where the listing continues."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from azure.core.exceptions import HttpResponseError
from azure.data.tables import EntityProperty, TableClient

from shared.storage.rows import rows_of, stored_time

MOST_ENTRIES = 1000
"""Entries of one part of a listing, at most: the table service sends no more in one answer."""

T = TypeVar("T")


class InvalidContinuation(ValueError):
    """The continuation does not belong to this request."""


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Some of the entries, from one request to storage: perhaps fewer than ``limit``, perhaps none.

    If ``continuation`` is set, there may be more: call again with it and with the same other arguments.
    """

    entries: tuple[T, ...]
    continuation: str | None = None


def each_entry(part_after: Callable[[str | None], Part[T]]) -> Iterator[T]:
    """All entries of a listing: ``part_after`` returns the part that begins at a continuation, or the first one."""
    part = part_after(None)
    yield from part.entries
    while part.continuation:
        part = part_after(part.continuation)
        yield from part.entries


def query_part(
    table: TableClient,
    query: str,
    parameters: Mapping[str, Any],
    columns: Sequence[str],
    limit: int,
    continuation: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """One answer of the table service to a query, and its continuation. A table that does not exist yet has no rows.

    Raises InvalidContinuation.
    """
    pages = table.query_entities(
        query, parameters=dict(parameters), select=list(columns), results_per_page=min(max(limit, 1), MOST_ENTRIES)
    ).by_page(continuation_token=_unpacked(continuation))
    try:
        page = next(rows_of(pages), None)
    except HttpResponseError as error:
        if continuation and error.status_code == 400:
            raise InvalidContinuation("Storage no longer takes this continuation. Begin the listing anew.") from None
        raise
    if page is None:
        return [], None
    return [plain_row(row) for row in page], _packed(getattr(pages, "continuation_token", None))


def _packed(token: Any) -> str | None:
    """Storage's continuation, as a text for a URL."""
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=") if token else None


def _unpacked(continuation: str | None) -> Any:
    if not continuation:
        return None
    try:
        padded = continuation + "=" * (-len(continuation) % 4)
        token = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        token = None
    keys = {"PartitionKey", "RowKey"}
    if not isinstance(token, dict) or set(token) != keys or not all(isinstance(v, str | None) for v in token.values()):
        raise InvalidContinuation("This is not the continuation of a listing. Begin the listing anew.")
    return token


def plain(value: Any) -> Any:
    """A value without the SDK's types, which gives an Int64 as a pair of value and type."""
    value = value.value if isinstance(value, EntityProperty) else value
    return stored_time(value) if isinstance(value, datetime) else value


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without the SDK's types."""
    return {name: plain(value) for name, value in row.items()}

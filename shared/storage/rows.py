"""What the tables share: batches of the right size, the creation of a missing table, and conditions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.document import in_utc
from shared.storage.codes import error_code

Operation = tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], Mapping[str, Any]]

BATCH_ROWS = 100

BATCH_BYTES = 3_500_000
"""Azure takes 100 operations and 4 MiB in a batch. The rest of the 4 MiB is for the envelope."""

LOST = frozenset({"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ResourceNotFound", "EntityNotFound"})
"""Codes of a conditional batch that was refused because another writer was faster."""


T = TypeVar("T")


def rows_of(found: Iterable[T]) -> Iterator[T]:
    """The rows of a query, or its pages of rows. A table that does not exist yet has none."""
    try:
        yield from found
    except ResourceNotFoundError as error:
        if error_code(error) != "TableNotFound":
            raise


def stored_time(value: object) -> datetime | None:
    """A stored time, in UTC; None for anything else."""
    return in_utc(value) if isinstance(value, datetime) else None


def if_unchanged(etag: str | None) -> dict[str, Any]:
    """The options of an update that replaces a row if it still is as it was read."""
    return {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}


def submit(client: TableClient, batch: list[Operation]) -> list[Mapping[str, Any]]:
    """Send a batch. If the table is missing, create it and send the batch again."""
    try:
        return client.submit_transaction(batch)
    except TableTransactionError as error:
        if error_code(error) != "TableNotFound":
            raise
    with suppress(ResourceExistsError):
        client.create_table()
    return client.submit_transaction(batch)


def batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows in batches that are within Azure's limits, a head row included. There is at least one batch."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        # The SDK writes JSON in ASCII, as json.dumps does. The 1,500 are for headers and for the other columns.
        row_size = 1_500 + sum(len(json.dumps(value)) for value in row.values() if isinstance(value, str))
        if batch and (len(batch) == BATCH_ROWS - 1 or size + row_size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row_size
    yield batch

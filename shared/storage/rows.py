"""What the two tables share: batches that fit, a missing table, conditions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.storage.codes import error_code

Operation = tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], Mapping[str, Any]]


BATCH_ROWS = 100


BATCH_BYTES = 3_500_000
"""Azure takes 100 operations and 4 MiB a batch; the rest is left for the envelope."""


LOST = frozenset({"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ResourceNotFound", "EntityNotFound"})
"""Codes of a conditional batch that another writer was faster than."""


def rows_of(found: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows of a query; none where the table is still missing."""
    try:
        yield from found
    except ResourceNotFoundError as error:
        if error_code(error) != "TableNotFound":
            raise


def if_unchanged(etag: str | None) -> dict[str, Any]:
    """The options of an update that replaces the row, if it still is as it was read."""
    return {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}


def submit(client: TableClient, batch: list[Operation]) -> list[Mapping[str, Any]]:
    """Send a batch; where the table is missing, create it and send the batch again."""
    try:
        return client.submit_transaction(batch)
    except TableTransactionError as error:
        if error_code(error) != "TableNotFound":
            raise
    with suppress(ResourceExistsError):
        client.create_table()
    return client.submit_transaction(batch)


def batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows in batches that, with a head row, are within Azure's limits; at least one batch."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        # The SDK writes JSON in ASCII, as json.dumps does; to that come a part's headers and the other columns.
        row_size = 1_500 + sum(len(json.dumps(value)) for value in row.values() if isinstance(value, str))
        if batch and (len(batch) == BATCH_ROWS - 1 or size + row_size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row_size
    yield batch

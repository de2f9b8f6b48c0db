"""The documents table and the lines table."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import EdmType, EntityProperty, TableClient, TableTransactionError, UpdateMode

from shared.document import Document, Status, document_key, from_row, to_row, to_worklist_entry, worklist_key
from shared.storage.codes import error_code

Operation = tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], Mapping[str, Any]]

BATCH_ROWS = 100
BATCH_BYTES = 3_500_000
"""Azure takes 100 operations and 4 MiB a batch; the rest is left for the envelope."""

HEAD = "!head"

_PROGRESS = "~missed"
"""The partition of what comparisons keep; no container has such a name."""


class Conflict(Exception):
    """Somebody else wrote the row first. ``current`` is what it says now, None if it is gone."""

    def __init__(self, current: Document | None) -> None:
        super().__init__("the document's row was written by somebody else")
        self.current = current


class Superseded(Exception):
    """The document's row has gone over to another version or operation: what this one read is not written."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Who writes outputs: a version of a file and the operation that read it.

    ``still_ours`` re-reads the document's row and tells whether it is still about them. It is asked only where
    somebody else's output is found, never in the undisturbed case.
    """

    source_etag: str
    operation_id: str
    still_ours: Callable[[], bool]


class Documents:
    """Rows of documents and their worklist entries, written together and only conditionally."""

    def __init__(self, client: TableClient, container: str, new_write_id: Callable[[], str]) -> None:
        self._client = client
        self._container = container
        self._new_write_id = new_write_id

    def get(self, name: str) -> Document | None:
        """The document's row, or None."""
        try:
            row = self._client.get_entity(self._container, document_key(name))
        except ResourceNotFoundError:
            return None
        return _document(row)

    def write(
        self, document: Document, expected: Document | None, write_id: str | None = None, *, over_tombstone: bool = True
    ) -> Document:
        """Write the row if it still is as ``expected`` (None: if there is none), and with it the entry.

        Without ``over_tombstone``, not where a forgotten document has left its tombstone. Returns the document as
        written. A writer knows its own lost success by the write id that it wrote. Raises Conflict.
        """
        document = document.evolve(write_id=write_id or self._new_write_id())
        try:
            written = _submit(self._client, [*self._batch(document, expected, over_tombstone=over_tombstone)])
            return document.evolve(row_etag=written[0]["etag"])
        except AzureError as error:
            current = self.get(document.name)
            if current is not None and current.write_id == document.write_id:
                return current
            if not isinstance(error, TableTransactionError) or error_code(error) not in _LOST:
                raise
            if expected is None or current is None or current.row_etag != expected.row_etag:
                raise Conflict(current) from error
        # The row is as expected, so it was the entry that could not be removed: somebody else did.
        written = self._client.submit_transaction([*self._batch(document, expected, over_tombstone=True)][:1])
        return document.evolve(row_etag=written[0]["etag"])

    def remove(self, document: Document, due_at: datetime) -> None:
        """Remove a row, if it is still as it was read, and leave its entry, due then. Raises Conflict.

        What slow runs write for it meanwhile is removed once more, and none of them can claim it anew.
        """
        row = {"PartitionKey": self._container, "RowKey": document_key(document.name)}
        unchanged = {"etag": document.row_etag, "match_condition": MatchConditions.IfNotModified}
        tombstone = to_worklist_entry(document.evolve(due_at=due_at), self._container)
        try:
            self._client.submit_transaction(
                [("delete", row, unchanged), ("upsert", tombstone, {"mode": UpdateMode.REPLACE})]
            )
        except TableTransactionError as error:
            if error_code(error) not in _LOST:
                raise
            if current := self.get(document.name):
                raise Conflict(current) from error

    def overdue(self, before: datetime, status: Status | None = None) -> Iterator[str]:
        """Names of documents, of one status or any, whose next step or whatever else is owed was due before a time."""
        query = "PartitionKey eq @container and RowKey ge '!' and RowKey lt '\"' and DueAt lt @before"
        found = self._client.query_entities(
            f"{query} and Status eq @status" if status else query,
            parameters={"container": self._container, "before": before, "status": str(status)},
            select=["Name"],
        )
        for entry in _rows(found):
            if isinstance(name := entry.get("Name"), str):
                yield name

    def tombstone(self, name: str) -> str | None:
        """The ETag of a document's entry, if it has one."""
        try:
            entry = self._client.get_entity(self._container, worklist_key(name), select=["Name"])
        except ResourceNotFoundError:
            return None
        return str(entry.metadata["etag"])

    def remove_tombstone(self, name: str, etag: str) -> None:
        """Remove a entry that has no row, unless somebody has written it since."""
        with suppress(ResourceNotFoundError, ResourceModifiedError):
            unchanged: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
            self._client.delete_entity(self._container, worklist_key(name), **unchanged)

    def versions(self) -> Iterator[tuple[str, str]]:
        """Name and ETag of every document, a page of the table at a time."""
        for but_the_worklist in ("RowKey lt '!'", "RowKey ge '\"'"):
            found = self._client.query_entities(
                f"PartitionKey eq @container and {but_the_worklist}",
                parameters={"container": self._container},
                select=["Name", "SourceETag"],
            )
            for row in _rows(found):
                if isinstance(name := row.get("Name"), str):
                    yield name, str(row.get("SourceETag") or "")

    def progress(self, prefix: str) -> str | None:
        """What save_progress kept."""
        try:
            row = self._client.get_entity(_PROGRESS, document_key(f"{self._container}/{prefix}"))
        except ResourceNotFoundError:
            return None
        return str(row.get("Progress") or "") or None

    def save_progress(self, prefix: str, text: str) -> None:
        """Keep how far a comparison of container and table has come, below a prefix; apart from all documents."""
        keys = {"PartitionKey": _PROGRESS, "RowKey": document_key(f"{self._container}/{prefix}")}
        _submit(self._client, [("upsert", {**keys, "Progress": text}, {"mode": UpdateMode.REPLACE})])

    def _batch(self, document: Document, expected: Document | None, *, over_tombstone: bool) -> Iterator[Operation]:
        row = to_row(document, self._container)
        if document.content_length is not None:
            row["ContentLength"] = EntityProperty(document.content_length, EdmType.INT64)
        if expected is None:
            yield "create", row
        else:
            yield "update", row, _if_unchanged(expected.row_etag)
        if _on_worklist(document):
            entry = to_worklist_entry(document, self._container)
            tombstone_stays = expected is None and not over_tombstone
            yield ("create", entry) if tombstone_stays else ("upsert", entry, {"mode": UpdateMode.REPLACE})
        elif expected is not None and _on_worklist(expected):
            yield "delete", {"PartitionKey": self._container, "RowKey": worklist_key(document.name)}


_LOST = frozenset({"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ResourceNotFound", "EntityNotFound"})


class Lines:
    """Rows of lines, a partition a document, behind a head row that says whose they are."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    def write(self, key: str, fence: Fence, rows: Iterable[dict[str, Any]]) -> None:
        """Write all lines of a result, in full batches, and remove those that an older result left.

        Raises Superseded as soon as the document is found to be somebody else's.
        """
        head = _Head(self._client, key, fence)
        lines_of_page: dict[int, int] = {}
        for batch in _batches(rows):
            for row in batch:
                row["PartitionKey"] = key
                lines_of_page[row["Page"]] = row["Line"]
            head.submit([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in batch])
        if head.existed:
            self._remove(key, head, lines_of_page)

    def clear(self, key: str, fence: Fence, *, head_too: bool = False) -> None:
        """Remove all lines. The head stays, as ours, so that a slow writer of an older version finds it taken."""
        head = _Head(self._client, key, fence)
        head.submit([])
        self._remove(key, head, {})
        if head_too:
            head.remove()

    def adopt(self, key: str, fence: Fence, source_etag: str) -> None:
        """Mark the lines as another version's. Raises Superseded if they are not the fence's operation's."""
        for _ in range(_TRIES):
            try:
                head = self._client.get_entity(key, HEAD)
                if head.get("Operation") != fence.operation_id:
                    raise Superseded
                if head.get("SourceETag") != source_etag:
                    adopted = {**head, "SourceETag": source_etag}
                    self._client.update_entity(adopted, **_if_unchanged(head.metadata["etag"]))
            except ResourceNotFoundError:
                break
            except ResourceModifiedError:
                continue  # another run adopts them too
            return
        raise Superseded

    def _remove(self, key: str, head: "_Head", lines_of_page: Mapping[int, int]) -> None:
        """Remove what is behind a head of ours and not among the lines of a result."""
        for _ in range(_TRIES):
            found = self._client.query_entities(
                "PartitionKey eq @key and RowKey gt @head",
                parameters={"key": key, "head": HEAD},
                select=["RowKey"],
            )
            left = ({"RowKey": row["RowKey"]} for row in found if not _is_among(row["RowKey"], lines_of_page))
            try:
                for batch in _batches(left):
                    head.submit([("delete", {"PartitionKey": key, "RowKey": row["RowKey"]}) for row in batch])
            except ResourceNotFoundError:
                continue  # another run of this very step removed it first
            return


class _Head:
    """The head row of a partition of lines: created by the first batch, matched by every later one."""

    def __init__(self, client: TableClient, key: str, fence: Fence) -> None:
        self._client = client
        self._fence = fence
        self._row = {
            "PartitionKey": key,
            "RowKey": HEAD,
            "SourceETag": fence.source_etag,
            "Operation": fence.operation_id,
        }
        self._etag: str | None = None
        self.existed = False
        """Whether somebody was here before, perhaps an earlier run of ours: other lines may be left."""

    def submit(self, operations: list[Operation]) -> None:
        """Carry out a batch together with the head.

        Raises Superseded, and ResourceNotFoundError where a row to delete is not there.
        """
        for _ in range(_TRIES):
            try:
                written = _submit(self._client, [self._claim(), *operations])
            except TableTransactionError as error:
                if error_code(error) not in _LOST:
                    raise
                if not self._has_moved():
                    raise ResourceNotFoundError("a line to delete is not there") from error
            else:
                self._etag = written[0]["etag"]
                return
        raise Superseded

    def remove(self) -> None:
        """Remove the head, if it is still ours. Raises Superseded."""
        try:
            self._client.delete_entity(self._row, etag=self._etag, match_condition=MatchConditions.IfNotModified)
        except ResourceNotFoundError:
            return
        except ResourceModifiedError:
            raise Superseded from None

    def _claim(self) -> Operation:
        if self._etag is None:
            return "create", self._row
        return "update", self._row, _if_unchanged(self._etag)

    def _has_moved(self) -> bool:
        """Look whose the head is now. Raises Superseded if the document is not ours any more."""
        try:
            found = self._client.get_entity(self._row["PartitionKey"], HEAD)
        except ResourceNotFoundError:
            found = None
        before, self._etag = self._etag, found.metadata["etag"] if found is not None else None
        self.existed = True
        same = found is not None and all(found.get(name) == self._row[name] for name in ("SourceETag", "Operation"))
        if not same and not self._fence.still_ours():
            raise Superseded
        return self._etag != before


_TRIES = 10
"""Rounds of a race that each loser may lose to a different winner; more than that is somebody's loop."""


def _is_among(row_key: str, lines_of_page: Mapping[int, int]) -> bool:
    page, _, line = row_key.partition("-")
    return page.isdecimal() and line.isdecimal() and int(line) <= lines_of_page.get(int(page), 0)


def _rows(found: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows of a query; none where the table is still missing."""
    try:
        yield from found
    except ResourceNotFoundError as error:
        if error_code(error) != "TableNotFound":
            raise


def _on_worklist(document: Document) -> bool:
    """A document in flight or failed has one, and one that is done but for something owed."""
    return document.status not in (Status.SUCCEEDED, Status.IGNORED) or document.due_at is not None


def _document(row: Any) -> Document:
    """SDK entity to document: an Int64 comes as a pair of value and type."""
    plain = {name: value.value if isinstance(value, EntityProperty) else value for name, value in row.items()}
    return from_row(plain, row.metadata["etag"])


def _if_unchanged(etag: str | None) -> dict[str, Any]:
    return {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}


def _submit(client: TableClient, batch: list[Operation]) -> list[Mapping[str, Any]]:
    """Carry out a batch, and where the table is missing make the table and do it again."""
    try:
        return client.submit_transaction(batch)
    except TableTransactionError as error:
        if error_code(error) != "TableNotFound":
            raise
    with suppress(ResourceExistsError):
        client.create_table()
    return client.submit_transaction(batch)


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
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

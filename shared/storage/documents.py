"""The documents table: rows of documents, their worklist entries, and tombstones."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableClient, TableTransactionError, UpdateMode

from shared.document import Document, Status, Tombstone, from_row, to_row, to_worklist_entry
from shared.keys import document_key, worklist_key
from shared.storage.codes import error_code
from shared.storage.rows import LOST, Operation, if_unchanged, rows_of, stored_time, submit

Expected = Document | Tombstone | None
"""What a conditional write expects to find: a row, a forgotten document's tombstone, or nothing."""


class Conflict(Exception):
    """Another run wrote the row first. ``current`` is the row or tombstone that is stored now, or None."""

    def __init__(self, current: Expected) -> None:
        super().__init__("the document's row was written by somebody else")
        self.current = current

    @property
    def document(self) -> Document | None:
        """The row that is stored now, or None."""
        return self.current if isinstance(self.current, Document) else None


class Documents:
    """Rows of documents and their worklist entries.

    A row and its entry are written and removed in one batch, and only if the row is still as it was read. Sweeps and
    ``list --status failed`` query the entries.
    """

    def __init__(self, client: TableClient, container: str, new_write_id: Callable[[], str]) -> None:
        self._client = client
        self._container = container
        self._new_write_id = new_write_id

    def get(self, name: str) -> Document | None:
        """The document's row, or None. ``from_row`` says what becomes of a row that somebody has edited."""
        try:
            row = self._client.get_entity(self._container, document_key(name))
        except ResourceNotFoundError:
            return None
        return from_row(row, row.metadata["etag"], name)

    def write(self, document: Document, expected: Expected, write_id: str | None = None) -> Document:
        """Write the row if it still is as ``expected``, and with it the worklist entry. Returns it as written.

        Raises Conflict, with what is stored now. If the write ends in an error, there are three cases:

        lost_success: the write was carried out, but its answer was lost, and the SDK's second try found the row
            changed. The row has this writer's own write id.
        lost_race: between this run's read and its write, another run wrote the row. If no row was expected, another
            run created it or left a tombstone.
        entry_gone: the row is as expected, but the entry that was to be deleted with it is gone: another run, which
            ended after this one read the row, removed it, or a person did. The row alone is written.
        """
        others = expected.others if isinstance(expected, Document) else document.others
        document = document.evolve(write_id=write_id or self._new_write_id(), others=others)
        if isinstance(expected, Tombstone):
            document = expected.passed_on_to(document)
        elif expected is None and not _on_worklist(document) and (tombstone := self.tombstone(document.name)):
            raise Conflict(tombstone)  # a batch that writes no entry would not find the tombstone
        try:
            written = submit(self._client, [*self._batch(document, expected)])
            return document.evolve(row_etag=written[0]["etag"])
        except AzureError as error:
            current = self.get(document.name)
            lost_success = current is not None and current.write_id == document.write_id
            if lost_success and current is not None:
                return current
            if not isinstance(error, TableTransactionError) or error_code(error) not in LOST:
                raise
            entry_gone = isinstance(expected, Document) and current and current.row_etag == expected.row_etag
            if not entry_gone:
                raise Conflict(current or self.tombstone(document.name)) from error
        row, *_ = self._batch(document, expected)
        written = self._client.submit_transaction([row])
        return document.evolve(row_etag=written[0]["etag"])

    def remove(self, document: Document, due_at: datetime) -> None:
        """Remove a row if it is still as it was read, and leave a tombstone that is due at ``due_at``. Raises Conflict.

        No slow run can claim the document again, and what such a run still writes is removed when the tombstone is due.
        """
        row = {"PartitionKey": self._container, "RowKey": document_key(document.name)}
        unchanged = {"etag": document.row_etag, "match_condition": MatchConditions.IfNotModified}
        tombstone = to_worklist_entry(document.evolve(due_at=due_at), self._container)
        try:
            self._client.submit_transaction(
                [("delete", row, unchanged), ("upsert", tombstone, {"mode": UpdateMode.REPLACE})]
            )
        except TableTransactionError as error:
            if error_code(error) not in LOST:
                raise
            if current := self.get(document.name):
                raise Conflict(current) from error

    def overdue(self, before: datetime, status: Status | None = None) -> Iterator[str]:
        """Names of documents whose DueAt is before a time, optionally of one status."""
        query = "PartitionKey eq @container and RowKey ge '!' and RowKey lt '\"' and DueAt lt @before"
        found = self._client.query_entities(
            f"{query} and Status eq @status" if status else query,
            parameters={"container": self._container, "before": before, "status": str(status)},
            select=["Name"],
        )
        for entry in rows_of(found):
            if isinstance(name := entry.get("Name"), str):
                yield name

    def worklist(self) -> Iterator[tuple[str | None, datetime | None]]:
        """Status and DueAt of every worklist entry, a page of the table at a time. A tombstone has no status."""
        found = self._client.query_entities(
            "PartitionKey eq @container and RowKey ge '!' and RowKey lt '\"'",
            parameters={"container": self._container},
            select=["Status", "DueAt"],
        )
        for entry in rows_of(found):
            yield entry.get("Status"), stored_time(entry.get("DueAt"))

    def tombstone(self, name: str) -> Tombstone | None:
        """The tombstone of a document that has no row: its worklist entry, if it has one."""
        try:
            entry = self._client.get_entity(self._container, worklist_key(name), select=["DueAt"])
        except ResourceNotFoundError:
            return None
        return Tombstone(str(entry.metadata["etag"]), stored_time(entry.get("DueAt")))

    def remove_tombstone(self, name: str, tombstone: Tombstone) -> None:
        """Remove a tombstone, unless somebody has written the entry since."""
        with suppress(ResourceNotFoundError, ResourceModifiedError):
            unchanged: dict[str, Any] = {"etag": tombstone.etag, "match_condition": MatchConditions.IfNotModified}
            self._client.delete_entity(self._container, worklist_key(name), **unchanged)

    def versions(self) -> Iterator[tuple[str, str]]:
        """Name and ETag of every document, a page of the table at a time."""
        for but_the_worklist in ("RowKey lt '!'", "RowKey ge '\"'"):
            found = self._client.query_entities(
                f"PartitionKey eq @container and {but_the_worklist}",
                parameters={"container": self._container},
                select=["Name", "SourceETag"],
            )
            for row in rows_of(found):
                if isinstance(name := row.get("Name"), str):
                    yield name, str(row.get("SourceETag") or "")

    def _batch(self, document: Document, expected: Expected) -> Iterator[Operation]:
        """The operations of a write: the row's first, then the entry's."""
        row = to_row(document, self._container)
        if document.content_length is not None:
            row["ContentLength"] = EntityProperty(document.content_length, EdmType.INT64)
        if isinstance(expected, Document):
            yield "update", row, if_unchanged(expected.row_etag)
        else:
            yield "create", row
        entry = to_worklist_entry(document, self._container)
        if isinstance(expected, Tombstone):  # the row takes over its cleaning up, so the row is on the worklist
            yield "update", entry, if_unchanged(expected.etag)
        elif _on_worklist(document):
            # If no row is expected, there must be no tombstone either: then creating the entry fails.
            yield ("create", entry) if expected is None else ("upsert", entry, {"mode": UpdateMode.REPLACE})
        elif isinstance(expected, Document) and _on_worklist(expected):
            yield "delete", {"PartitionKey": self._container, "RowKey": worklist_key(document.name)}


def _on_worklist(document: Document) -> bool:
    """Whether a document has an entry: it is in flight or failed, or something is still to be done for it."""
    return document.status not in (Status.SUCCEEDED, Status.IGNORED) or document.due_at is not None

"""The lines table: a partition for each document, with a head row that says whose lines they are."""

from collections.abc import Iterable, Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.storage.codes import error_code
from shared.storage.fence import Fence, Superseded
from shared.storage.rows import LOST, Operation, batches, if_unchanged, rows_of, submit

HEAD = "!head"


_TRIES = 10
"""How often a write is tried again after another run was faster. Each time, it may be a different run."""


class Lines:
    """The rows of lines. The head row of a document's partition is their fence."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    def write(self, key: str, fence: Fence, rows: Iterable[dict[str, Any]]) -> None:
        """Write all lines of a result, in full batches, and remove those of an older result.

        Raises Superseded as soon as it turns out that the document's row belongs to another version or operation.
        """
        head = _Head(self._client, key, fence)
        lines_of_page: dict[int, int] = {}
        for batch in batches(rows):
            for row in batch:
                row["PartitionKey"] = key
                lines_of_page[row["Page"]] = row.get("Line", 0)
            head.submit([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in batch])
        if head.existed:
            self._remove(key, head, lines_of_page)

    def clear(self, key: str, fence: Fence, *, head_too: bool = False) -> None:
        """Remove all lines. The head row stays and names the fence, so that a slow run of an older version is refused.

        With ``head_too``, the head is removed as well, and a partition without rows is not touched: no head is written
        for it, and a missing table is not created.
        """
        if head_too and not self._has_rows(key):
            return
        head = _Head(self._client, key, fence)
        head.submit([])
        self._remove(key, head, {})
        if head_too:
            head.remove()

    def adopt(self, key: str, fence: Fence, source_etag: str) -> None:
        """Mark the lines as a newer version's. Raises Superseded if another operation than the fence's wrote them."""
        for _ in range(_TRIES):
            try:
                head = self._client.get_entity(key, HEAD)
                if head.get("Operation") != fence.operation_id:
                    raise Superseded
                if head.get("SourceETag") != source_etag:
                    adopted = {**head, "SourceETag": source_etag}
                    self._client.update_entity(adopted, **if_unchanged(head.metadata["etag"]))
            except ResourceNotFoundError:
                break
            except ResourceModifiedError:
                continue  # another run is adopting them too
            return
        raise Superseded

    def _has_rows(self, key: str) -> bool:
        query = "PartitionKey eq @key"
        found = self._client.query_entities(query, parameters={"key": key}, select=["RowKey"], results_per_page=1)
        return any(True for _ in rows_of(found))

    def _remove(self, key: str, head: "_Head", lines_of_page: Mapping[int, int]) -> None:
        """Remove the rows of the partition that are not among the lines of a result."""
        for _ in range(_TRIES):
            found = self._client.query_entities(
                "PartitionKey eq @key and RowKey gt @head",
                parameters={"key": key, "head": HEAD},
                select=["RowKey"],
            )
            left = ({"RowKey": row["RowKey"]} for row in found if not _is_among(row["RowKey"], lines_of_page))
            try:
                for batch in batches(left):
                    head.submit([("delete", {"PartitionKey": key, "RowKey": row["RowKey"]}) for row in batch])
            except ResourceNotFoundError:
                continue  # another run of the same step removed the row first
            return


class _Head:
    """The head row of a partition of lines: the first batch creates it, and every later batch requires it unchanged."""

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
        """Whether there was a head before, perhaps from an earlier run, which may have left other lines."""

    def submit(self, operations: list[Operation]) -> None:
        """Carry out a batch together with a write of the head.

        Raises Superseded, and ResourceNotFoundError if a row that is to be deleted does not exist.
        """
        for _ in range(_TRIES):
            try:
                written = submit(self._client, [self._claim(), *operations])
            except TableTransactionError as error:
                if error_code(error) not in LOST:
                    raise
                if not self._has_moved():
                    raise ResourceNotFoundError("a line to delete does not exist") from error
            else:
                self._etag = written[0]["etag"]
                return
        raise Superseded

    def remove(self) -> None:
        """Remove the head, if it is still as this writer left it. Raises Superseded."""
        try:
            self._client.delete_entity(self._row, etag=self._etag, match_condition=MatchConditions.IfNotModified)
        except ResourceNotFoundError:
            return
        except ResourceModifiedError:
            raise Superseded from None

    def _claim(self) -> Operation:
        if self._etag is None:
            return "create", self._row
        return "update", self._row, if_unchanged(self._etag)

    def _has_moved(self) -> bool:
        """Read the head again. Returns whether it has changed. Raises Superseded if the document has moved on."""
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


def _is_among(row_key: str, lines_of_page: Mapping[int, int]) -> bool:
    page, _, line = row_key.partition("-")
    return page.isdecimal() and line.isdecimal() and int(line) <= lines_of_page.get(int(page), -1)

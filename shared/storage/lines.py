"""The lines table: a partition a document, behind a head row that says whose lines they are."""

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
"""Rounds of a race that each loser may lose to a different winner; more than that is somebody's loop."""


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
        for batch in batches(rows):
            for row in batch:
                row["PartitionKey"] = key
                lines_of_page[row["Page"]] = row.get("Line", 0)
            head.submit([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in batch])
        if head.existed:
            self._remove(key, head, lines_of_page)

    def clear(self, key: str, fence: Fence, *, head_too: bool = False) -> None:
        """Remove all lines. The head stays, as ours, so that a slow writer of an older version finds it taken.

        With ``head_too`` it goes as well; then a partition with no row is left alone, and a missing table unmade.
        """
        if head_too and not self._has_rows(key):
            return
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
                    self._client.update_entity(adopted, **if_unchanged(head.metadata["etag"]))
            except ResourceNotFoundError:
                break
            except ResourceModifiedError:
                continue  # another run adopts them too
            return
        raise Superseded

    def _has_rows(self, key: str) -> bool:
        query = "PartitionKey eq @key"
        found = self._client.query_entities(query, parameters={"key": key}, select=["RowKey"], results_per_page=1)
        return any(True for _ in rows_of(found))

    def _remove(self, key: str, head: "_Head", lines_of_page: Mapping[int, int]) -> None:
        """Remove the rows behind our head that are not among the lines of a result."""
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
        """Whether the head existed before, perhaps from an earlier run: other lines may be left."""

    def submit(self, operations: list[Operation]) -> None:
        """Carry out a batch together with the head.

        Raises Superseded, and ResourceNotFoundError where a row to delete is not there.
        """
        for _ in range(_TRIES):
            try:
                written = submit(self._client, [self._claim(), *operations])
            except TableTransactionError as error:
                if error_code(error) not in LOST:
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
        return "update", self._row, if_unchanged(self._etag)

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


def _is_among(row_key: str, lines_of_page: Mapping[int, int]) -> bool:
    page, _, line = row_key.partition("-")
    return page.isdecimal() and line.isdecimal() and int(line) <= lines_of_page.get(int(page), -1)

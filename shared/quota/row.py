"""The row that all instances share: which slots of a Read resource's quota are reserved. It is no document's row."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.keys import document_key


class Kept(NamedTuple):
    """What the row holds, and its ETag; no ETag where there is no row yet."""

    text: str = ""
    etag: str | None = None


class QuotaRow:
    """One row. It is written only if it is still as this process has read it."""

    def __init__(self, client: TableClient, endpoint: str) -> None:
        self._client = client
        self._keys = {"PartitionKey": "~quota", "RowKey": document_key(endpoint)}

    def read(self) -> Kept:
        """The row as it is now."""
        try:
            row = self._client.get_entity(self._keys["PartitionKey"], self._keys["RowKey"])
        except ResourceNotFoundError:
            return Kept()
        return Kept(str(row.get("Lanes") or ""), row.metadata["etag"])

    def write(self, text: str, expected: Kept) -> Kept | None:
        """Write the row if it is still as expected. None if another process has written it meanwhile."""
        row = {**self._keys, "Lanes": text}
        try:
            if expected.etag is None:
                written = self._create(row)
            else:
                condition = MatchConditions.IfNotModified
                written = self._client.update_entity(
                    row, mode=UpdateMode.REPLACE, etag=expected.etag, match_condition=condition
                )
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            return None
        return Kept(text, written["etag"])

    def _create(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._client.create_entity(row)
        except ResourceNotFoundError:
            pass  # the table is missing: for a failed creation, the SDK gives no error code
        with suppress(ResourceExistsError):
            self._client.create_table()
        return self._client.create_entity(row)

"""How far the comparison of container and table has come: one row for each container and prefix."""

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.keys import document_key
from shared.storage.rows import submit

_PARTITION = "~missed"
"""No container can have this name, so no document is in this partition."""


class Comparisons:
    """The row of one container and prefix. find_missed decides what its text means."""

    def __init__(self, client: TableClient, container: str, prefix: str) -> None:
        self._client = client
        self._keys = {"PartitionKey": _PARTITION, "RowKey": document_key(f"{container}/{prefix}")}

    def progress(self) -> str | None:
        """The text that was saved last, or None."""
        try:
            row = self._client.get_entity(self._keys["PartitionKey"], self._keys["RowKey"])
        except ResourceNotFoundError:
            return None
        return str(row.get("Progress") or "") or None

    def save(self, text: str) -> None:
        """Save how far the comparison has come."""
        submit(self._client, [("upsert", {**self._keys, "Progress": text}, {"mode": UpdateMode.REPLACE})])

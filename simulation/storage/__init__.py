"""An Azure Storage account in memory, on the test's own clock, behind the clients of the Azure SDK.

    storage = MemoryStorage(clock)
    storage.blobs().get_container_client("inbox").create_container()
    storage.fault = crash_at(17)

tests/integration/storage_contract compares it with Azurite. Where Azure is known to differ from Azurite, it behaves
like Azure, and a comment says so. It raises NotImplementedError for what it does not simulate.
"""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from azure.data.tables import TableEntity, TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from .account import Account, Fault, Operation, SentAgain
from .blob_clients import MemoryBlobServiceClient
from .blobs import Blob, BlobService
from .errors import refused
from .queue_clients import MemoryQueueServiceClient
from .queues import Message, QueueService
from .table_clients import MemoryTableServiceClient
from .tables import TableService

__all__ = ["Blob", "Fault", "MemoryStorage", "Message", "Operation", "SentAgain", "refused"]


class MemoryStorage(Account):
    """A storage account. Its clients have the SDK's types, so their use is type-checked against the SDK."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(clock)
        self._blobs = BlobService(self)
        self._queues = QueueService(self)
        self._tables = TableService(self)

    def blobs(self, **sizes: int) -> BlobServiceClient:
        """`sizes` as the SDK's client takes them: `max_chunk_get_size`, `max_single_put_size`, ..., in bytes."""
        return MemoryBlobServiceClient.of(self._blobs, **sizes)

    def queues(self) -> QueueServiceClient:
        return MemoryQueueServiceClient.of(self._queues)

    def tables(self) -> TableServiceClient:
        return cast(TableServiceClient, MemoryTableServiceClient(self._tables))

    # What is stored, for tests to inspect without a request: no fault, no entry in the log.

    def blobs_in(self, container: str) -> dict[str, Blob]:
        """The blobs of a container by name; none if there is no such container."""
        return self._blobs.blobs_in(container)

    def messages_in(self, queue: str) -> list[Message]:
        """The messages of a queue, hidden ones too, in the order of their delivery; none if there is no such queue."""
        return self._queues.messages_in(queue)

    def rows_in(self, table: str) -> list[TableEntity]:
        """The rows of a table in the order of their keys; none if there is no such table."""
        return self._tables.rows_in(table)

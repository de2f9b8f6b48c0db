"""An Azure Storage account in memory, on a clock of the test's own, behind the clients of the Azure SDK.

    account = MemoryStorage(clock)
    account.blobs().get_container_client("inbox").create_container()
    account.fault = crash_at(17)

`tests/integration/test_storage_contract.py` holds it to Azurite, and says where Azure is known to differ.
"""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from .account import Account, Fault, Operation, SentAgain
from .blobs import BlobService, MemoryBlobServiceClient
from .errors import refused
from .queues import MemoryQueueServiceClient, Queue
from .tables import MemoryTableServiceClient, TableService

__all__ = ["Fault", "MemoryStorage", "Operation", "SentAgain", "refused"]


class MemoryStorage(Account):
    """A storage account. Its clients have the types of the SDK's, so that what uses them is checked against it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(clock)
        self._blobs = BlobService(self)
        self._queues: dict[str, Queue] = {}
        self._tables = TableService(self)

    def blobs(self, **sizes: int) -> BlobServiceClient:
        """A client of the blob service; `sizes` as the SDK's: `max_chunk_get_size`, `max_single_put_size`, ..."""
        return MemoryBlobServiceClient.of(self._blobs, **sizes)

    def queues(self) -> QueueServiceClient:
        return MemoryQueueServiceClient.of(self, self._queues)

    def tables(self) -> TableServiceClient:
        return cast(TableServiceClient, MemoryTableServiceClient(self._tables))

"""Clients of the storage SDKs, made from the settings' connection."""

from typing import Any, TypeVar

from azure.core.pipeline.policies import RetryPolicy
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient, LinearRetry
from azure.storage.queue import LinearRetry as QueueRetry
from azure.storage.queue import QueueServiceClient

from shared.clouds import cloud_of_storage
from shared.connection_string import endpoints
from shared.identity import credential
from shared.keys import is_unsafe
from shared.loopback import without_proxy
from shared.settings import StorageConnection
from shared.storage.batch import BatchingTableService

RANGE_BYTES = 4 * 1024 * 1024
"""What one GET of a blob returns. The SDK's first GET would bring 32 MiB, which every submit would hold in memory."""

OUTPUT_RANGE_BYTES = 1024 * 1024
"""What one GET of an output blob returns. The pages of a result are parsed while its ranges arrive. From 200 to 2,000
pages, the heap was measured to grow by 9 MB with ranges of 4 MiB, and by 0 to 3 MB with ranges of 1 MiB."""

_Client = TypeVar("_Client", BlobServiceClient, QueueServiceClient, TableServiceClient)


def blob_service(connection: StorageConnection, range_bytes: int = RANGE_BYTES) -> BlobServiceClient:
    """A client of the account's blobs. It reads a blob in ranges of ``range_bytes``."""
    return _service(
        BlobServiceClient,
        connection,
        connection.blob_url,
        retry_policy=LinearRetry(backoff=0, retry_total=2, random_jitter_range=1),
        max_single_get_size=range_bytes,
        max_chunk_get_size=range_bytes,
    )


def queue_service(connection: StorageConnection) -> QueueServiceClient:
    """A client of the account's queues."""
    retries = QueueRetry(backoff=0, retry_total=2, random_jitter_range=1)
    return _service(QueueServiceClient, connection, connection.queue_url, retry_policy=retries)


def table_service(connection: StorageConnection) -> TableServiceClient:
    """A client of the account's tables."""
    retries = RetryPolicy(retry_total=2, retry_backoff_factor=0.3)
    return _service(BatchingTableService, connection, connection.table_url, retry_policy=retries)


def _service(kind: type[_Client], connection: StorageConnection, url: str | None, **options: Any) -> _Client:
    """One service's client. Its policy retries twice within a second or so: a longer wait belongs in the queue.

    By default, the first retry of the blob and queue clients comes after some 18 s, inside the worker.
    """
    string = connection.connection_string
    address = next(endpoints(string), None) if string else connection.blob_url
    options = {"connection_timeout": 5, "read_timeout": 30, **without_proxy(address), **options}
    if string:
        return kind.from_connection_string(string, **options)
    identity: Any = credential(connection.client_id, cloud_of_storage(connection.blob_url or ""))
    return kind(url or "", credential=identity, **options)


def blob_client(client: ContainerClient, name: str) -> BlobClient:
    """A blob's client. Raises ValueError for a name that an HTTP client would resolve into another path."""
    if is_unsafe(name):
        raise ValueError("a blob's name has a segment '.' or '..'")
    return client.get_blob_client(name)

"""Clients of the storage SDKs, made from the settings' connection."""

from typing import Any

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
"""What one GET of a blob returns. The SDK's own first GET is 32 MiB, which every submit would hold in memory."""

OUTPUT_RANGE_BYTES = 1024 * 1024
"""The same of an output. A result's pages are walked while its ranges arrive, and the heap grows by what coexists: with
4 MiB a range it was measured to grow by 9 MB between 200 and 2,000 pages, with this by 0 to 3."""

# Twice within a second or so: a longer wait belongs in the queue. (The blob and queue clients' own first retry
# comes after some 18 s, inside the worker.)
_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 30}


def blob_service(connection: StorageConnection, range_bytes: int = RANGE_BYTES) -> BlobServiceClient:
    """The account's blobs, read in ranges of so many bytes."""
    options: dict[str, Any] = {
        "retry_policy": LinearRetry(backoff=0, retry_total=2, random_jitter_range=1),
        "max_single_get_size": range_bytes,
        "max_chunk_get_size": range_bytes,
        **_options(connection),
    }
    if connection.connection_string:
        return BlobServiceClient.from_connection_string(connection.connection_string, **options)
    return BlobServiceClient(connection.blob_url or "", credential=_credential(connection), **options)


def queue_service(connection: StorageConnection) -> QueueServiceClient:
    """The account's queues."""
    options: dict[str, Any] = {
        "retry_policy": QueueRetry(backoff=0, retry_total=2, random_jitter_range=1),
        **_options(connection),
    }
    if connection.connection_string:
        return QueueServiceClient.from_connection_string(connection.connection_string, **options)
    return QueueServiceClient(connection.queue_url or "", credential=_credential(connection), **options)


def table_service(connection: StorageConnection) -> TableServiceClient:
    """The account's tables."""
    options: dict[str, Any] = {
        "retry_policy": RetryPolicy(retry_total=2, retry_backoff_factor=0.3),
        **_options(connection),
    }
    if connection.connection_string:
        return BatchingTableService.from_connection_string(connection.connection_string, **options)
    return BatchingTableService(connection.table_url or "", credential=_credential(connection), **options)


def _options(connection: StorageConnection) -> dict[str, Any]:
    """Of all clients."""
    if connection.connection_string:
        address = next(endpoints(connection.connection_string), None)
    else:
        address = connection.blob_url
    return {**_TIMEOUTS, **without_proxy(address)}


def _credential(connection: StorageConnection) -> Any:
    """The connection's identity, in the cloud that its URLs are of."""
    return credential(connection.client_id, cloud_of_storage(connection.blob_url or ""))


def blob_client(client: ContainerClient, name: str) -> BlobClient:
    """A blob's client. A name that HTTP clients would resolve into another path gets none."""
    if is_unsafe(name):
        raise ValueError("a blob's name has a segment '.' or '..'")
    return client.get_blob_client(name)

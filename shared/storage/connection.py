"""Clients of the storage SDKs, made from the settings' connection."""

from typing import Any

from azure.core.pipeline.policies import RetryPolicy
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient, LinearRetry
from azure.storage.queue import LinearRetry as QueueRetry
from azure.storage.queue import QueueServiceClient

from shared.connection_string import endpoints
from shared.keys import is_unsafe
from shared.loopback import without_proxy
from shared.settings import StorageConnection
from shared.storage.batch import BatchingTableService

RANGE_BYTES = 4 * 1024 * 1024
"""What one GET of a blob returns. The SDK's own first GET is 32 MiB, which every submit would hold in memory."""

# Twice within a second or so: a longer wait belongs in the queue. (The blob and queue clients' own first retry
# comes after some 18 s, inside the worker.)
_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 30}


def blob_service(connection: StorageConnection) -> BlobServiceClient:
    """The account's blobs, read in ranges of RANGE_BYTES."""
    options: dict[str, Any] = {
        "retry_policy": LinearRetry(backoff=0, retry_total=2, random_jitter_range=1),
        "max_single_get_size": RANGE_BYTES,
        "max_chunk_get_size": RANGE_BYTES,
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
    from shared.clouds import cloud_of_storage
    from shared.identity import credential

    return credential(connection.client_id, cloud_of_storage(connection.blob_url or ""))


def blob_client(client: ContainerClient, name: str) -> BlobClient:
    """A blob's client. A name that HTTP clients would resolve into another path gets none."""
    if is_unsafe(name):
        raise ValueError("a blob's name has a segment '.' or '..'")
    return client.get_blob_client(name)

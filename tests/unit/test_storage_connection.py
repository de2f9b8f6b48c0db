"""The clients of storage: by a connection string or by an identity, they are the same."""

from typing import Any

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from shared.settings import StorageConnection
from shared.storage.batch import BatchingTableService
from shared.storage.connection import RANGE_BYTES, blob_service, queue_service, table_service

KEY = "a2V5"
STRING = StorageConnection(connection_string=f"AccountName=account;AccountKey={KEY};EndpointSuffix=core.windows.net")
URLS = {
    "blob_url": "https://account.blob.core.windows.net",
    "queue_url": "https://account.queue.core.windows.net",
    "table_url": "https://account.table.core.windows.net",
}
IDENTITY = StorageConnection(**URLS)


@pytest.mark.parametrize("connection", [STRING, IDENTITY])
def test_each_service_is_at_the_account_s_own_address(connection: StorageConnection) -> None:
    clients: list[Any] = [blob_service(connection), queue_service(connection), table_service(connection)]

    assert [client.url.rstrip("/") for client in clients] == [*URLS.values()]


@pytest.mark.parametrize("connection", [STRING, IDENTITY])
def test_batches_are_the_app_s_own_however_the_account_is_named(connection: StorageConnection) -> None:
    client = table_service(connection)

    assert isinstance(client, BatchingTableService)
    assert client.get_table_client("lines")._batch_send.func.__module__ == "shared.storage.batch"  # type: ignore[attr-defined]


def test_a_client_id_names_a_managed_identity() -> None:
    named = StorageConnection(client_id="22222222-2222-2222-2222-222222222222", **URLS)

    assert isinstance(blob_service(named).credential, ManagedIdentityCredential)
    assert isinstance(blob_service(IDENTITY).credential, DefaultAzureCredential)


@pytest.mark.parametrize("connection", [STRING, IDENTITY])
def test_a_blob_is_read_in_ranges(connection: StorageConnection) -> None:
    config = blob_service(connection)._config

    assert (config.max_single_get_size, config.max_chunk_get_size) == (RANGE_BYTES, RANGE_BYTES)

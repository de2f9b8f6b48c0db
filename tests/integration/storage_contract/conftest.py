"""Each test of this folder runs twice: on the in-memory storage, and on Azurite through the SDK's own clients."""

from collections.abc import Iterator

import pytest
from azure.data.tables import TableClient
from azure.storage.blob import BlobClient, ContainerClient
from azure.storage.queue import QueueClient

from .support import Storage, in_azurite, in_memory, new_name


@pytest.fixture(params=["memory", "azurite"])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "memory":
        return in_memory()
    return in_azurite(request.getfixturevalue("azurite").connection_string)


@pytest.fixture
def table(storage: Storage) -> Iterator[TableClient]:
    """A new table."""
    with storage.tables.get_table_client(new_name()) as table:
        table.create_table()
        yield table


@pytest.fixture
def container(storage: Storage) -> Iterator[ContainerClient]:
    """A new container. Blobs over 8 bytes are uploaded in blocks of 4; reads take 8 bytes first, then 4."""
    blobs = storage.blobs(max_single_put_size=8, max_block_size=4, max_single_get_size=8, max_chunk_get_size=4)
    with blobs.get_container_client(new_name()) as container:
        container.create_container()
        yield container


@pytest.fixture
def queue(storage: Storage) -> Iterator[QueueClient]:
    """A new queue."""
    with storage.queues.get_queue_client(new_name()) as queue:
        queue.create_queue()
        yield queue


@pytest.fixture
def blob(container: ContainerClient) -> Iterator[BlobClient]:
    """A blob that does not exist yet."""
    with container.get_blob_client("2024/scan.pdf") as blob:
        yield blob

"""The two storages under test, and what the tests share."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import uuid4

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableEntity, TableServiceClient
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueMessage, QueueServiceClient

from simulation.storage import MemoryStorage

IF_MISSING: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}


@dataclass(frozen=True)
class Storage:
    """A storage account to test, and how time passes in it."""

    blobs: Callable[..., BlobServiceClient]
    queues: QueueServiceClient
    tables: TableServiceClient
    wait: Callable[[float], None]


def in_memory() -> Storage:
    now = datetime(2026, 11, 22, 16, 38, 0, 123456, tzinfo=UTC)

    def wait(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)

    memory = MemoryStorage(lambda: now)
    return Storage(memory.blobs, memory.queues(), memory.tables(), wait)


def in_azurite(connection_string: str) -> Storage:
    def blobs(**sizes: Any) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(connection_string, retry_total=0, **sizes)

    return Storage(
        blobs,
        QueueServiceClient.from_connection_string(connection_string, retry_total=0),
        TableServiceClient.from_connection_string(connection_string, retry_total=0),
        time.sleep,
    )


def new_name() -> str:
    """An unused name that is valid for a table, a container and a queue."""
    return f"t{uuid4().hex}"


def code(error: pytest.ExceptionInfo[HttpResponseError]) -> str:
    """The service's code for a refusal. The SDKs set it without declaring it."""
    return str(getattr(error.value.error_code, "value", error.value.error_code))  # type: ignore[attr-defined]


def azurite_differs(how: str) -> pytest.MarkDecorator:
    """Marks a rule that Azure and the in-memory storage keep. That Azurite breaks it, and how, is checked too."""
    breaks_it = pytest.param("azurite", marks=pytest.mark.xfail(strict=True, reason=f"Azurite {how}"))
    return pytest.mark.parametrize("storage", ["memory", breaks_it], indirect=True)


def if_still(etag: str) -> dict[str, Any]:
    """The condition that a blob or a row has this ETag."""
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


STALE_ROW = if_still("W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"")
STALE_BLOB = if_still('"0x1"')


def entity(row_key: str, /, partition_key: str = "p", **columns: Any) -> dict[str, Any]:
    return {"PartitionKey": partition_key, "RowKey": row_key, **columns}


def row_keys(found: Iterable[TableEntity]) -> list[str]:
    return [row["RowKey"] for row in found]


def content(blob: BlobClient) -> bytes:
    return blob.download_blob().readall()


def md5_of(content: bytes) -> bytearray:
    """As the service reports it."""
    return bytearray(md5(content, usedforsecurity=False).digest())


def names(container: ContainerClient, **options: Any) -> list[str]:
    return [blob.name for blob in container.list_blobs(**options)]


def contents(messages: Iterable[QueueMessage]) -> list[Any]:
    return [message.content for message in messages]


def received(queue: QueueClient, **options: Any) -> QueueMessage:
    """The next message of a queue in which there is one."""
    message = queue.receive_message(**options)
    assert message is not None
    return message

"""The blob trigger: a scan finds versions of blobs, receipts remember them, an internal queue runs them.

Sources: azure-sdk-for-net, sdk/storage, Microsoft.Azure.WebJobs.Extensions.Storage.Blobs/:
docs/BlobTriggerPolling.md, and in src/Listeners/: ScanContainersStrategy.cs, BlobTriggerExecutor.cs,
BlobReceiptManager.cs, BlobQueueTriggerExecutor.cs, SharedBlobQueueListenerFactory.cs.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.functions.meta import Datum
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobProperties, BlobServiceClient
from azure.storage.queue import QueueClient

from local.functions_host.console import log
from local.functions_host.index import EVENT_GRID, BlobTrigger, Function
from local.functions_host.invoke import Input, Invoker, model_binding_data
from local.functions_host.queues import Message, brief, send
from local.functions_host.storage import Connection

POISON_QUEUE = "webjobs-blobtrigger-poison"
RECEIPTS_CONTAINER = "azure-webjobs-hosts"
LONGEST_BLOB_NAME = 1024  # characters, the service's limit


def internal_queue_name(host_id: str) -> str:
    """The queue, in the host's own storage, of blobs that wait to be run (HostQueueNames.cs)."""
    return f"azure-webjobs-blobtrigger-{host_id}"


@dataclass(frozen=True)
class Version:
    """One version of a blob. The ETag is in quotes, as in the header."""

    container: str
    name: str
    etag: str
    blob_type: str = "BlockBlob"


@dataclass(frozen=True)
class BlobFunction:
    """A blob function, with the storage that its trigger names."""

    function: Function
    trigger: BlobTrigger
    connection: Connection


def captures(path: str, container: str, name: str) -> dict[str, str] | None:
    """What `{…}` in the trigger's path stands for in this blob; None if the blob does not match.

    Each expression takes as much as it can, also across `/` (BindingTemplateToken.cs). The container's name
    is compared without regard to case (ParameterizedBlobPathSource.cs). A container alone matches every blob.
    """
    pattern_container, _, pattern = path.partition("/")
    if container.lower() != pattern_container.lower():
        return None
    if not pattern:
        return {}
    parts = re.split(r"\{(\w+)\}", pattern)
    regex = "".join(f"(?P<{part}>.*)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    match = re.fullmatch(regex, name)
    return match.groupdict() if match else None


def receipt_name(host_id: str, function_id: str, version: Version) -> str:
    """Where the receipt lies in azure-webjobs-hosts (BlobReceiptManager.cs)."""
    return f"blobreceipts/{host_id}/{function_id}/{version.etag}/{version.container}/{version.name}"


def trigger_message(function_id: str, version: Version) -> str:
    """The internal queue's message (BlobTriggerMessage.cs), in base64."""
    message = {
        "Type": "BlobTrigger",
        "FunctionId": function_id,
        "BlobType": version.blob_type,
        "ContainerName": version.container,
        "BlobName": version.name,
        "ETag": version.etag,
    }
    return base64.b64encode(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()).decode()


class Receipts:
    """Which versions of blobs were queued for which function. A receipt means queued, not succeeded."""

    def __init__(self, service: BlobServiceClient, host_id: str, lease_seconds: int) -> None:
        self._container = service.get_container_client(RECEIPTS_CONTAINER)
        self._host_id = host_id
        self._lease_seconds = max(15, min(30, lease_seconds))  # the real host's is 30; 15 is the shortest

    def once(self, function_id: str, version: Version, hand_over: Callable[[], None]) -> bool:
        """Call `hand_over` unless that was done for this version; False if another host may be doing it now.

        A host that dies between the two leaves an incomplete receipt, and the version is handed over again.
        """
        name = receipt_name(self._host_id, function_id, version)
        if len(name) > LONGEST_BLOB_NAME:
            log.warning(
                "A blob is skipped, since its name is too long for a receipt: %s characters.",
                len(version.name),
            )
            return True
        receipt = self._container.get_blob_client(name)
        completed = _is_completed(receipt)
        if completed:
            return True
        if completed is None and not self._create(receipt):
            return False
        try:
            lease = receipt.acquire_lease(self._lease_seconds)
        except (ResourceExistsError, ResourceNotFoundError):
            return False
        try:
            if not _is_completed(receipt):
                hand_over()
                receipt.set_blob_metadata({}, lease=lease)
        finally:
            _release(lease)
        return True

    def _create(self, receipt: BlobClient) -> bool:
        for _ in range(2):
            try:
                receipt.upload_blob(b"", metadata={"Incomplete": "Incomplete"}, overwrite=False)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    self._container.create_container()
            except ResourceExistsError:
                return False
            else:
                return True
        return False


class BlobScanner:
    """Lists the containers again and again, and queues the versions of blobs that have no receipt.

    The real host asks development storage for blobs modified after the newest one that it has seen. That
    misses a blob of the same second, and one whose upload began earlier and took longer (Azurite dates a blob
    by the start of its request). Here a listing is compared with the one before, by name and ETag, so that
    none is missed.
    """

    def __init__(
        self,
        functions: Iterable[BlobFunction],
        receipts: Receipts,
        queue: QueueClient,
        queued: Callable[[], None],
    ) -> None:
        self._functions = [function for function in functions if function.trigger.source != EVENT_GRID]
        self._receipts = receipts
        self._queue = queue
        self._queued = queued
        self._stopped = threading.Event()
        self._seen: dict[str, set[Version]] = {function.function.id: set() for function in self._functions}
        self._trouble = ""

    def stop(self) -> None:
        """Scan no more."""
        self._stopped.set()

    def run(self, every_seconds: float) -> None:
        """Scan until stopped."""
        while not self._stopped.is_set():
            try:
                for function in self._functions:
                    self._scan(function)
                self._trouble = ""
            except AzureError as error:
                if brief(error) != self._trouble:
                    log.warning("The blob scan failed; trying again: %s", brief(error))
                self._trouble = brief(error)
            self._stopped.wait(every_seconds)

    def _scan(self, function: BlobFunction) -> None:
        seen = self._seen[function.function.id]
        listed = set()
        for version in _list(function):
            if self._stopped.is_set():
                return
            if version in seen or self._queue_once(function.function, version):
                listed.add(version)
        self._seen[function.function.id] = listed

    def _queue_once(self, function: Function, version: Version) -> bool:
        def hand_over() -> None:
            send(self._queue, trigger_message(function.id, version))
            self._queued()

        return self._receipts.once(function.id, version, hand_over)


class BlobTriggerHandler:
    """Turns the internal queue's messages into invocations."""

    drops_undecodable = True

    def __init__(self, functions: Iterable[BlobFunction], fallback_poison: QueueClient, invoker: Invoker) -> None:
        self._functions = {function.function.id: function for function in functions}
        self._fallback_poison = fallback_poison
        self._invoker = invoker

    def handle(self, message: Message) -> bool:
        """Run the function, if the blob is still there in the version that was seen."""
        try:
            given = json.loads(message.body)
            function = self._functions.get(given["FunctionId"])
            version = Version(given["ContainerName"], given["BlobName"], given["ETag"])
        except (ValueError, KeyError, TypeError):
            log.warning("Invalid blob trigger message: %s.", message.id)
            return False
        if function is None:
            log.debug("Function '%s' is not this app's: message %s is dropped.", given["FunctionId"], message.id)
            return True
        blob = function.connection.blobs.get_blob_client(version.container, version.name)
        try:
            properties = blob.get_blob_properties()
        except ResourceNotFoundError:
            log.debug("The blob of message %s is gone.", message.id)
            return True
        except AzureError as error:
            log.warning("The blob of message %s cannot be looked at: %s", message.id, brief(error))
            return False
        if function.trigger.source != EVENT_GRID and properties.etag != version.etag:
            log.debug("The blob of message %s has changed: the scan queues its new version.", message.id)
            return True
        details = message.details() | {
            "BlobCreated": properties.creation_time.isoformat() if properties.creation_time else "",
            "BlobLastModified": properties.last_modified.isoformat(),
        }
        return self._invoker.invoke(
            function.function,
            f"New blob detected({function.trigger.source}): {version.container}/{version.name}",
            lambda: blob_input(function, blob, properties),
            details,
        )

    def poison(self, message: Message) -> QueueClient:
        """The poison queue lies in the account of the blob; the host's own account is the fallback."""
        with suppress(ValueError, KeyError, TypeError):
            function = self._functions.get(json.loads(message.body)["FunctionId"])
            if function is not None:
                return function.connection.queues.get_queue_client(POISON_QUEUE)
        return self._fallback_poison


def current_version(function: BlobFunction, path: str) -> Version | None:
    """The version that container/name has now; None if there is no such blob."""
    container, _, name = path.partition("/")
    if not container or not name:
        return None
    try:
        properties = function.connection.blobs.get_blob_client(container, name).get_blob_properties()
    except ResourceNotFoundError:
        return None
    return Version(container, name, properties.etag, str(properties.blob_type))


def blob_input(function: BlobFunction, blob: BlobClient, properties: BlobProperties) -> Input:
    """The blob's content, or its name for an SDK type, and the metadata under the real host's names."""
    container, name = blob.container_name, blob.blob_name
    shown = {
        "ContentLength": properties.size,
        "ContentType": properties.content_settings.content_type,
        "ETag": properties.etag,
        "LastModified": properties.last_modified.isoformat(),
        "BlobType": str(properties.blob_type),
    }
    metadata: Mapping[str, Datum] = {
        "BlobTrigger": Datum(f"{container}/{name}", "string"),
        "Uri": Datum(json.dumps(blob.url), "json"),
        "Properties": Datum(json.dumps(shown), "json"),
        "Metadata": Datum(json.dumps(properties.metadata), "json"),
        **{
            key: Datum(text, "string") for key, text in (captures(function.trigger.path, container, name) or {}).items()
        },
    }
    if function.function.is_sdk_type:
        return Input(model_binding_data(function.connection.name, container, name), metadata)
    return Input(Datum(blob.download_blob().readall(), "bytes"), metadata)


def _list(function: BlobFunction) -> Iterable[Version]:
    container = function.connection.blobs.get_container_client(function.trigger.container)
    try:
        for blob in container.list_blobs():
            if captures(function.trigger.path, function.trigger.container, blob.name) is not None:
                etag = '"' + blob.etag.strip('"') + '"'  # a listing has it without the quotes
                yield Version(function.trigger.container, blob.name, etag, str(blob.blob_type))
    except ResourceNotFoundError:
        return  # a container that does not exist yet has no blobs


def _is_completed(receipt: BlobClient) -> bool | None:
    """None if there is no receipt. An incomplete one bears the metadata "Incomplete" (BlobReceipt.cs)."""
    try:
        metadata: dict[str, Any] = receipt.get_blob_properties().metadata
    except ResourceNotFoundError:
        return None
    return "incomplete" not in {key.lower() for key in metadata}


def _release(lease: BlobLeaseClient) -> None:
    with suppress(HttpResponseError):  # it ended, or the receipt was deleted
        lease.release()

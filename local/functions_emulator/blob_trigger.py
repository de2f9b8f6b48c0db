"""The blob trigger: a scan finds versions of blobs, receipts remember them, an internal queue runs them.

Sources: azure-sdk-for-net, sdk/storage, Microsoft.Azure.WebJobs.Extensions.Storage.Blobs/:
docs/BlobTriggerPolling.md, and in src/Listeners/: ScanContainersStrategy.cs, BlobTriggerExecutor.cs,
BlobQueueTriggerExecutor.cs, SharedBlobQueueListenerFactory.cs.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.functions.meta import Datum
from azure.storage.blob import BlobClient, BlobProperties, BlobType
from azure.storage.queue import QueueClient

from local.functions_emulator.console import log
from local.functions_emulator.index import EVENT_GRID, BlobTrigger, Function
from local.functions_emulator.invoke import Input, Invoker, model_binding_data
from local.functions_emulator.queues import Message, send
from local.functions_emulator.receipts import Receipts, Version
from local.functions_emulator.storage import Connection, brief

POISON_QUEUE = "webjobs-blobtrigger-poison"


def internal_queue_name(host_id: str) -> str:
    """The queue, in the host's own storage, of blobs that wait for their function (HostQueueNames.cs)."""
    return f"azure-webjobs-blobtrigger-{host_id}"


@dataclass(frozen=True)
class BlobFunction:
    """A blob function, with the storage that its trigger names."""

    function: Function
    trigger: BlobTrigger
    connection: Connection


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
        """Stop scanning."""
        self._stopped.set()

    def run(self, every_seconds: float) -> None:
        """Scan until stopped."""
        while not self._stopped.is_set():
            try:
                for function in self._functions:
                    self._scan(function)
            except AzureError as error:
                self._say_once(error)
            self._stopped.wait(every_seconds)

    def _say_once(self, error: AzureError) -> None:
        trouble = brief(error)
        of_a_name = isinstance(error, HttpResponseError) and error.status_code == 500
        hint = " (Azurite lists nothing while a blob's name has a control character: delete that one.)"
        if trouble != self._trouble:
            log.warning("The blob scan failed; trying again: %s%s", trouble, hint if of_a_name else "")
        self._trouble = trouble

    def _scan(self, function: BlobFunction) -> None:
        seen = self._seen[function.function.id]
        listed = set()
        for version in _list(function):
            if self._stopped.is_set():
                return
            try:
                if version in seen or self._queue_once(function.function, version):
                    listed.add(version)
            except AzureError as error:  # only this blob fails; it is tried again at the next scan
                self._say_once(error)
        self._seen[function.function.id] = listed

    def _queue_once(self, function: Function, version: Version) -> bool:
        def enqueue() -> None:
            send(self._queue, trigger_message(function.id, version))
            self._queued()

        return self._receipts.once(function.id, version, enqueue)


class BlobTriggerHandler:
    """Turns the internal queue's messages into invocations."""

    drops_undecodable = True

    def __init__(self, functions: Iterable[BlobFunction], fallback_poison: QueueClient, invoker: Invoker) -> None:
        self._functions = {function.function.id: function for function in functions}
        self._fallback_poison = fallback_poison
        self._invoker = invoker

    def handle(self, message: Message) -> bool:
        """Run the function if the blob still exists in the version that was seen."""
        try:
            given = json.loads(message.body)
            function = self._functions.get(given["FunctionId"])
            version = Version(str(given["ContainerName"]), str(given["BlobName"]), str(given["ETag"]))
        except (ValueError, KeyError, TypeError):
            log.warning("Invalid blob trigger message: %s.", message.id)
            return False
        if function is None:
            log.debug("The function of message %s is not this app's: the message is dropped.", message.id)
            return True
        blob = function.connection.blobs.get_blob_client(version.container, version.name)
        try:
            properties = blob.get_blob_properties()
        except ResourceNotFoundError:
            log.debug("The blob of message %s is gone.", message.id)
            return True
        except AzureError as error:
            log.warning("The blob of message %s cannot be asked for: %s", message.id, brief(error))
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
        """The poison queue is in the account of the blob, or else in the host's own."""
        with suppress(ValueError, KeyError, TypeError):
            function = self._functions.get(json.loads(message.body)["FunctionId"])
            if function is not None:
                return function.connection.queues.get_queue_client(POISON_QUEUE)
        return self._fallback_poison


def current_version(function: BlobFunction, path: str) -> Version | None:
    """The current version of container/name; None if there is no such blob."""
    container, _, name = path.partition("/")
    if not container or not name:
        return None
    try:
        properties = function.connection.blobs.get_blob_client(container, name).get_blob_properties()
    except ResourceNotFoundError:
        return None
    return Version(container, name, properties.etag, BlobType(properties.blob_type).value)


def blob_input(function: BlobFunction, blob: BlobClient, properties: BlobProperties) -> Input:
    """The blob's content, or its name for an SDK type, and the metadata under the real host's names."""
    container, name = blob.container_name, blob.blob_name
    shown = {
        "ContentLength": properties.size,
        "ContentType": properties.content_settings.content_type,
        "ETag": properties.etag,
        "LastModified": properties.last_modified.isoformat(),
        "BlobType": BlobType(properties.blob_type).value,
    }
    metadata: Mapping[str, Datum] = {
        "BlobTrigger": Datum(f"{container}/{name}", "string"),
        "Uri": Datum(json.dumps(blob.url), "json"),
        "Properties": Datum(json.dumps(shown), "json"),
        "Metadata": Datum(json.dumps(properties.metadata), "json"),
    } | {key: Datum(text, "string") for key, text in (function.trigger.captures(container, name) or {}).items()}
    if function.function.is_sdk_type:
        return Input(model_binding_data(function.connection.name, container, name), metadata)
    return Input(Datum(blob.download_blob().readall(), "bytes"), metadata)


def _list(function: BlobFunction) -> Iterable[Version]:
    container = function.connection.blobs.get_container_client(function.trigger.container)
    try:
        for blob in container.list_blobs():
            if function.trigger.captures(function.trigger.container, blob.name) is not None:
                etag = '"' + blob.etag.strip('"') + '"'  # listings omit the quotes
                yield Version(function.trigger.container, blob.name, etag, BlobType(blob.blob_type).value)
    except ResourceNotFoundError:
        return  # a container that does not exist yet has no blobs

"""What the tests of the Functions emulator share: an app of closures, hosted in this process against Azurite."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.functions_emulator.host import Host, RunOptions
from local.functions_emulator.host_json import load_host_options
from local.functions_emulator.index import describe
from local.functions_emulator.invoke import Invoker
from local.functions_emulator.storage import Connections


class Storage:
    """Azurite, with names that no other test uses."""

    def __init__(self, connection_string: str) -> None:
        self.environ = {"AzureWebJobsStorage": connection_string, "Documents": connection_string}
        self.blobs = BlobServiceClient.from_connection_string(connection_string)
        self.queues = QueueServiceClient.from_connection_string(connection_string)
        self.unique = uuid.uuid4().hex[:12]
        self.host_id = f"h{self.unique}"
        self.container = f"inbox-{self.unique}"
        self.queue_name = f"work-{self.unique}"

    @property
    def queue(self) -> QueueClient:
        return self.queues.get_queue_client(self.queue_name)

    @property
    def poison(self) -> QueueClient:
        return self.queues.get_queue_client(f"{self.queue_name}-poison")

    def put(self, name: str, content: bytes = b"content", **options: Any) -> str:
        """Upload a blob; return its ETag."""
        blob = self.blobs.get_blob_client(self.container, name)
        return str(blob.upload_blob(content, overwrite=True, **options)["etag"])

    def receipts(self) -> list[str]:
        try:
            blobs = self.blobs.get_container_client("azure-webjobs-hosts")
            return list(blobs.list_blob_names(name_starts_with=f"blobreceipts/{self.host_id}/"))
        except ResourceNotFoundError:
            return []


@contextmanager
def hosted(
    app: func.FunctionApp,
    storage: Storage,
    folder: Path,
    *,
    queues: Mapping[str, object] | None = None,
    blobs: Mapping[str, object] | None = None,
    lease_seconds: int = 30,
) -> Iterator[Host]:
    """Hosts the app while the block runs. Polls and scans quickly, so that tests are quick."""
    extensions = {"queues": {"maxPollingInterval": "00:00:00.100", **(queues or {})}, "blobs": blobs or {}}
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "extensions": extensions}))
    host = Host(
        describe(app, storage.environ),
        load_host_options(folder, {}),
        RunOptions(storage.host_id, lease_seconds, scan_seconds=0.1),
        Connections(storage.environ),
        Invoker(None, lambda: None),
    )
    host.start()
    try:
        yield host
    finally:
        assert host.stop(), "something was still running 10 s after the host was stopped"


def on_queue(storage: Storage, call: Callable[..., Any], queue_name: str = "") -> func.FunctionApp:
    """An app of one queue function, whose parameter is `message`."""
    app = func.FunctionApp()
    app.queue_trigger(arg_name="message", queue_name=queue_name or storage.queue_name, connection="Documents")(call)
    return app


def on_blob(storage: Storage, call: Callable[..., Any], path: str = "{name}", **trigger: Any) -> func.FunctionApp:
    """An app of one blob function, whose parameter is `blob`."""
    app = func.FunctionApp()
    app.blob_trigger(arg_name="blob", path=f"{storage.container}/{path}", connection="Documents", **trigger)(call)
    return app


def encoded(text: str) -> str:
    """A message as the host expects it by default."""
    return base64.b64encode(text.encode()).decode()


def texts(queue: QueueClient) -> list[str]:
    """The visible messages of a queue; none if there is no such queue."""
    try:
        return [str(message.content) for message in queue.peek_messages(max_messages=32)]
    except ResourceNotFoundError:
        return []


def count(queue: QueueClient) -> int:
    """How many messages a queue holds, visible or not."""
    return queue.get_queue_properties().approximate_message_count or 0


def eventually(condition: Callable[[], Any], seconds: float = 15) -> None:
    """Wait until `condition` holds; fail if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.02)

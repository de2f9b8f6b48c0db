"""Every event that an upload can raise, in the form in which the blob trigger gets it from Event Grid.

How the trigger's own handler turns an event into a message, and which events it drops, was observed with Microsoft's
packages (Microsoft.Azure.WebJobs.Extensions.Storage.Blobs 5.3.10): it takes container and name only from ``data.url``,
whatever its host, and ignores the event's type and ETag.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from blob_binding import BlobReference
from local.functions_emulator.blob_trigger import internal_queue_name, trigger_message
from local.functions_emulator.receipts import Version
from shared.document import Status
from shared.missed import find_missed
from shared.recover import recover_stalled
from simulation.app import App
from simulation.read_server import ReadServer
from tests.integration.functions_emulator import Storage, count, eventually, hosted, on_blob

Post = Callable[..., None]


def event(app: App, name: str, *, encoded: bool = True, container: str = "", **data: str) -> dict[str, Any]:
    """An event as Azure Blob Storage words it (MicrosoftDocs, "Azure Blob Storage as an Event Grid source").

    Whether Azure percent-encodes the name in its URL is not documented; both are tried.
    """
    container = container or app.settings.input_container
    path = f"{container}/{quote(name) if encoded else name}"
    kind = data.pop("type", "Microsoft.Storage.BlobCreated")
    return {
        "topic": "/subscriptions/0/resourceGroups/rg-dev/providers/Microsoft.Storage/storageAccounts/stdocs",
        "subject": f"/blobServices/default/containers/{container}/blobs/{name}",
        "eventType": kind,
        "eventTime": "2026-11-27T10:00:00.0000000Z",
        "id": "831e1650-001e-001b-66ab-eeb76e069631",
        "data": {
            "api": "PutBlob",
            "requestId": "831e1650-001e-001b-66ab-eeb76e000000",
            "eTag": "0x8D4BCC2E4835CD0",
            "contentType": "application/octet-stream",
            "contentLength": 3,
            "blobType": "BlockBlob",
            "url": f"https://stdocs.blob.core.windows.net/{path}",
            "sequencer": "00000000000004420000000000028963",
            "storageDiagnostics": {"batchId": "b68529f3-68cd-4744-baa4-3c0498ec19f0"},
            **data,
        },
        "dataVersion": "",
        "metadataVersion": "1",
    }


def as_message(given: Mapping[str, Any]) -> str:
    """The message that the extension's handler puts into the host's queue for an event."""
    data = given["data"]
    url = urlsplit(data["url"].strip().replace("\\", "/"), allow_fragments=False)
    container, _, name = unquote(url.path.lstrip("/")).partition("/")
    return trigger_message("Host.Functions.submit_document", Version(container, name, data["eTag"], data["blobType"]))


@pytest.fixture
def post(app: App, tap: Any, tmp_path: Path) -> Iterator[Post]:
    """Posts events to the app, and waits until each has been handled, with all that follows from it."""
    storage = Storage(tap.connection_string)

    def submit_document(blob: BlobReference) -> None:  # as in function_app.py
        if app.settings.reads(blob.container, blob.name):
            app.event(blob.name)

    queue = storage.queues.get_queue_client(internal_queue_name(storage.host_id))
    storage.container = app.settings.input_container

    with hosted(on_blob(storage, submit_document, source="EventGrid"), storage, tmp_path):

        def posted(*events: Mapping[str, Any]) -> None:
            for each in events:
                queue.send_message(as_message(each))
            eventually(lambda: count(queue) == 0)
            app.run()

        yield posted


def read_missed(app: App) -> None:
    """Run `find_missed`, as every night."""
    find_missed(app.services, app.clock() + timedelta(minutes=5), settled_after=timedelta(days=-1))
    app.run()


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("PutBlob", "stdocs.blob.core.windows.net"),
        ("PutBlobFromURL", "stdocs.blob.core.windows.net"),
        ("PutBlockList", "stdocs.blob.core.windows.net"),
        ("CopyBlob", "stdocs.blob.core.windows.net"),
        ("FlushWithClose", "stdocs.dfs.core.windows.net"),
        ("SftpCommit", "stdocs.blob.core.windows.net"),
        ("PutBlob", "stdocs.blob.core.usgovcloudapi.net"),
        ("PutBlob", "files.example.com"),
    ],
)
def test_a_finished_upload_is_read_whatever_call_finished_it(app: App, post: Post, api: str, host: str) -> None:
    app.drop("sub/a.png", "one")
    path = f"{app.settings.input_container}/sub/a.png"
    post(event(app, "sub/a.png", api=api, url=f"https://{host}/{path}"))
    assert app.document("sub/a.png").status is Status.SUCCEEDED


def test_an_append_blob_is_read_in_the_version_that_exists_at_the_event(app: App, post: Post, read: ReadServer) -> None:
    blob = app.inbox.get_blob_client("log.png")
    blob.create_append_blob()  # the only call of an append blob that raises an event, while it is still empty
    post(event(app, "log.png", api="PutBlob", blobType="AppendBlob", contentLength="0"))
    assert app.document("log.png").error_code == "EmptyFile"
    blob.append_block(b"one")
    read_missed(app)
    assert app.document("log.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


def test_a_repeated_event_is_paid_once(app: App, post: Post, read: ReadServer) -> None:
    app.drop("a.png", "one")
    post(*[event(app, "a.png")] * 3)
    post(event(app, "a.png", eTag="0x1"), event(app, "a.png", sequencer="0"))
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


def test_events_of_two_versions_in_the_wrong_order_end_with_the_newer_one(app: App, post: Post) -> None:
    app.drop("a.png", "one")
    first = event(app, "a.png", sequencer="1")
    app.drop("a.png", "two")
    post(event(app, "a.png", sequencer="2"), first)
    assert app.document("a.png").text == "two"


def test_the_empty_file_at_the_start_of_an_upload_is_replaced_by_the_complete_one(app: App, post: Post) -> None:
    app.drop("a.png", b"")
    post(event(app, "a.png", api="CreateFile", contentLength="0"))
    assert app.document("a.png").error_code == "EmptyFile"
    app.drop("a.png", "one")
    post(event(app, "a.png", api="FlushWithClose"))
    assert (app.document("a.png").status, app.document("a.png").text) == (Status.SUCCEEDED, "one")


def test_an_event_about_a_deleted_file_leaves_nothing(app: App, post: Post, read: ReadServer) -> None:
    post(event(app, "gone.png"), event(app, "gone.png", type="Microsoft.Storage.BlobDeleted", api="DeleteBlob"))
    assert app.services.documents.get("gone.png") is None
    assert read.requests == []


@pytest.mark.parametrize(
    ("kind", "api"),
    [("Microsoft.Storage.BlobTierChanged", "SetBlobTier"), ("Microsoft.Storage.BlobDeleted", "DeleteBlob")],
)
def test_another_kind_of_event_about_a_file_that_was_read_pays_nothing(
    app: App, post: Post, read: ReadServer, kind: str, api: str
) -> None:
    app.read("a.png", "one")
    post(event(app, "a.png", type=kind, api=api))
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


def test_events_of_other_containers_are_ignored(app: App, post: Post, read: ReadServer) -> None:
    app.read("a.png", "one")  # makes the container of results
    app.results.upload_blob("b.png", b"theirs")
    app.drop("b.png", "ours")
    post(event(app, "b.png", container=app.settings.output_container), event(app, "b.png", container="not-there"))
    assert app.services.documents.get("b.png") is None
    assert len(read.submitted) == 1


ODD = [
    "a b.png", "ä/ß.png", "日本.png", "😀.png", "a#b.png", "a%41.png", "a%2Fb.png", "100%.png", "a?x=1.png", "a+b.png",
    "a'b\".png", "{a}.png", "a//b.png", " a.png", "a.png ", "a&b=c.png", "a" * 300 + ".png",
]  # fmt: skip
RAW_AND_LOST = {"a%41.png", "a%2Fb.png", "a?x=1.png", "a.png "}
"""What is dropped without a word where the event's URL has the name as it is: it names another blob, which is not."""


@pytest.mark.parametrize("name", ODD)
def test_every_name_is_read_if_the_events_url_is_percent_encoded(app: App, post: Post, name: str) -> None:
    app.drop(name, "one")
    post(event(app, name))
    assert app.document(name).status is Status.SUCCEEDED


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_is_lost_if_the_url_is_not_encoded_is_read_by_find_missed(app: App, post: Post, name: str) -> None:
    app.drop(name, "one")
    post(event(app, name, encoded=False))
    assert (app.services.documents.get(name) is None) == (name in RAW_AND_LOST)
    read_missed(app)
    assert app.document(name).status is Status.SUCCEEDED


def test_a_change_that_raises_no_event_is_read_by_find_missed(app: App, post: Post) -> None:
    app.read("meta.png", "one")
    app.inbox.get_blob_client("meta.png").set_blob_metadata({"language": "de"})  # a new version, and no event
    app.drop("renamed.png", "two")  # BlobRenamed has no url, so it is not subscribed to
    post()
    read_missed(app)
    assert app.document("meta.png").requested_language == "de"
    assert app.document("renamed.png").status is Status.SUCCEEDED


def test_an_event_in_the_poison_queue_is_read(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    poison = app.queues.get_queue_client("webjobs-blobtrigger-poison")
    if "webjobs-blobtrigger-poison" not in [queue.name for queue in app.queues.list_queues()]:
        poison.create_queue()
    poison.send_message(as_message(event(app, "a.png")))
    recover_stalled(app.services, app.clock() + timedelta(minutes=5))
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1

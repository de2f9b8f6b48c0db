"""The blob trigger of the Functions emulator, against Azurite."""

# ruff: noqa: ARG001 - a function of an app takes what its trigger gives it, used or not

import base64
import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import azure.functions as func
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient

from blob_binding import BlobReference
from local.functions_emulator import receipts
from local.functions_emulator.admin import Rejected
from local.functions_emulator.blob_trigger import POISON_QUEUE, internal_queue_name, trigger_message
from local.functions_emulator.receipts import Receipts, Version, receipt_name
from local.processes import Azurite
from tests.integration.functions_emulator import Storage, count, encoded, eventually, hosted, on_blob, texts

ODD_NAMES = [
    "a b.pdf", "sub/folder/a.pdf", "ä#?&=+.pdf", "100%.pdf", "a%2Fb.pdf", "it's \"quoted\".pdf", "emoji 🎉.pdf",
    "~!$@[]().pdf", "no-extension", ".hidden", "a;b,c.pdf", "日本語.pdf",
]  # fmt: skip


@pytest.fixture
def storage(azurite: Azurite) -> Storage:
    storage = Storage(azurite.connection_string)
    storage.blobs.create_container(storage.container)
    with suppress(ResourceNotFoundError):
        storage.queues.get_queue_client(POISON_QUEUE).clear_messages()  # its name is the same for every host
    return storage


class Seen:
    """The names of the blobs that a function was run with."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def function(self) -> Callable[..., None]:
        def read(blob: BlobReference) -> None:
            self.names.append(blob.name)

        return read


def internal_queue(storage: Storage) -> int:
    return count(storage.queues.get_queue_client(internal_queue_name(storage.host_id)))


def test_blobs_from_before_and_after_the_start_are_run_once_each(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    storage.put("before")
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        eventually(lambda: seen.names == ["before"])
        storage.put("after")
        eventually(lambda: len(seen.names) == 2 and internal_queue(storage) == 0)
    assert sorted(seen.names) == ["after", "before"]


def test_names_arrive_as_they_are(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    for name in ODD_NAMES:
        storage.put(name)
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        eventually(lambda: len(seen.names) >= len(ODD_NAMES))
    assert sorted(seen.names) == sorted(ODD_NAMES)


def test_blobs_of_the_same_second_are_all_found(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        for number in range(30):  # between scans, many in the same second; one scan sees a part of them
            storage.put(f"{number:02}")
        eventually(lambda: len(seen.names) >= 30)
    assert sorted(seen.names) == [f"{number:02}" for number in range(30)]


def test_a_restart_runs_no_version_again(storage: Storage, tmp_path: Path) -> None:
    first, second = Seen(), Seen()
    storage.put("old")
    with hosted(on_blob(storage, first.function()), storage, tmp_path):
        eventually(lambda: first.names == ["old"])
    with hosted(on_blob(storage, second.function()), storage, tmp_path):
        storage.put("new")
        eventually(lambda: second.names)
    assert second.names == ["new"]


def test_another_host_id_runs_everything_again(storage: Storage, tmp_path: Path) -> None:
    first, second = Seen(), Seen()
    storage.put("a")
    with hosted(on_blob(storage, first.function()), storage, tmp_path):
        eventually(lambda: first.names == ["a"])
    storage.host_id += "x"
    with hosted(on_blob(storage, second.function()), storage, tmp_path):
        eventually(lambda: second.names == ["a"])


@pytest.mark.parametrize("change", ["content", "metadata"])
def test_a_new_version_is_run_again(storage: Storage, tmp_path: Path, change: str) -> None:
    seen = Seen()
    storage.put("a")
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        eventually(lambda: seen.names == ["a"])
        if change == "content":
            storage.put("a", b"other")
        else:
            storage.blobs.get_blob_client(storage.container, "a").set_blob_metadata({"k": "v"})
        eventually(lambda: seen.names == ["a", "a"])


def test_a_blob_that_does_not_match_the_path_is_not_run(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    for name in ("in/a.pdf", "out/a.pdf", "in/a.txt"):
        storage.put(name)
    with hosted(on_blob(storage, seen.function(), "in/{name}.pdf"), storage, tmp_path):
        eventually(lambda: seen.names)
        storage.put("in/b.pdf")
        eventually(lambda: len(seen.names) >= 2)
    assert seen.names == ["in/a.pdf", "in/b.pdf"]


def test_a_container_that_is_created_later_is_scanned_then(azurite: Azurite, tmp_path: Path) -> None:
    storage, seen = Storage(azurite.connection_string), Seen()
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        storage.blobs.create_container(storage.container)
        storage.put("a")
        eventually(lambda: seen.names == ["a"])


def test_an_input_stream_has_content_name_length_and_metadata(storage: Storage, tmp_path: Path) -> None:
    streams: list[func.InputStream] = []

    def read(blob: func.InputStream) -> None:
        streams.append(blob)

    storage.put("sub/ä.txt", b"hello", metadata={"language": "de"})
    with hosted(on_blob(storage, read), storage, tmp_path):
        eventually(lambda: streams)
    (stream,) = streams
    assert (stream.name, stream.length, stream.read()) == (f"{storage.container}/sub/ä.txt", 5, b"hello")
    assert stream.metadata == {"language": "de"}  # type: ignore[attr-defined]  # azure-functions' own stream has it
    assert stream.uri is not None
    assert stream.uri.endswith(f"/{storage.container}/sub/%C3%A4.txt")


def test_a_parameter_of_bytes_gets_the_content(storage: Storage, tmp_path: Path) -> None:
    contents = []

    def read(blob: bytes) -> None:
        contents.append(blob)

    storage.put("a", b"")
    storage.put("b", b"\x00\xff")
    with hosted(on_blob(storage, read), storage, tmp_path):
        eventually(lambda: sorted(contents) == [b"", b"\x00\xff"])


def test_a_failing_blob_goes_to_the_poison_queue_after_the_threshold(storage: Storage, tmp_path: Path) -> None:
    calls = []

    def read(blob: BlobReference) -> None:
        calls.append(blob.name)
        raise RuntimeError

    storage.put("bad")
    with hosted(on_blob(storage, read), storage, tmp_path, blobs={"poisonBlobThreshold": 2}):
        eventually(lambda: len(calls) == 2 and internal_queue(storage) == 0)
    assert poisoned(storage) == ["bad"]


def poisoned(storage: Storage) -> list[str]:
    """The names of the blobs in the poison queue."""
    messages = texts(storage.queues.get_queue_client(POISON_QUEUE))
    return [json.loads(base64.b64decode(message))["BlobName"] for message in messages]


def hand_message(storage: Storage, name: str, etag: str, function: str = "read") -> None:
    queue = storage.queues.get_queue_client(internal_queue_name(storage.host_id))
    version = Version(storage.container, name, etag)
    queue.send_message(trigger_message(f"Host.Functions.{function}", version))


def test_a_message_of_a_deleted_blob_or_an_unknown_function_is_dropped(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    with hosted(on_blob(storage, seen.function()), storage, tmp_path, blobs={"poisonBlobThreshold": 1}):
        hand_message(storage, "deleted", '"0x1"')
        hand_message(storage, "deleted", '"0x1"', function="gone")
        eventually(lambda: internal_queue(storage) == 0)
    assert seen.names == []
    assert poisoned(storage) == []


def test_a_message_of_an_older_version_is_dropped_and_the_newer_one_is_run(storage: Storage, tmp_path: Path) -> None:
    etags = []

    def read(blob: func.InputStream) -> None:
        properties = blob.blob_properties  # type: ignore[attr-defined]  # azure-functions' own stream has it
        etags.append(properties["ETag"])

    with hosted(on_blob(storage, read), storage, tmp_path):
        newest = storage.put("a")
        hand_message(storage, "a", '"0x1"')
        eventually(lambda: etags and internal_queue(storage) == 0)
    assert etags == [newest]


def test_an_undecodable_message_of_the_internal_queue_is_dropped(storage: Storage, tmp_path: Path) -> None:
    with hosted(on_blob(storage, Seen().function()), storage, tmp_path):
        storage.queues.get_queue_client(internal_queue_name(storage.host_id)).send_message("not base64!")
        eventually(lambda: internal_queue(storage) == 0)


@pytest.mark.parametrize("body", ["{}", "[]", "null", "{", '{"FunctionId": []}'])
def test_an_invalid_message_of_the_internal_queue_ends_in_the_hosts_poison_queue(
    storage: Storage, tmp_path: Path, body: str
) -> None:
    with hosted(on_blob(storage, Seen().function()), storage, tmp_path, blobs={"poisonBlobThreshold": 1}):
        storage.queues.get_queue_client(internal_queue_name(storage.host_id)).send_message(encoded(body))
        eventually(lambda: internal_queue(storage) == 0)
    assert texts(storage.queues.get_queue_client(POISON_QUEUE)) == [encoded(body)]


def test_a_receipt_is_complete_once_the_blob_is_queued(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    etag = storage.put("sub/a")
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        eventually(lambda: seen.names)
    (receipt,) = storage.receipts()
    assert receipt == receipt_name(storage.host_id, "Host.Functions.read", Version(storage.container, "sub/a", etag))
    properties = storage.blobs.get_blob_client("azure-webjobs-hosts", receipt).get_blob_properties()
    assert properties.metadata == {}
    assert properties.lease.state == "available"


def test_a_version_whose_receipt_is_incomplete_is_queued(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    etag = storage.put("a")
    receipt = receipt_name(storage.host_id, "Host.Functions.read", Version(storage.container, "a", etag))
    # The receipt is of a host that died before it queued the blob.
    receipts = storage.blobs.get_container_client("azure-webjobs-hosts")
    receipts.upload_blob(receipt, b"", metadata={"Incomplete": "Incomplete"})
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        eventually(lambda: seen.names == ["a"])


def test_a_receipt_that_another_host_holds_is_tried_again_at_the_next_scan(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    etag = storage.put("a")
    receipt = storage.blobs.get_blob_client(
        "azure-webjobs-hosts",
        receipt_name(storage.host_id, "Host.Functions.read", Version(storage.container, "a", etag)),
    )
    receipt.upload_blob(b"", metadata={"Incomplete": "Incomplete"})
    lease = receipt.acquire_lease(60)
    with hosted(on_blob(storage, seen.function()), storage, tmp_path):
        storage.put("b")
        eventually(lambda: seen.names == ["b"])
        lease.release()
        eventually(lambda: seen.names == ["b", "a"])


def test_a_version_that_another_host_queues_meanwhile_is_not_queued_again(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, queued = Version(storage.container, "a", '"0x1"'), []
    look = receipts._is_completed

    def look_before_the_other_host_completes_it(receipt: BlobClient) -> bool | None:
        seen = look(receipt)
        receipt.upload_blob(b"", overwrite=True)
        monkeypatch.undo()
        return seen

    other = Receipts(storage.blobs, storage.host_id, 30)
    with pytest.raises(RuntimeError):
        other.once("Host.Functions.read", version, die)  # leaves the receipt incomplete
    monkeypatch.setattr(receipts, "_is_completed", look_before_the_other_host_completes_it)
    assert other.once("Host.Functions.read", version, lambda: queued.append(version))
    assert queued == []


def die() -> None:
    raise RuntimeError


def test_two_hosts_with_the_same_id_run_each_blob_once(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    with (
        hosted(on_blob(storage, seen.function()), storage, tmp_path),
        hosted(on_blob(storage, seen.function()), storage, tmp_path),
    ):
        for number in range(20):
            storage.put(f"{number:02}")
        eventually(lambda: len(seen.names) >= 20 and internal_queue(storage) == 0)
    assert sorted(seen.names) == [f"{number:02}" for number in range(20)]


def test_a_name_too_long_for_a_receipt_is_skipped_with_a_warning_and_stops_no_other(
    storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Seen()
    storage.put("l" * 1024)
    storage.put("m")
    with caplog.at_level(logging.WARNING), hosted(on_blob(storage, seen.function()), storage, tmp_path):
        eventually(lambda: seen.names)
    assert seen.names == ["m"]
    assert [message for message in caplog.messages if "too long for a receipt" in message]


def test_no_more_blobs_run_at_once_than_the_degree_of_parallelism(storage: Storage, tmp_path: Path) -> None:
    lock, may_end = threading.Lock(), threading.Event()
    running = most = done = 0

    def read(blob: BlobReference) -> None:
        nonlocal running, most, done
        with lock:
            running += 1
            most = max(most, running)
        may_end.wait(0.3)
        with lock:
            running -= 1
            done += 1

    for number in range(8):
        storage.put(str(number))
    with hosted(on_blob(storage, read), storage, tmp_path, blobs={"maxDegreeOfParallelism": 2}):
        eventually(lambda: done == 8)
    assert most == 2


def test_with_event_grid_nothing_arrives_by_itself_and_no_receipt_is_written(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    storage.put("by itself")
    storage.put("by hand")
    with hosted(on_blob(storage, seen.function(), source=func.BlobSource.EVENT_GRID), storage, tmp_path) as host:
        host.calls["read"](f"{storage.container}/by hand")
        eventually(lambda: seen.names and internal_queue(storage) == 0)
    assert seen.names == ["by hand"]
    assert storage.receipts() == []


def test_with_event_grid_the_version_is_not_checked(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    storage.put("a")
    with hosted(on_blob(storage, seen.function(), source="EventGrid"), storage, tmp_path):
        hand_message(storage, "a", '"0x1"')
        eventually(lambda: seen.names == ["a"])


def test_a_blob_that_a_person_submits_runs_whatever_its_receipt_says(storage: Storage, tmp_path: Path) -> None:
    seen = Seen()
    storage.put("sub/a")
    with hosted(on_blob(storage, seen.function()), storage, tmp_path) as host:
        eventually(lambda: seen.names == ["sub/a"])
        host.calls["read"](f"{storage.container}/sub/a")
        eventually(lambda: seen.names == ["sub/a", "sub/a"])


@pytest.mark.parametrize("given", ["missing", "no-container", None, 7])
def test_submitting_a_name_without_a_blob_is_refused(storage: Storage, tmp_path: Path, given: object) -> None:
    app = on_blob(storage, Seen().function())
    with hosted(app, storage, tmp_path) as host, pytest.raises(Rejected, match="no such blob"):
        host.calls["read"](f"{storage.container}/missing" if given == "missing" else given)

"""What the in-memory storage adds to the real one: faults, a log, a virtual clock, and repeatable results."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ServiceResponseError

from simulation.storage import MemoryStorage, Operation, SentAgain, refused

NOW = datetime(2026, 11, 22, 16, 38, tzinfo=UTC)


class Crash(BaseException):
    """The process ends."""


@pytest.fixture
def storage() -> MemoryStorage:
    """Storage with a container `inbox`, a queue `work` and a table `rows`."""
    storage = MemoryStorage(lambda: NOW)
    storage.blobs().get_container_client("inbox").create_container()
    storage.queues().get_queue_client("work").create_queue()
    storage.tables().get_table_client("rows").create_table()
    storage.log.clear()
    return storage


def write_everywhere(storage: MemoryStorage) -> list[Callable[[], Any]]:
    """A write to each service; each raises the count of `stored_everywhere` by one."""
    blob = storage.blobs().get_blob_client("inbox", "a")
    queue = storage.queues().get_queue_client("work")
    table = storage.tables().get_table_client("rows")
    return [
        lambda: blob.upload_blob(b"x"),
        lambda: queue.send_message("x"),
        lambda: table.submit_transaction([("create", {"PartitionKey": "p", "RowKey": "r"})]),
    ]


def stored_everywhere(storage: MemoryStorage) -> int:
    return len([*storage.blobs_in("inbox"), *storage.messages_in("work"), *storage.rows_in("rows")])


def raising(error: BaseException, when: str) -> Callable[[Operation], None]:
    def fault(operation: Operation) -> None:
        if operation.when == when:
            raise error

    return fault


@pytest.mark.parametrize("error", [Crash(), ServiceResponseError("lost")], ids=["crash", "lost"])
def test_a_fault_before_a_request_leaves_nothing_behind(storage: MemoryStorage, error: BaseException) -> None:
    storage.fault = raising(error, "before")
    for write in write_everywhere(storage):
        with pytest.raises(type(error)):
            write()
    assert stored_everywhere(storage) == 0


@pytest.mark.parametrize("error", [Crash(), ServiceResponseError("lost")], ids=["crash", "lost"])
def test_after_a_fault_behind_a_request_its_effect_stays(storage: MemoryStorage, error: BaseException) -> None:
    storage.fault = raising(error, "after")
    for write in write_everywhere(storage):
        with pytest.raises(type(error)):
            write()
    assert stored_everywhere(storage) == 3


def test_a_refusal_has_a_status_and_a_code(storage: MemoryStorage) -> None:
    storage.fault = raising(refused("ServerBusy", 503, {"Retry-After": "7"}), "before")
    for write in write_everywhere(storage):
        with pytest.raises(HttpResponseError) as error:
            write()
        assert error.value.status_code == 503
        assert error.value.response.headers["retry-after"] == "7"  # type: ignore[union-attr]


def test_a_repeated_request_meets_its_own_effect(storage: MemoryStorage) -> None:
    calls: list[Operation] = []

    def lose_the_first_answer(operation: Operation) -> None:
        calls.append(operation)
        if operation.when == "after" and calls.count(operation) == 1:
            raise SentAgain

    storage.fault = lose_the_first_answer
    upload, send, create = write_everywhere(storage)
    with pytest.raises(ResourceExistsError):
        upload()
    send()
    assert len(storage.messages_in("work")) == 2
    with pytest.raises(HttpResponseError, match="0:The specified entity already exists"):
        create()


def test_a_refused_request_has_no_fault_after_it(storage: MemoryStorage) -> None:
    seen: list[str] = []
    storage.fault = lambda operation: seen.append(operation.when)
    with pytest.raises(HttpResponseError):
        storage.tables().get_table_client("rows").get_entity("p", "r")
    assert seen == ["before"]


def test_every_chunk_and_every_page_is_a_request(storage: MemoryStorage) -> None:
    inbox = storage.blobs(
        max_single_put_size=4, max_block_size=4, max_single_get_size=4, max_chunk_get_size=4
    ).get_container_client("inbox")
    blob, table = inbox.get_blob_client("a"), storage.tables().get_table_client("rows")
    blob.upload_blob(b"0123456789")
    assert blob.download_blob(max_concurrency=8).readall() == b"0123456789"
    table.submit_transaction([("create", {"PartitionKey": "p", "RowKey": str(n)}) for n in range(3)])
    assert len(list(table.query_entities("PartitionKey eq 'p'", results_per_page=2))) == 3
    assert len(list(inbox.list_blobs())) == 1
    assert [entry.split()[1] for entry in storage.log] == [
        *["put_block", "put_block", "put_block", "put_block_list"],
        *["get_blob", "get_blob", "get_blob"],
        *["submit_transaction", "query_entities", "query_entities", "list_blobs"],
    ]


def test_others_may_act_between_two_requests_of_one_call(storage: MemoryStorage) -> None:
    sizes = {"max_single_get_size": 4, "max_chunk_get_size": 4}
    blob = storage.blobs(**sizes).get_blob_client("inbox", "a")
    blob.upload_blob(b"0123456789")
    download = blob.download_blob()

    def overwrite(_: Operation) -> None:
        storage.fault = None
        storage.blobs().get_blob_client("inbox", "a").upload_blob(b"9876543210", overwrite=True)

    storage.fault = overwrite
    with pytest.raises(ResourceModifiedError):
        download.readall()


def test_the_log_has_names_and_outcomes_and_no_content(storage: MemoryStorage) -> None:
    for write in write_everywhere(storage) * 2:
        try:
            write()
        except HttpResponseError:
            storage.fault = raising(Crash(), "before")
            break
    with pytest.raises(Crash):
        storage.queues().get_queue_client("work").receive_message()
    assert storage.log == [
        "blob put_blob 'inbox/a'",
        "queue send_message 'work'",
        "table submit_transaction 'rows/p/r'",
        "blob put_blob 'inbox/a' -> BlobAlreadyExists",
        "queue receive_messages 'work' -> Crash",
    ]


def test_the_log_is_in_the_order_in_which_requests_begin(storage: MemoryStorage) -> None:
    def within(_: Operation) -> None:
        storage.fault = None
        storage.queues().get_queue_client("work").send_message("x")

    storage.fault = within
    with pytest.raises(HttpResponseError):
        storage.tables().get_table_client("rows").get_entity("p", "r")
    assert storage.log == ["table get_entity 'rows/p/r' -> ResourceNotFound", "queue send_message 'work'"]


def test_the_same_requests_get_the_same_answers() -> None:
    def answers() -> str:
        storage = MemoryStorage(lambda: NOW)
        container = storage.blobs().get_container_client("inbox")
        queue, table = storage.queues().get_queue_client("work"), storage.tables().get_table_client("rows")
        for create in (container.create_container, queue.create_queue, table.create_table):
            create()
        table.create_entity({"PartitionKey": "p", "RowKey": "r"})
        queue.send_message("x")
        read = (queue.receive_message(), table.get_entity("p", "r").metadata)
        return repr([container.upload_blob("a", b"x").get_blob_properties(), *read])

    assert answers() == answers()


def test_the_time_comes_from_the_clock() -> None:
    now = NOW
    storage = MemoryStorage(lambda: now)
    queue = storage.queues().get_queue_client("work")
    queue.create_queue()
    queue.send_message("x", visibility_timeout=3600)
    assert queue.receive_message() is None
    now += timedelta(hours=1)
    assert queue.receive_message() is not None


@pytest.mark.parametrize(
    "query_filter",
    [
        "PartitionKey eq 'p' or RowKey eq 'r'",
        "not (RowKey eq 'r')",
        "Number ne 5",
        "Guid eq guid'00000000-0000-0000-0000-000000000005'",
        "PartitionKey eq 'p' and",
        "RowKey",
    ],
)
def test_an_unknown_filter_is_refused(storage: MemoryStorage, query_filter: str) -> None:
    with pytest.raises(NotImplementedError):
        list(storage.tables().get_table_client("rows").query_entities(query_filter))


def test_a_comparison_of_different_types_is_refused(storage: MemoryStorage) -> None:
    table = storage.tables().get_table_client("rows")
    table.create_entity({"PartitionKey": "p", "RowKey": "r", "Number": 1})
    with pytest.raises(NotImplementedError):
        list(table.query_entities("Number eq '1'"))


def test_an_option_that_is_not_simulated_is_refused(storage: MemoryStorage) -> None:
    blob = storage.blobs().get_blob_client("inbox", "a")
    blob.upload_blob(b"x", timeout=5)
    uses: list[Callable[[], object]] = [
        lambda: blob.upload_blob(b"x", tags={"a": "b"}, overwrite=True),
        lambda: blob.download_blob(if_modified_since=NOW),
        lambda: blob.delete_blob(delete_snapshots="only"),
        lambda: list(storage.blobs().get_container_client("inbox").list_blobs(include=["snapshots"])),
        lambda: storage.tables().get_table_client("rows").get_entity("p", "r", prefer="return-content"),
    ]
    for use in uses:
        with pytest.raises(NotImplementedError):
            use()

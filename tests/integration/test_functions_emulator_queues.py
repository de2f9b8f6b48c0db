"""The queue trigger of the Functions emulator, against Azurite."""

# ruff: noqa: ARG001 - a function of an app takes what its trigger gives it, used or not

import logging
import threading
from pathlib import Path

import azure.functions as func
import pytest

from local.processes import Azurite
from tests.integration.functions_emulator import Storage, count, encoded, eventually, hosted, on_queue, texts


@pytest.fixture
def storage(azurite: Azurite) -> Storage:
    storage = Storage(azurite.connection_string)
    storage.queue.create_queue()
    return storage


def test_a_message_is_run_and_deleted(storage: Storage, tmp_path: Path) -> None:
    bodies: list[bytes] = []

    def work(message: func.QueueMessage) -> None:
        bodies.append(message.get_body())

    storage.queue.send_message(encoded("ä 1"))
    with hosted(on_queue(storage, work), storage, tmp_path):
        eventually(lambda: count(storage.queue) == 0)
    assert bodies == ["ä 1".encode()]


def test_an_async_function_is_awaited(storage: Storage, tmp_path: Path) -> None:
    bodies = []

    async def work(message: str) -> None:
        bodies.append(message)

    storage.queue.send_message(encoded("one"))
    with hosted(on_queue(storage, work), storage, tmp_path):
        eventually(lambda: count(storage.queue) == 0)
    assert bodies == ["one"]


def test_a_failed_message_comes_back_with_its_dequeue_count_raised(storage: Storage, tmp_path: Path) -> None:
    counts = []

    def work(message: func.QueueMessage) -> None:
        counts.append(message.dequeue_count)
        if len(counts) < 3:
            raise RuntimeError

    storage.queue.send_message(encoded("one"))
    with hosted(on_queue(storage, work), storage, tmp_path):
        eventually(lambda: count(storage.queue) == 0)
    assert counts == [1, 2, 3]
    assert texts(storage.poison) == []


def test_a_failed_message_stays_hidden_for_the_visibility_timeout(storage: Storage, tmp_path: Path) -> None:
    failed = threading.Event()

    def work(message: str) -> None:
        failed.set()
        raise RuntimeError

    storage.queue.send_message(encoded("one"))
    with hosted(on_queue(storage, work), storage, tmp_path, queues={"visibilityTimeout": "00:05:00"}) as host:
        assert failed.wait(10)
        assert host.stop()
    assert texts(storage.queue) == []
    assert count(storage.queue) == 1


def test_the_last_failure_moves_the_message_to_the_poison_queue(storage: Storage, tmp_path: Path) -> None:
    calls = []

    def work(message: str) -> None:
        calls.append(message)
        raise RuntimeError

    storage.queue.send_message(encoded("bad"))
    with hosted(on_queue(storage, work), storage, tmp_path, queues={"maxDequeueCount": 2}):
        eventually(lambda: texts(storage.poison) == [encoded("bad")] and count(storage.queue) == 0)
    assert calls == ["bad", "bad"]


def test_a_message_that_killed_its_hosts_too_often_is_poison_without_another_run(
    storage: Storage, tmp_path: Path
) -> None:
    def work(message: str) -> None:
        pytest.fail("must not be called")

    storage.queue.send_message(encoded("deadly"))
    assert storage.queue.receive_message(visibility_timeout=1)  # a host that took it, and died
    with hosted(on_queue(storage, work), storage, tmp_path, queues={"maxDequeueCount": 1}):
        eventually(lambda: texts(storage.poison) == [encoded("deadly")])


def test_a_message_that_is_not_base64_is_poison_at_once_and_unchanged(storage: Storage, tmp_path: Path) -> None:
    def work(message: str) -> None:
        pytest.fail("must not be called")

    storage.queue.send_message("{plain <text>}")
    with hosted(on_queue(storage, work), storage, tmp_path):
        eventually(lambda: texts(storage.poison) == ["{plain <text>}"] and count(storage.queue) == 0)


def test_with_encoding_none_the_text_is_the_body(storage: Storage, tmp_path: Path) -> None:
    bodies = []

    def work(message: str) -> None:
        bodies.append(message)

    storage.queue.send_message("{plain <text>}")
    with hosted(on_queue(storage, work), storage, tmp_path, queues={"messageEncoding": "none"}):
        eventually(lambda: bodies == ["{plain <text>}"])


def test_a_poison_queue_gets_no_poison_queue_of_its_own(storage: Storage, tmp_path: Path) -> None:
    calls = []

    def work(message: str) -> None:
        calls.append(message)
        raise RuntimeError

    storage.poison.create_queue()
    storage.poison.send_message(encoded("again"))
    app = on_queue(storage, work, f"{storage.queue_name}-poison")
    with hosted(app, storage, tmp_path, queues={"maxDequeueCount": 1}, lease_seconds=1):
        eventually(lambda: len(calls) >= 2)  # left until its lease ends, then run again, over the limit
    assert not [queue for queue in storage.queues.list_queues() if queue.name.endswith("-poison-poison")]
    assert count(storage.poison) == 1


def test_a_lease_is_renewed_for_as_long_as_the_function_runs(storage: Storage, tmp_path: Path) -> None:
    calls = []
    may_end = threading.Event()

    def work(message: str) -> None:
        calls.append(message)
        may_end.wait(10)

    storage.queue.send_message(encoded("long"))
    with hosted(on_queue(storage, work), storage, tmp_path, lease_seconds=1):
        eventually(lambda: calls)
        assert not may_end.wait(2.5)  # more than two leases, during which the host itself asks for messages
        assert texts(storage.queue) == []
        may_end.set()
        eventually(lambda: count(storage.queue) == 0)  # deleted with the newest pop receipt
    assert calls == ["long"]


def test_a_message_that_was_deleted_meanwhile_is_no_error(
    storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def work(message: func.QueueMessage) -> None:
        assert message.id is not None
        storage.queue.delete_message(message.id, message.pop_receipt)
        done.set()

    storage.queue.send_message(encoded("one"))
    with caplog.at_level(logging.WARNING), hosted(on_queue(storage, work), storage, tmp_path):
        assert done.wait(10)
    assert caplog.messages == []


def test_the_host_waits_for_a_missing_queue_and_does_not_create_it(
    azurite: Azurite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = Storage(azurite.connection_string)
    bodies = []

    def work(message: str) -> None:
        bodies.append(message)

    with hosted(on_queue(storage, work), storage, tmp_path):
        eventually(lambda: "cannot be read; trying again: 404 QueueNotFound" in caplog.text)
        assert not list(storage.queues.list_queues(name_starts_with=storage.queue_name))
        storage.queue.create_queue()
        storage.queue.send_message(encoded("late"))
        eventually(lambda: bodies == ["late"])


def test_no_more_run_at_once_than_batch_size_and_threshold_allow(storage: Storage, tmp_path: Path) -> None:
    lock, may_end = threading.Lock(), threading.Event()
    running: list[str] = []
    most = 0

    def work(message: str) -> None:
        nonlocal most
        with lock:
            running.append(message)
            most = max(most, len(running))
        may_end.wait(10)
        with lock:
            running.remove(message)

    for number in range(12):
        storage.queue.send_message(encoded(str(number)))
    with hosted(on_queue(storage, work), storage, tmp_path, queues={"batchSize": 3, "newBatchThreshold": 2}):
        eventually(lambda: len(running) >= 3)
        assert not may_end.wait(0.5)  # time for a host that fetches too much to do so
        assert len(running) == 3  # a new batch is fetched at 2 or fewer
        may_end.set()
        eventually(lambda: count(storage.queue) == 0)
    assert most <= 5


def test_a_stopping_host_finishes_its_messages_and_fetches_no_more(storage: Storage, tmp_path: Path) -> None:
    started, may_end = threading.Event(), threading.Event()
    bodies = []

    def work(message: str) -> None:
        started.set()
        may_end.wait(10)
        bodies.append(message)

    storage.queue.send_message(encoded("first"))
    queues = {"batchSize": 1, "newBatchThreshold": 0}
    with hosted(on_queue(storage, work), storage, tmp_path, queues=queues) as host:
        assert started.wait(10)
        storage.queue.send_message(encoded("second"))
        assert not host.stop(patience=0.2)
        may_end.set()
    assert bodies == ["first"]
    assert texts(storage.queue) == [encoded("second")]


def test_a_queue_function_is_run_on_request_with_a_body(storage: Storage, tmp_path: Path) -> None:
    bodies = []

    def work(message: str) -> None:
        bodies.append(message)

    with hosted(on_queue(storage, work), storage, tmp_path) as host:
        host.calls["work"]("by hand")
        host.calls["work"]({"v": 1})
        eventually(lambda: sorted(bodies) == ["by hand", '{"v": 1}'])

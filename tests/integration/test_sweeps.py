"""Sweeps and operators' requests: a lost message loses nothing, and a forgotten document stays forgotten."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from shared.document import Status
from shared.message import Message
from shared.missed import find_missed
from shared.recover import recover_stalled
from shared.storage.connection import table_service
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded
from shared.tasks import again, forget
from simulation.app import App, Clock, settings_for
from simulation.read_server import FAILED, RUNNING, THROTTLED, ReadServer
from simulation.storage_tap import Call, StorageTap

LONGER_THAN_ANY_CLAIM = 3600


class Crash(BaseException):
    """The worker's process dies, whatever the code around it catches."""


class DyingRead:
    """A Read client whose process dies during a call."""

    def submit(self, *_: object) -> None:
        raise Crash


def dies_while_posting(app: App, name: str) -> None:
    other = app.twin()
    dying: Any = DyingRead()
    other.services = replace(other.services, read=dying)
    with pytest.raises(Crash):
        other.event(name)


def sweep(app: App, seconds_later: float = LONGER_THAN_ANY_CLAIM) -> None:
    app.clock.passes(seconds_later)
    recover_stalled(app.services, app.clock() + timedelta(hours=1))


def enqueue_missed(app: App) -> int:
    app.clock.passes(LONGER_THAN_ANY_CLAIM)
    return find_missed(app.services, app.clock() + timedelta(hours=1))


# Stalled


def test_a_file_whose_run_died_while_posting_is_submitted_again_and_counted_as_paid(app: App) -> None:
    app.drop("a.png", "one")
    dies_while_posting(app, "a.png")
    sweep(app)
    app.run()
    document = app.document("a.png")
    assert (document.status, document.submits) == (Status.SUCCEEDED, 2)


def test_a_claim_is_left_to_its_holder_until_the_holder_must_be_dead(app: App) -> None:
    app.drop("a.png", "one")
    dies_while_posting(app, "a.png")
    sweep(app, 60)
    assert not app.sent.messages


@pytest.mark.parametrize("answer", [RUNNING, THROTTLED])
def test_a_document_whose_message_was_lost_is_polled_again_unpaid(app: App, read: ReadServer, answer: Any) -> None:
    read.gets.append(answer)
    app.drop("a.png", "one")
    app.event("a.png")
    app.step()
    app.sent.messages.clear()
    sweep(app)
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


def test_a_document_that_is_not_overdue_is_not_requeued(app: App) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    app.read("b.png", "done")
    app.sent.messages.clear()
    sweep(app, 60)
    assert not app.sent.messages


def test_a_document_is_polled_even_if_its_queue_is_always_an_hour_behind(app: App) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    for _ in range(3):
        sweep(app)
        app.step()
        if not app.sent.messages:
            break
    assert app.document("a.png").polls > 0


def test_a_poisoned_poll_gets_one_more_and_its_paid_result(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    poison(app, app.sent.messages.popleft()[0])
    sweep(app, 60)
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


def test_no_number_of_poisonings_fails_a_document_whose_result_is_paid(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    for _ in range(4):
        poison(app, app.sent.messages.popleft()[0])
        sweep(app, 200)  # what was drained is hidden for a while
        assert app.document("a.png").status is Status.READING
    app.run()
    assert app.document("a.png").text == "one"
    assert read.submitted == [b"one"]


def poison(app: App, text: str) -> None:
    """What the host does with a message that failed five times."""
    connection = app.settings.storage.connection_string or ""
    queue = QueueClient.from_connection_string(
        connection, f"{app.settings.read_queue}-poison", message_encode_policy=TextBase64EncodePolicy()
    )
    if not any(found.name == queue.queue_name for found in app.queues.list_queues(queue.queue_name)):
        queue.create_queue()
    queue.send_message(text)


def test_a_row_that_cannot_be_read_does_not_keep_others_from_being_recovered(app: App, read: ReadServer) -> None:
    read.posts.extend([THROTTLED] * 2)
    for name in ("a.png", "b.png"):
        app.drop(name, "one")
        app.event(name)
        app.clock.passes(60)  # until Read may be called again
    app.sent.messages.clear()
    documents = table_service(app.settings.storage).get_table_client(app.settings.documents_table)
    row = documents.get_entity(app.settings.input_container, "a.png")
    documents.update_entity({**row, "Status": "a later version's"})
    sweep(app)
    app.run()
    assert app.document("b.png").status is Status.SUCCEEDED


# Missed


def test_a_file_that_no_event_reported_is_enqueued_once(app: App, read: ReadServer) -> None:
    app.read("known.png", "one")
    app.drop("missed.png", "two")
    assert enqueue_missed(app) == 1
    app.run()
    assert app.document("missed.png").text == "two"
    assert len(read.submitted) == 2


def test_a_version_that_no_event_reported_is_enqueued(app: App) -> None:
    app.read("a.png", "one")
    app.drop("a.png", "two")
    assert enqueue_missed(app) == 1
    app.run()
    assert app.document("a.png").text == "two"


def test_a_new_file_is_left_to_its_own_event(app: App) -> None:
    app.drop("a.png", "one")
    assert find_missed(app.services, app.clock() + timedelta(hours=1)) == 0


# Again


def test_a_document_that_is_requested_again_is_read_and_paid_again(app: App, read: ReadServer) -> None:
    read.gets.append(FAILED)
    app.read("a.png", "one")
    assert again(app.services, "a.png")
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 2


def test_a_document_that_is_being_read_cannot_be_requested_again(app: App) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    assert not again(app.services, "a.png")


def test_a_request_to_read_a_name_with_a_dot_segment_ends(app: App) -> None:
    app.event("a/../b.png")
    again(app.services, "a/../b.png")
    app.run()
    assert app.document("a/../b.png").status is Status.FAILED


# Forgotten


def test_nothing_is_left_of_a_forgotten_document(app: App) -> None:
    app.read("a.png", "one\ntwo")
    forget(app.services, "a.png")
    assert app.services.documents.get("a.png") is None
    assert app.lines("a.png") == []
    assert app.output("a.png.json") is None
    assert app.output("a.png.txt") is None
    assert not app.inbox.get_blob_client("a.png").exists()


def test_a_document_that_is_forgotten_with_its_file_kept_is_not_read_again_unasked(app: App, read: ReadServer) -> None:
    app.read("a.png", "one")
    forget(app.services, "a.png", keep_file=True)
    app.inbox.get_blob_client("a.png").set_blob_metadata({"author": "someone"})
    document = app.read("a.png")
    assert (document.status, document.text) == (Status.IGNORED, None)
    assert enqueue_missed(app) == 0
    assert len(read.submitted) == 1


def test_a_slow_poll_does_not_bring_a_forgotten_document_back(app: App, tap: StorageTap) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    tap.intercept(lambda call: call.path.endswith("a.png.json"), lambda: forget(app.services, "a.png"))
    app.run()
    sweep(app)
    assert app.services.documents.get("a.png") is None
    assert app.output("a.png.json") is None
    assert app.output("a.png.txt") is None


def deletes_the_file(call: Call) -> bool:
    return call.method == "DELETE" and call.path.startswith("in-")


def test_a_file_that_is_uploaded_again_while_the_older_one_is_forgotten_is_kept(app: App, tap: StorageTap) -> None:
    app.read("a.png", "old")
    tap.intercept(deletes_the_file, lambda: app.drop("a.png", "new"))
    forget(app.services, "a.png")
    assert app.inbox.get_blob_client("a.png").exists()


@pytest.fixture
def mirror(tap: StorageTap, read: ReadServer) -> App:
    """The app, set to forget documents whose files were deleted."""
    app = App(settings_for(tap.connection_string, read.endpoint, DELETE_WITH_SOURCE="true"), Clock())
    app.create_inbox()
    return app


def test_a_document_whose_file_was_deleted_is_forgotten_if_the_setting_says_so(mirror: App) -> None:
    mirror.read("gone.png", "one")
    mirror.read("here.png", "two")
    mirror.inbox.delete_blob("gone.png")
    enqueue_missed(mirror)
    assert mirror.services.documents.get("gone.png") is None
    assert mirror.output("gone.png.txt") is None
    assert mirror.document("here.png").text == "two"


def test_a_file_that_comes_back_while_its_document_is_forgotten_is_kept(mirror: App, tap: StorageTap) -> None:
    mirror.read("a.png", "old")
    mirror.inbox.delete_blob("a.png")
    tap.intercept(lambda call: call.method == "DELETE" and call.service == "blob", lambda: mirror.drop("a.png", "new"))
    enqueue_missed(mirror)
    assert mirror.inbox.get_blob_client("a.png").exists()


def test_a_name_with_a_dot_segment_reaches_no_blob_client_in_a_sweep(mirror: App, tap: StorageTap) -> None:
    mirror.event("../secrets/a.png")
    calls = len(tap.calls)
    try:
        enqueue_missed(mirror)
    finally:
        assert not [call for call in tap.calls[calls:] if "secrets" in call.path and call.service == "blob"]


def test_forgetting_an_older_version_keeps_the_newer_ones_worklist_entry(app: App, tap: StorageTap) -> None:
    app.read("a.png", "old")

    def newer_version_whose_run_dies() -> None:
        app.drop("a.png", "new")
        dies_while_posting(app, "a.png")

    tap.intercept(deletes_the_file, newer_version_whose_run_dies)
    with suppress(Conflict):
        forget(app.services, "a.png")
    sweep(app)
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED


def test_a_version_that_arrives_during_a_forget_leaves_no_lines_behind(app: App, tap: StorageTap) -> None:
    app.read("a.png", "old")

    def newer() -> None:
        app.drop("a.png", "one\ntwo\nthree")
        app.twin().event("a.png")
        app.run()

    tap.intercept(lambda call: call.method == "DELETE" and "!head" in call.path, newer)
    with suppress(Superseded):
        forget(app.services, "a.png", keep_file=True)
    app.read("a.png", "shorter")
    assert app.lines("a.png") == ["shorter"]


def test_a_message_about_a_forgotten_document_does_nothing(app: App, read: ReadServer) -> None:
    document = app.read("a.png", "one")
    forget(app.services, "a.png")
    asked = len(read.requests)
    app.sent.send(Message.about(document).to_json(), 0)
    app.run()
    assert app.services.documents.get("a.png") is None
    assert len(read.requests) == asked

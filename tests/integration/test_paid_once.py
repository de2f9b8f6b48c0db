"""A page is paid once, however often and by however many workers a document is handled."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest

from shared.advance import advance_message
from shared.document import Status
from shared.missed import find_missed
from shared.tasks import again
from simulation.app import App
from simulation.read_server import (
    NO_SUCH_OPERATION,
    RUNNING,
    ReadServer,
    Request,
)
from simulation.storage_tap import Call, StorageTap

# Duplicates and new versions


def test_a_second_event_for_the_same_upload_pays_nothing(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    for _ in range(3):
        app.event("a.png")
    app.run()
    app.event("a.png")
    assert len(app.sent.messages) == 0
    assert len(read.submitted) == 1


def test_an_event_that_arrives_while_the_file_is_being_posted_pays_nothing(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    read.posts.append(lambda _: app.event("a.png"))
    app.event("a.png")
    app.run()
    assert len(read.submitted) == 1
    assert app.document("a.png").status is Status.SUCCEEDED


def test_two_workers_that_claim_at_the_same_time_post_once(app: App, read: ReadServer, tap: StorageTap) -> None:
    app.drop("a.png", "one")
    tap.intercept(lambda call: call.path == "$batch", lambda: app.twin().event("a.png"))
    app.event("a.png")
    app.run()
    assert len(read.submitted) == 1
    assert app.document("a.png").submits == 1


def test_a_redelivered_poll_neither_pays_nor_enqueues_another(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    text, _ = app.sent.messages[0]
    read.gets.append(RUNNING)
    app.step()
    polls, queued = read.polls, len(app.sent.messages)
    for _ in range(3):
        advance_message(app.services, text.encode())
    assert (read.polls, len(app.sent.messages)) == (polls, queued)
    app.run()
    advance_message(app.services, text.encode())
    assert len(read.submitted) == 1
    assert app.document("a.png").status is Status.SUCCEEDED


def test_a_metadata_write_makes_a_new_version_of_the_same_content_which_is_adopted_unpaid(
    app: App, read: ReadServer
) -> None:
    before = app.read("a.png", "one")
    app.inbox.get_blob_client("a.png").set_blob_metadata({"author": "someone"})
    after = app.read("a.png")
    assert len(read.submitted) == 1
    assert after.source_etag != before.source_etag
    assert (after.status, after.text, after.submits) == (Status.SUCCEEDED, "one", 1)
    metadata = app.results.get_blob_client("a.png.txt").get_blob_properties().metadata
    assert metadata["source_etag"] == after.source_etag


def test_content_that_was_adopted_can_be_adopted_again(app: App, read: ReadServer) -> None:
    app.read("a.png", "one")
    for _ in range(3):
        app.read("a.png", "one")
    assert len(read.submitted) == 1


def test_the_same_content_with_other_options_is_read_again(app: App, read: ReadServer) -> None:
    app.read("a.png", "one")
    app.inbox.get_blob_client("a.png").set_blob_metadata({"Language": "de"})
    assert app.read("a.png").requested_language == "de"
    assert [request.path for request in read.requests if request.method == "POST"][1].endswith("?language=de")


def test_content_whose_output_somebody_removed_is_read_again(app: App, read: ReadServer) -> None:
    app.read("a.png", "one")
    app.results.delete_blob("a.png.txt")
    app.drop("a.png", "one")
    assert app.read("a.png").status is Status.SUCCEEDED
    assert app.output("a.png.txt") == b"one\n"
    assert len(read.submitted) == 2


def test_two_events_for_a_new_version_of_the_same_content_pay_nothing(
    app: App, read: ReadServer, tap: StorageTap
) -> None:
    app.read("a.png", "one")
    app.drop("a.png", "one")
    adopted, done = Event(), Event()
    before = len(tap.calls)

    def is_row_after_outputs(call: Call) -> bool:
        marked = [each for each in tap.calls[before:] if each.method == "PUT" and each.path.endswith("a.png.txt")]
        return call.path == "$batch" and bool(marked)

    def other_waits_with_its_row() -> None:
        adopted.set()
        assert done.wait(10)

    with ThreadPoolExecutor() as threads:

        def other_marks_the_outputs_first() -> None:
            threads.submit(app.twin().event, "a.png")
            assert adopted.wait(10)

        tap.intercept(is_row_after_outputs, other_waits_with_its_row)
        tap.intercept(lambda call: call.method == "PUT" and call.path.endswith("json"), other_marks_the_outputs_first)
        app.event("a.png")
        done.set()
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


# Operations that Read has lost


def test_a_404_is_believed_the_second_time_and_then_submitted_once_more(app: App, read: ReadServer) -> None:
    read.gets.extend([NO_SUCH_OPERATION] * 2)
    app.drop("a.png", "one")
    app.event("a.png")
    assert [app.step(), app.step()] == [2, 30]
    assert app.document("a.png").error_code == "OperationExpired"
    assert len(read.submitted) == 1
    app.run()
    document = app.document("a.png")
    assert (document.status, document.submits, document.resubmits) == (Status.SUCCEEDED, 2, 1)


def test_an_operation_that_is_lost_again_fails_and_is_not_paid_a_third_time(app: App, read: ReadServer) -> None:
    read.gets.extend([NO_SUCH_OPERATION] * 9)
    document = app.read("a.png", "one")
    assert (document.status, document.error_code) == (Status.FAILED, "OperationExpired")
    assert len(read.submitted) == 2


def test_a_404_from_a_lagging_replica_does_not_submit_again(app: App, read: ReadServer) -> None:
    read.gets.extend([NO_SUCH_OPERATION, RUNNING, NO_SUCH_OPERATION])
    assert app.read("a.png", "one").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


@pytest.mark.parametrize("asked", [("again", "missed"), ("missed", "again"), ("missed", "again", "event")])
@pytest.mark.parametrize("order", ["as sent", "reversed", "at once"])
def test_a_missed_file_that_is_requested_in_two_ways_is_paid_once(
    app: App, read: ReadServer, asked: tuple[str, ...], order: str
) -> None:
    app.drop("a.png", "one")
    for way in asked:
        if way == "again":
            assert again(app.services, "a.png")
        elif way == "missed":
            missed(app)
        else:
            app.event("a.png")
    if order == "reversed":
        app.sent.messages.reverse()
    if order == "at once":
        text = app.sent.messages.popleft()[0]
        # The other message comes right before the POST of the first one's run.

        def meanwhile(_: Request) -> None:
            app.step()

        read.posts.append(meanwhile)
        advance_message(app.services, text.encode())
    app.run()
    missed(app)
    app.run()
    document = app.document("a.png")
    assert (document.status, document.submits) == (Status.SUCCEEDED, 1)
    assert len(read.submitted) == 1


def missed(app: App) -> None:
    """Run the comparison as an operator does."""
    find_missed(app.services, app.clock() + timedelta(minutes=1), settled_after=timedelta(0))

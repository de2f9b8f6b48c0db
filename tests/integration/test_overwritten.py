"""A file that is overwritten ends as its newest version, and nothing is left of the older one."""

import json
from base64 import b64decode
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.document import Status
from shared.recover import recover_stalled
from simulation.app import App, Clock, settings_for
from simulation.read_server import (
    FAILED,
    ReadServer,
    succeeded,
)
from simulation.storage_tap import Call, StorageTap


def assert_nothing_is_left_of(name: str, app: App) -> None:
    document = app.document(name)
    assert (document.text, document.text_blob, document.result_blob, document.line_count) == (None,) * 4
    assert app.lines(name) == []
    assert app.output(f"{name}.json") is None
    assert app.output(f"{name}.txt") is None


def test_a_newer_version_leaves_nothing_of_the_older_one(app: App) -> None:
    app.read("a.png", "one\ntwo\nthree\ffour")
    newer = app.read("a.png", "new")
    assert (newer.text, newer.line_count, newer.page_count) == ("new", 1, 1)
    assert app.lines("a.png") == ["new"]
    assert app.output("a.png.txt") == b"new\n"
    assert app.output("a.png.json") == succeeded("new").body


def test_a_file_that_is_overwritten_while_it_is_read_ends_as_its_newest(app: App, read: ReadServer) -> None:
    app.drop("a.png", "old\nold\nold")
    app.event("a.png")
    app.drop("a.png", "new")
    app.event("a.png")
    app.run()
    assert app.document("a.png").text == "new"
    assert app.lines("a.png") == ["new"]
    assert app.output("a.png.txt") == b"new\n"
    assert read.submitted == [b"old\nold\nold", b"new"]


def test_a_file_that_is_overwritten_while_it_is_posted_is_not_mixed(
    app: App, read: ReadServer, tap: StorageTap
) -> None:
    large = b"x" * 9_000_000  # more than one range of the source
    app.drop("a.png", large)
    tap.intercept(lambda call: call.path == "$batch", lambda: app.drop("a.png", "new"))
    app.event("a.png")
    app.run()
    assert app.document("a.png").text == "new"
    assert read.submitted[-1] == b"new"
    assert large not in read.submitted


def test_a_slow_writer_of_an_older_version_is_fenced_off(app: App, tap: StorageTap) -> None:
    app.read("a.png", "first")
    app.drop("a.png", "old\nold\nold")
    app.event("a.png")

    def newer() -> None:
        other = app.twin()
        app.drop("a.png", "new")
        other.event("a.png")
        other.run()

    tap.intercept(lambda call: call.path.endswith("a.png.txt") and call.method == "PUT", newer)
    app.run()
    assert app.document("a.png").text == "new"
    assert app.lines("a.png") == ["new"]
    assert app.output("a.png.txt") == b"new\n"
    assert app.output("a.png.json") == succeeded("new").body


@pytest.mark.parametrize("line_batches", [0, 1, 2])
def test_a_slow_writer_of_many_lines_is_fenced_off_between_two_batches(
    app: App, tap: StorageTap, line_batches: int
) -> None:
    app.drop("a.png", "\n".join(f"old {number}" for number in range(250)))
    app.event("a.png")

    def newer() -> None:
        app.drop("a.png", "new")
        other = app.twin()
        other.event("a.png")
        other.run()

    seen: list[Call] = []

    def is_batch_of_lines(call: Call) -> bool:
        if call.path == "$batch":
            seen.append(call)
        return len(seen) > line_batches

    tap.intercept(is_batch_of_lines, newer)
    app.run()
    assert app.document("a.png").text == "new"
    assert app.lines("a.png") == ["new"]
    assert app.output("a.png.txt") == b"new\n"


def test_a_newer_version_that_fails_deletes_the_older_ones_outputs(app: App, read: ReadServer) -> None:
    app.read("a.png", "one\ntwo")
    read.gets.append(FAILED)
    assert app.read("a.png", "new").status is Status.FAILED
    assert_nothing_is_left_of("a.png", app)


def test_a_newer_version_that_is_empty_deletes_the_older_ones_outputs(app: App) -> None:
    app.read("a.png", "one\ntwo")
    document = app.read("a.png", b"")
    assert (document.status, document.error_code) == (Status.FAILED, "EmptyFile")
    assert_nothing_is_left_of("a.png", app)


def test_a_slow_run_that_fails_does_not_delete_a_newer_versions_outputs(
    app: App, read: ReadServer, tap: StorageTap
) -> None:
    app.read("warm.png", "one")
    app.drop("a.png", "old")
    app.event("a.png")

    def newer() -> None:
        app.drop("a.png", "new")
        other = app.twin()
        other.event("a.png")
        other.run()

    read.gets.append(FAILED)
    tap.intercept(lambda call: call.method == "HEAD" and call.path.endswith("a.png.json"), newer)
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert app.output("a.png.txt") == b"new\n"
    assert app.output("a.png.json") is not None


@pytest.mark.parametrize("grows", [True, False])
def test_no_failure_is_notified_while_the_file_is_still_being_written(
    tap: StorageTap, read: ReadServer, *, grows: bool
) -> None:
    """Data Lake and SFTP create an empty file first."""
    own = uuid4().hex[:12]
    app = App(settings_for(tap.connection_string, read.endpoint, DONE_QUEUE=f"done-{own}"), Clock())
    app.create_inbox()
    done = app.queues.get_queue_client(f"done-{own}")
    done.create_queue()
    assert app.read("a.png", b"").error_code == "EmptyFile"
    assert not done.peek_messages(32)
    if grows:
        app.read("a.png", "one")
    app.clock.passes(3600)
    recover_stalled(app.services, app.clock() + timedelta(minutes=5))
    told = [json.loads(b64decode(message.content))["status"] for message in done.peek_messages(32)]
    assert told == ["succeeded" if grows else "failed"]
    assert app.document("a.png").notification_pending is None

"""The same content with a new ETag is paid once, whatever the status; a forgotten document stays forgotten."""

from collections.abc import Callable

import pytest
from azure.storage.blob import BlobBlock

from shared.document import Status
from shared.tasks import forget
from simulation.app import App
from simulation.read_server import RUNNING, ReadServer


def same_bytes_again(app: App) -> None:
    app.drop("a.png", "one")


def edit_of_metadata(app: App) -> None:
    app.inbox.get_blob_client("a.png").set_blob_metadata({"reviewed": "yes"})


EDITS = [same_bytes_again, edit_of_metadata]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("status", [Status.SUBMITTING, Status.READING, Status.SUCCEEDED])
def test_the_same_content_is_paid_once_in_any_status(
    app: App, read: ReadServer, status: Status, edit: Callable[[App], None]
) -> None:
    app.drop("a.png", "one")

    def edited_meanwhile(*_: object) -> None:
        assert app.document("a.png").status is Status.SUBMITTING
        edit(app)
        app.event("a.png")

    if status is Status.SUBMITTING:
        read.posts.append(edited_meanwhile)
    app.event("a.png")
    if status is Status.READING:
        read.gets.append(RUNNING)
        edit(app)
        app.event("a.png")
    app.run()
    if status is Status.SUCCEEDED:
        edit(app)
        app.event("a.png")
        app.run()
    document = app.document("a.png")
    assert (document.status, document.text, document.submits) == (Status.SUCCEEDED, "one", 1)
    assert document.source_etag == app.inbox.get_blob_client("a.png").get_blob_properties().etag
    assert read.submitted == [b"one"]
    assert app.lines("a.png") == ["one"]


def test_the_same_content_with_other_options_is_read_again_even_during_reading(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    app.inbox.get_blob_client("a.png").set_blob_metadata({"language": "de"})
    app.event("a.png")
    app.run()
    assert app.document("a.png").requested_language == "de"
    assert read.submitted == [b"one", b"one"]


def test_a_poll_during_an_adoption_leaves_nothing_unfinished(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")

    def edited_meanwhile(*_: object) -> None:
        edit_of_metadata(app)
        app.event("a.png")

    read.gets.append(edited_meanwhile)
    app.run()
    document = app.document("a.png")
    assert (document.status, document.text, document.submits) == (Status.SUCCEEDED, "one", 1)
    assert document.source_etag == app.inbox.get_blob_client("a.png").get_blob_properties().etag


@pytest.mark.parametrize("edit", EDITS)
def test_a_forgotten_but_kept_file_is_not_read_again_after_a_metadata_edit(
    app: App, read: ReadServer, edit: Callable[[App], None]
) -> None:
    app.read("a.png", "one")
    forget(app.services, "a.png", keep_file=True)
    edit(app)
    app.event("a.png")
    app.run()
    assert app.document("a.png").status is Status.IGNORED
    assert len(read.submitted) == 1


def test_a_forgotten_file_without_an_md5_is_not_read_again_for_an_edit(app: App, read: ReadServer) -> None:
    blob = app.inbox.get_blob_client("a.png")
    blob.stage_block("0001", b"one")
    blob.commit_block_list([BlobBlock("0001")])
    assert not blob.get_blob_properties().content_settings.content_md5
    app.read("a.png")
    forget(app.services, "a.png", keep_file=True)
    edit_of_metadata(app)
    app.event("a.png")
    app.run()
    assert app.document("a.png").status is Status.IGNORED
    assert app.document("a.png").text is None
    assert len(read.submitted) == 1


def test_an_edit_waits_for_a_post_that_takes_minutes(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")

    def edited_meanwhile(_request: object) -> None:
        edit_of_metadata(app)
        app.event("a.png")
        for _ in range(5):  # each finds the claim held, and comes again
            app.step()

    read.posts.append(edited_meanwhile)
    app.event("a.png")
    app.run()
    document = app.document("a.png")
    assert (document.status, document.text, document.submits) == (Status.SUCCEEDED, "one", 1)
    assert document.source_etag == app.inbox.get_blob_client("a.png").get_blob_properties().etag

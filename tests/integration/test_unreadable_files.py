"""Files that cannot be read end as failed, with a reason and advice, and stop no other file."""

import json

import pytest
from azure.storage.blob import ContentSettings

from shared.document import Status
from shared.storage.connection import table_service
from simulation.app import App
from simulation.read_server import (
    FAILED,
    THROTTLED,
    ReadServer,
    as_json,
    result,
    succeeded,
)

# Files that cannot be read


def test_an_empty_file_fails_unpaid(app: App, read: ReadServer) -> None:
    document = app.read("a.png", b"")
    assert (document.status, document.error_code, document.submits) == (Status.FAILED, "EmptyFile", 0)
    assert document.advice
    assert read.requests == []


def test_an_archived_file_fails_unpaid_with_advice(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.inbox.get_blob_client("a.png").set_standard_blob_tier("Archive")
    document = app.read("a.png")
    assert (document.status, document.error_code) == (Status.FAILED, "BlobArchived")
    assert "rehydrate" in (document.advice or "")
    assert read.requests == []


def test_an_option_that_read_does_not_take_fails_that_one_document_unpaid(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one", metadata={"pages": "first"})
    document = app.read("a.png")
    assert (document.status, document.error_code) == (Status.FAILED, "OptionNotSupported")
    assert "pages" in (document.error_message or "") + (document.advice or "")
    assert read.requests == []


def test_a_rejected_file_fails_with_reads_words_and_stops_no_other_file(app: App, read: ReadServer) -> None:
    read.posts.append(as_json(400, {"error": {"code": "InvalidImageSize", "message": "Too large."}}))
    document = app.read("large.png", "large")
    assert (document.status, document.error_code, document.error_message) == (
        Status.FAILED,
        "InvalidImageSize",
        "Too large.",
    )
    assert (document.submits, document.polls) == (0, 0)
    assert app.read("small.png", "small").status is Status.SUCCEEDED


def test_a_failed_operation_is_not_submitted_again(app: App, read: ReadServer) -> None:
    read.gets.append(FAILED)
    document = app.read("a.png", "broken")
    assert (document.status, document.error_code, document.error_message) == (
        Status.FAILED,
        "InvalidImage",
        "Broken.",
    )
    app.event("a.png")
    app.run()
    assert len(read.submitted) == 1


def test_a_failed_document_is_found_by_one_range_query_until_it_succeeds(app: App, read: ReadServer) -> None:
    read.posts.append(as_json(415, {}))
    app.read("a/failed.png", "x")
    app.read("a/good.png", "x")
    assert worklist(app) == {"a/failed.png": "failed"}
    app.read("a/failed.png", "mended")
    assert worklist(app) == {}


def worklist(app: App) -> dict[str, str]:
    """The status by name, from the worklist entries."""
    documents = table_service(app.settings.storage).get_table_client(app.settings.documents_table)
    found = documents.query_entities("RowKey ge '!' and RowKey lt '\"'")
    return {row["Name"]: row["Status"] for row in found}


def test_a_result_that_is_not_from_read_fails_with_what_to_check(app: App, read: ReadServer) -> None:
    read.gets.append(as_json(200, {"status": "succeeded", "analyzeResult": {"content": "another generation's"}}))
    document = app.read("a.png", "one")
    assert (document.status, document.error_code) == (Status.FAILED, "ResultNotUnderstood")
    assert "READ_API_VERSION" in (document.advice or "")


def test_a_result_that_is_not_understood_is_stored_as_its_advice_says(app: App, read: ReadServer) -> None:
    body = {"status": "succeeded", "analyzeResult": {"content": "another generation's"}}
    read.gets.append(as_json(200, body))
    document = app.read("a.png", "one")
    assert "output blob" not in (document.advice or "") or app.output("a.png.json") == json.dumps(body).encode()


def test_a_document_with_a_duplicate_page_number_becomes_final(app: App, read: ReadServer) -> None:
    odd = result(["one", "two"])
    odd["analyzeResult"]["readResults"][1]["page"] = 1
    read.gets.append(as_json(200, odd))
    assert app.read("a.png", "one").status.final


@pytest.mark.parametrize("content", [b"not compressed at all", b"\x1f\x8b\x08 nor this"])
def test_a_file_with_a_content_encoding_is_sent_unchanged(app: App, read: ReadServer, content: bytes) -> None:
    app.drop("a.png", content, content_settings=ContentSettings(content_encoding="gzip"))
    read.gets.append(succeeded("read"))
    app.read("a.png")
    assert read.submitted == [content]


# Deleted


def test_a_file_that_is_deleted_before_its_event_arrives_leaves_no_row(app: App) -> None:
    app.drop("a.png", "one")
    app.inbox.delete_blob("a.png")
    app.event("a.png")
    assert app.services.documents.get("a.png") is None


def test_a_file_that_is_deleted_while_it_waits_to_be_submitted_fails_unpaid(app: App, read: ReadServer) -> None:
    read.posts.append(THROTTLED)
    app.drop("a.png", "one")
    app.event("a.png")
    app.inbox.delete_blob("a.png")
    app.run()
    document = app.document("a.png")
    assert (document.status, document.error_code, document.submits) == (Status.FAILED, "SourceDeleted", 0)


def test_a_file_that_is_deleted_after_it_was_submitted_is_finished_and_kept(app: App) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    app.inbox.delete_blob("a.png")
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert app.output("a.png.txt") == b"one\n"

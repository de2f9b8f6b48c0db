"""From a dropped file to its row: what is stored in the end, and what each step costs."""

import json

import pytest
from azure.core.exceptions import ResourceNotFoundError

from shared.advance import advance_message
from shared.document import Status
from shared.keys import document_key
from shared.message import ForeignMessage, Message
from simulation.app import App, Clock, settings_for
from simulation.read_server import (
    FAILED,
    RUNNING,
    THROTTLED,
    ReadServer,
    succeeded,
)
from simulation.storage_tap import StorageTap

# The happy path


def test_a_file_that_is_dropped_ends_as_row_lines_json_and_text(app: App, read: ReadServer) -> None:
    document = app.read("scans/letter.png", "Dear Sir,\nhello\fYours")
    assert document.status is Status.SUCCEEDED
    assert document.text == "Dear Sir,\nhello\n\nYours"
    assert (document.page_count, document.line_count, document.word_count) == (2, 3, 4)
    assert (document.text_blob, document.result_blob) == ("scans/letter.png.txt", "scans/letter.png.json")
    assert (document.submits, document.polls, document.error_code) == (1, 1, None)
    assert app.output("scans/letter.png.txt") == b"Dear Sir,\nhello\n\fYours\n"
    assert app.output("scans/letter.png.json") == succeeded("Dear Sir,\nhello\fYours").body
    assert app.lines("scans/letter.png") == ["Dear Sir,", "hello", "Yours"]
    assert read.submitted == [b"Dear Sir,\nhello\fYours"]


def test_a_lines_row_has_position_box_and_confidence(app: App) -> None:
    app.read("a.png", "one\ftwo words")
    row = app.line_rows("a.png")[1]
    assert (row["RowKey"], row["Page"], row["Line"], row["Text"]) == ("00002-00001", 2, 1, "two words")
    assert json.loads(row["BoundingBox"]) == [10, 10, 90, 10, 90, 20, 10, 20]
    assert row["Unit"] == "pixel"
    assert row["Confidence"] == pytest.approx(0.9)


def test_an_outputs_metadata_name_its_version_and_operation(app: App) -> None:
    document = app.read("a.png", "one")
    properties = app.results.get_blob_client("a.png.json").get_blob_properties()
    assert properties.content_settings.content_type == "application/json"
    assert properties.metadata == {
        "source_etag": document.source_etag,
        "api_version": "v3.2",
        "operation_id": "operation-1",
    }


def test_one_page_costs_ten_storage_calls_and_two_of_read(app: App, read: ReadServer, tap: StorageTap) -> None:
    app.read("warm.png", "one")  # tables, queue and container are there from now on
    app.clock.passes(2)
    app.drop("a.png", "one")
    calls, asked = len(tap.calls), len(read.requests)
    app.event("a.png")
    app.run()
    batch = ("POST", "table", "$batch")
    assert [(call.method, call.service, call.path.split("/")[-1].split("(")[0]) for call in tap.calls[calls:]] == [
        ("GET", "blob", "a.png"),
        batch,  # claim and worklist entry
        batch,  # reading, with the operation
        ("POST", "queue", "messages"),
        ("GET", "table", app.settings.documents_table),
        ("PUT", "blob", "a.png.json"),
        batch,  # head and lines
        ("PUT", "blob", "a.png.txt"),
        ("PUT", "blob", "a.png.jsonl"),
        batch,  # succeeded, and the worklist entry is gone
    ]
    assert [request.method for request in read.requests[asked:]] == ["POST", "GET"]


def test_the_first_document_after_a_quiet_minute_costs_one_more_read_of_the_limiters_row(
    app: App, tap: StorageTap
) -> None:
    app.read("warm.png", "one")
    app.clock.passes(61)
    app.drop("a.png", "one")
    calls = len(tap.calls)
    app.event("a.png")
    app.run()
    of_the_row = [call for call in tap.calls[calls:] if "~quota" in call.path]
    assert (len(tap.calls) - calls, [call.method for call in of_the_row]) == (11, ["GET"])


def test_a_document_right_after_others_costs_one_more_reservation(app: App, tap: StorageTap) -> None:
    for name in ("warm.png", "first.png", "a.png"):
        app.drop(name, "one")
    app.event("warm.png")
    app.event("first.png")
    calls = len(tap.calls)
    app.event("a.png")
    made = [(call.method, call.service, "~quota" in call.path) for call in tap.calls[calls:]]
    assert made == [
        ("GET", "blob", False),
        ("PUT", "table", True),
        ("POST", "table", False),
        ("POST", "table", False),
        ("POST", "queue", False),
    ]
    calls = len(tap.calls)
    app.run()
    assert not [call for call in tap.calls[calls:] if call.method != "GET" and "~quota" in call.path]


def test_each_further_poll_costs_three_storage_calls_and_one_of_read(
    app: App, read: ReadServer, tap: StorageTap
) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    read.gets.append(RUNNING)
    calls, asked = len(tap.calls), len(read.requests)
    app.step()
    assert (len(tap.calls) - calls, len(read.requests) - asked) == (3, 1)


def test_polls_come_soon_at_first_and_then_more_rarely(app: App, read: ReadServer) -> None:
    read.gets.extend([RUNNING] * 5)
    app.drop("a.png", "one")
    app.event("a.png")
    assert [app.step() for _ in range(6)] == [2, 3, 3, 4, 5, 5]  # 2 s and a sixth of the time waited
    assert app.document("a.png").status is Status.SUCCEEDED


def test_not_ready_uses_up_no_delivery_of_the_message(app: App, read: ReadServer) -> None:
    read.gets.extend([RUNNING] * 20)  # the host poisons a message that fails five times
    assert app.read("a.png", "one").status is Status.SUCCEEDED


def test_a_message_waits_hidden_in_the_real_queue_in_base64_and_does_not_expire(app: App) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    assert list(app.queue.receive_messages()) == []
    assert app.queue.get_queue_properties().approximate_message_count == 1


# Large results


def test_a_text_too_long_for_its_column_is_whole_in_the_blob(app: App) -> None:
    text = "\n".join(f"line {number} 😀 " + "x" * 50 for number in range(700))
    document = app.read("a.png", text)
    assert document.text_truncated
    assert len((document.text or "").encode("utf-16-le")) <= 2 * 32_000
    assert text.startswith(document.text or "never")
    assert app.output("a.png.txt") == (text + "\n").encode()
    assert len(app.lines("a.png")) == 700


def test_one_line_too_long_for_its_column_is_cut_there_and_whole_in_the_blob(app: App) -> None:
    document = app.read("a.png", "語" * 40_000)
    assert document.status is Status.SUCCEEDED
    assert app.lines("a.png") == ["語" * 32_000]
    assert app.output("a.png.txt") == ("語" * 40_000 + "\n").encode()


def test_two_hundred_and_fifty_lines_are_three_batches(app: App, tap: StorageTap) -> None:
    app.drop("a.png", "\n".join(str(number) for number in range(250)))
    app.event("a.png")
    calls = len(tap.calls)
    app.run()
    assert app.lines("a.png") == [str(number) for number in range(250)]
    assert sum(call.path == "$batch" for call in tap.calls[calls:]) == 1 + 3 + 1  # the first finds no table


# What is missing


def test_containers_tables_and_queue_are_created_at_their_first_404_and_never_checked_again(
    app: App, tap: StorageTap
) -> None:
    settings = app.settings
    made = {settings.output_container, settings.read_queue, "Tables"}
    calls = len(tap.calls)
    app.read("a.png", "one")
    assert [call.path for call in tap.calls[calls:] if call.path in made] == [
        "Tables",
        settings.read_queue,
        settings.output_container,
        "Tables",
    ]
    calls = len(tap.calls)
    app.read("b.png", "one")
    assert not [call for call in tap.calls[calls:] if call.path in made]


def test_a_document_waits_for_a_missing_input_container_and_names_account_and_container(
    tap: StorageTap, read: ReadServer
) -> None:
    app = App(settings_for(tap.connection_string, read.endpoint), Clock())
    app.event("a.png")
    document = app.document("a.png")
    assert (document.status, document.error_code) == (Status.WAITING, "StorageRefused")
    assert app.settings.input_container in (document.error_message or "")
    assert "devstoreaccount1" in (document.error_message or "")
    with pytest.raises(ResourceNotFoundError):
        app.inbox.get_container_properties()


# Messages of others


def test_a_foreign_message_is_an_error_so_that_it_is_kept(app: App) -> None:
    with pytest.raises(ForeignMessage):
        advance_message(app.services, b"hello")


def test_a_message_of_a_later_version_is_requeued(app: App) -> None:
    later = json.dumps({"v": 2, "name": "a.png", "new": True})
    advance_message(app.services, later.encode())
    assert [text for text, _ in app.sent.messages] == [later]
    assert app.sent.messages[0][1] >= 60


def test_a_message_that_its_row_does_not_confirm_directs_nothing(app: App, read: ReadServer) -> None:
    app.read("a.png", "one")
    asked = len(read.requests)
    forged = Message("a.png", "e", "https://evil.example/vision/v3.2/read/analyzeResults/1", "a claim")
    advance_message(app.services, forged.to_json().encode())
    assert len(read.requests) == asked


# Nothing leaks


def test_no_text_and_no_key_of_a_document_is_logged(
    tap: StorageTap, read: ReadServer, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(settings_for(tap.connection_string, read.endpoint, READ_KEY="the-secret-key"), Clock())
    app.create_inbox()
    read.posts.append(THROTTLED)
    with caplog.at_level("DEBUG", logger="shared"):
        app.read("a.png", "confidential words")
        read.gets.append(FAILED)
        app.read("a.png", "more confidential words")
    assert caplog.records
    assert "confidential" not in caplog.text
    assert "the-secret-key" not in caplog.text
    assert read.requests[0].headers["Ocp-Apim-Subscription-Key"] == "the-secret-key"


def test_no_key_is_stored(tap: StorageTap, read: ReadServer) -> None:
    app = App(settings_for(tap.connection_string, read.endpoint, READ_KEY="the-secret-key"), Clock())
    app.create_inbox()
    app.drop("a.png", "one")
    app.event("a.png")
    assert "the-secret-key" not in app.sent.messages[0][0]
    app.run()
    assert "the-secret-key" not in repr(app.document("a.png"))
    assert document_key("a.png") == "a.png"

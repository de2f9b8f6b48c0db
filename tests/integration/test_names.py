"""Names of all kinds, and names that do not belong to a document."""

import pytest

from shared.advance import advance_message
from shared.document import Status
from shared.keys import output_name
from shared.message import Message
from simulation.app import App
from simulation.read_server import (
    ReadServer,
)
from simulation.storage_tap import StorageTap


@pytest.mark.parametrize(
    "name",
    [
        "with spaces and 'quotes' \"both\".png",
        "50%25 of #1? yes!.png",
        "a:b~c=d&e+f.png",
        "emoji 😀 語 é.png",
        "a/b/c/d.png",
        "/leading/slash.png",
        "double//slash.png",
        "trailing.",
        "%2e%2e/x.png",
        "[brackets]{braces}.png",
        "x" * 1012 + ".png",
        "😀" * 200 + ".png",
    ],
)  # fmt: skip
def test_a_file_of_any_name_is_read(app: App, name: str) -> None:
    document = app.read(name, f"text of {name}")
    assert document.status is Status.SUCCEEDED
    assert document.name == name
    assert app.lines(name) == [f"text of {name}"]
    assert app.output(document.text_blob or "") == f"text of {name}\n".encode()


def test_a_too_long_output_name_is_cut_and_in_the_row(app: App) -> None:
    name = "n" * 1024
    document = app.read(name, "hello")
    assert document.text_blob == output_name(name, ".txt")
    assert len(document.text_blob) == 1024
    assert app.output(document.text_blob) == b"hello\n"
    assert app.output(document.result_blob or "") is not None


def test_two_names_that_differ_only_in_extension_are_two_documents(app: App) -> None:
    for name in ("a.pdf", "a.png"):
        app.read(name, f"this is {name}")
    for name in ("a.pdf", "a.png"):
        assert app.document(name).text == f"this is {name}"
        assert app.output(f"{name}.txt") == f"this is {name}\n".encode()


def test_a_document_does_not_touch_one_whose_name_begins_with_its_own(app: App) -> None:
    app.read("a.png.pages", "longer name")
    app.read("a.png", "one\ntwo")
    app.read("a.png", b"")
    assert app.lines("a.png.pages") == ["longer name"]
    assert app.document("a.png.pages").status is Status.SUCCEEDED


@pytest.mark.parametrize("name", [".DS_Store", "a/._b.png", "Thumbs.db", "~$report.docx"])
def test_junk_is_left_alone_unpaid(app: App, read: ReadServer, name: str) -> None:
    document = app.read(name, "junk")
    assert document.status is Status.IGNORED
    assert document.warning
    assert read.requests == []


def test_a_folders_placeholder_is_left_alone(app: App, read: ReadServer) -> None:
    app.drop("folder", b"", metadata={"hdi_isfolder": "true"})
    assert app.read("folder").status is Status.IGNORED
    assert read.requests == []


@pytest.mark.parametrize("name", ["../secrets/a.png", "a/../b.png", "./a.png", "a/.."])
def test_a_name_with_a_dot_segment_reaches_no_blob_client(app: App, tap: StorageTap, name: str) -> None:
    app.read("warm.png", "one")
    calls = len(tap.calls)
    app.event(name)
    document = app.document(name)
    assert (document.status, document.error_code) == (Status.FAILED, "UnsafeName")
    assert document.advice
    assert {call.service for call in tap.calls[calls:]} == {"table"}


def test_a_backslash_is_a_slash_as_in_storage_and_makes_no_second_document(app: App, read: ReadServer) -> None:
    app.read("q/w.png", "one")
    app.event("q\\w.png")
    advance_message(app.services, Message("q\\w.png").to_json().encode())
    app.run()
    assert read.submitted == [b"one"]
    assert app.services.documents.get("q\\w.png") is None
    assert app.document("q/w.png").status is Status.SUCCEEDED

"""status, list and text: what they print, on Azurite."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from azure.data.tables import UpdateMode

from cli import connection
from cli.__main__ import ended
from cli.__main__ import run as run_command
from cli.arguments import parse
from shared.document import Status
from shared.keys import document_key
from shared.storage.connection import table_service
from simulation.app import App
from simulation.read_server import FAILED, RUNNING, ReadServer

Run = Callable[..., tuple[int, str, str]]

FORGED = "a\n  invoice.pdf  succeeded: 1 page\n\n---- invoice.pdf ----\u202ePAY TO 12345.png"


@pytest.fixture
def cli(app: App, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the test's app: its exit status, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = ended(lambda: run_command(parse(arguments), connection.App({}, services=app.services)))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


@pytest.fixture
def library(app: App, read: ReadServer) -> App:
    """Files in every status, and one whose row somebody has edited."""
    app.read("2024/ok.png", "one\ftwo\nlines")
    app.read("2024/edited.png", "one")
    read.gets.append(FAILED)
    app.read("2024/failed.png", "one")
    app.read("~$office.docx", "one")
    app.drop("2025/reading.png", "one")
    read.gets.append(RUNNING)
    app.event("2025/reading.png")
    app.sent.messages.clear()
    table = table_service(app.settings.storage).get_table_client(app.settings.documents_table)
    keys = {"PartitionKey": app.settings.input_container, "RowKey": document_key("2024/edited.png")}
    table.update_entity({**keys, "Status": "done"}, mode=UpdateMode.MERGE)
    return app


@pytest.mark.usefixtures("library")
def test_status_counts_files_by_status(cli: Run) -> None:
    assert cli("status") == (0, "5 files: 1 succeeded, 1 failed, 1 reading, 1 ignored, 1 trouble\n", "")
    assert cli("status", "2024/") == (0, "3 files: 1 succeeded, 1 failed, 1 trouble\n", "")
    counts = json.loads(cli("status", "2025", "--json")[1])
    assert list(counts) == ["files", *Status, "trouble"]
    assert {name: count for name, count in counts.items() if count} == {"files": 1, "reading": 1}


def test_status_says_why_files_wait_and_until_when(cli: Run, app: App) -> None:
    document = app.read("a.png", "one")
    waiting = document.evolve(status=Status.WAITING, error_code="Throttled", due_at=app.clock() + timedelta(minutes=2))
    app.services.documents.write(waiting, document)
    assert cli("status")[1].startswith("1 file: 1 waiting (throttled, next try ")


@pytest.mark.usefixtures("library")
def test_list_shows_each_file_on_one_line_with_advice(cli: Run) -> None:
    status, out, err = cli("list", "2024/")
    edited, failed, ok = out.splitlines()
    assert (status, err) == (0, "")
    assert ok.split() == ["2024/ok.png", "succeeded"]
    assert failed.split()[:3] == ["2024/failed.png", "failed", "InvalidImage:"]
    assert edited.split()[:3] == ["2024/edited.png", "trouble", "RowEdited:"]
    assert "delete the row and read the file again" in edited


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("succeeded", ["2024/ok.png"]),
        ("failed", ["2024/failed.png"]),
        ("reading", ["2025/reading.png"]),
        ("ignored", ["~$office.docx"]),
        ("trouble", ["2024/edited.png"]),
        ("waiting", []),
    ],
)
def test_list_shows_the_files_with_the_given_status(cli: Run, status: str, names: list[str]) -> None:
    entries = [json.loads(line) for line in cli("list", "--status", status, "--json")[1].splitlines()]
    assert [entry["name"] for entry in entries] == names
    assert all(entry["status"] == status for entry in entries)


def test_no_name_can_forge_a_line(cli: Run, app: App) -> None:
    app.read(FORGED, "one")
    (line,) = cli("list")[1].splitlines()
    assert line.startswith(r"a\n  invoice.pdf  succeeded: 1 page\n\n---- invoice.pdf ----\u202ePAY TO 12345.png")
    assert json.loads(cli("list", "--json")[1])["name"] == FORGED
    for name in (FORGED, f"{FORGED}2"):
        out, err = cli("forget", name)[1:]
        assert len((out + err).splitlines()) == 1


@pytest.mark.usefixtures("library")
def test_text_prints_what_was_read(cli: Run) -> None:
    assert cli("text", "2024/ok.png") == (0, "one\n\ftwo\nlines\n", "")
    assert cli("text", "2024/ok.png", "--page", "2") == (0, "two\nlines\n", "")


@pytest.mark.usefixtures("library")
def test_text_as_json_has_lines_and_boxes(cli: Run) -> None:
    whole, second = (json.loads(cli("text", "2024/ok.png", "--json", *page)[1]) for page in ((), ("--page", "2")))
    assert (whole["text"], second["text"]) == ("one\n\ntwo\nlines", "two\nlines")
    assert [(line["page"], line["text"]) for line in whole["lines"]] == [(1, "one"), (2, "two"), (2, "lines")]
    assert second["lines"] == whole["lines"][1:]
    assert all(len(line["boundingBox"]) == 8 for line in whole["lines"])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["none.png"], "none.png: there is no such file. `dev.py list` shows what there is.\n"),
        (["2024/ok.png", "--page", "3"], "2024/ok.png: has no page 3; it has 2.\n"),
        (["2025/reading.png"], "2025/reading.png: is reading.\n"),
        (["2024/edited.png"], "2024/edited.png: trouble (RowEdited): The row has been edited: Status cannot be read. "),
        (["2024/failed.png"], "2024/failed.png: is failed (InvalidImage: "),
    ],
)
def test_without_a_text_the_command_text_says_why(cli: Run, arguments: list[str], why: str) -> None:
    status, out, err = cli("text", *arguments)
    assert (status, out) == (1, "")
    assert err.startswith(why)


def test_a_text_that_was_deleted_is_named(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    app.results.delete_blob("a.png.txt")
    status, out, err = cli("text", "a.png")
    assert (status, out) == (1, "")
    assert err.startswith(
        f"a.png: The blob 'a.png.txt' in the container {app.settings.output_container!r} is not there."
    )


def test_before_anything_was_dropped_there_is_nothing(cli: Run) -> None:
    assert cli("status") == (0, "0 files\n", "")
    assert cli("list") == (0, "", "")

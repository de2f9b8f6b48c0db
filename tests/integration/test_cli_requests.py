"""again, forget and missed: what they do, and what they say, on Azurite."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.data.tables import UpdateMode

from cli import connection
from cli.__main__ import ended
from cli.__main__ import run as run_command
from cli.arguments import parse
from cli.output import clock
from shared.document import Document, Status
from shared.keys import document_key
from shared.read.generations import generation
from shared.storage.connection import table_service
from simulation.app import App, settings_for
from simulation.read_server import FAILED, RUNNING, ReadServer
from simulation.storage_tap import StorageTap

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(app: App, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the test's app: its exit status, standard output and standard error."""

    def run(*arguments: str, runs: bool = True) -> tuple[int, str, str]:
        pointed_to = connection.App({}, runs=runs, services=app.services)
        status = ended(lambda: run_command(parse(arguments), pointed_to))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


# again


def test_again_reads_a_failed_file(cli: Run, app: App, read: ReadServer) -> None:
    read.gets.append(FAILED)
    app.read("a.png", "one")

    assert cli("again", "a.png") == (0, "a.png: to be read again.\n", "")

    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 2


def test_again_twice_is_paid_once(cli: Run, app: App, read: ReadServer) -> None:
    app.read("a.png", "one")
    cli("again", "a.png")
    cli("again", "a.png")
    app.run()
    assert len(read.submitted) == 2


def test_again_leaves_a_file_that_is_being_read(cli: Run, app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")

    assert cli("again", "a.png") == (0, "a.png: is being read just now.\n", "")

    app.run()
    assert len(read.submitted) == 1


def test_again_reads_a_file_that_the_app_has_never_heard_of(cli: Run, app: App) -> None:
    app.drop(".DS_Store", "one")
    cli("again", ".DS_Store")
    app.run()
    assert app.document(".DS_Store").text == "one"


@pytest.mark.parametrize("name", ["b.png", "../b.png"])
def test_again_names_a_missing_file_and_continues(cli: Run, app: App, name: str) -> None:
    app.read("a.png", "one")

    status, out, err = cli("again", name, "a.png")

    assert (status, out) == (1, "a.png: to be read again.\n")
    assert err == f"{name}: there is no such file in the container {app.settings.input_container}.\n"
    assert app.services.documents.get(name) is None


def test_again_keeps_the_text_of_a_deleted_file(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    app.inbox.delete_blob("a.png")

    assert cli("again", "a.png")[0] == 1

    app.run()
    assert app.document("a.png").text == "one"


def test_a_request_while_nothing_runs_the_app_says_so(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    assert cli("again", "a.png", runs=False)[2] == "Nothing is read until the app runs: `dev.py up` runs it.\n"


def test_again_with_a_status_reads_every_file_with_that_status(cli: Run, app: App, read: ReadServer) -> None:
    for name in ("2024/a.png", "2024/b.png", "2025/c.png"):
        read.gets.append(FAILED)
        app.read(name, name)
    app.read("2024/d.png", "one")

    status, out, err = cli("again", "--status", "failed", "2024/")

    assert (status, out) == (0, "2024/a.png: to be read again.\n2024/b.png: to be read again.\n")
    assert err == "2 files (2 InvalidImage) have failed. Read bills each page of them.\n"
    app.run()
    assert app.document("2024/a.png").status is Status.SUCCEEDED
    assert app.document("2025/c.png").status is Status.FAILED


def test_again_with_a_code_leaves_files_that_failed_for_another_reason(cli: Run, app: App, read: ReadServer) -> None:
    read.gets.append(FAILED)
    app.read("2024/a.png", "one")
    app.read("empty.png", "")

    assert cli("again", "--status", "failed", "--code", "emptyfile", "--dry-run")[1] == (
        "1 file (1 EmptyFile) has failed. Read bills each page of them.\n"
    )
    assert cli("again", "--status", "failed", "--code", "InvalidImage")[1] == "2024/a.png: to be read again.\n"


def test_a_dry_run_of_again_says_how_many_files_and_what_is_billed_and_requests_nothing(
    cli: Run, app: App, read: ReadServer
) -> None:
    read.gets.append(FAILED)
    app.read("2024/a.png", "x" * 2000)
    app.read("ok.png", "one\ftwo")
    before = app.document("2024/a.png")

    assert cli("again", "--status", "failed", "--dry-run") == (
        0,
        "1 file (1 InvalidImage) has failed, 2.0 kB. Read bills each page of them.\n",
        "",
    )
    assert cli("again", "--status", "succeeded", "--dry-run")[1] == (
        "1 file was read, 7 bytes. Read bills each page of them: at least 2 pages.\n"
    )
    assert cli("again", "--status", "failed", "2025/", "--dry-run")[1] == "0 files have failed.\n"

    assert app.document("2024/a.png") == before
    assert not app.sent.messages
    assert len(read.submitted) == 2


def test_a_dry_run_of_again_says_which_results_are_free(cli: Run, app: App) -> None:
    document = app.read("a.png", "one")
    app.services.documents.write(
        document.evolve(status=Status.FAILED, error_code="ProcessingFailed", advice="Read it again."), document
    )
    assert (
        "Of 1 file, Read may still have a result that is paid for" in cli("again", "--status", "failed", "--dry-run")[1]
    )


def test_again_reads_a_row_that_somebody_has_edited(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    _edit(app, "a.png", Status="done")

    assert cli("again", "--status", "trouble")[1] == "a.png: to be read again.\n"

    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED


def _edit(app: App, name: str, **columns: object) -> None:
    """What a person does in a storage tool."""
    table = table_service(app.settings.storage).get_table_client(app.settings.documents_table)
    keys = {"PartitionKey": app.settings.input_container, "RowKey": document_key(name)}
    table.update_entity({**keys, **columns}, mode=UpdateMode.MERGE)


# Names with problems


def test_a_file_that_storage_refuses_to_delete_is_named_and_the_others_are_forgotten(cli: Run, app: App) -> None:
    for name in ("leased.png", "z.png"):
        app.read(name, "one")
    lease = app.inbox.get_blob_client("leased.png").acquire_lease()

    status, out, err = cli("forget", "leased.png", "z.png")

    assert status == 1
    assert out.startswith("z.png: forgotten and deleted.")
    assert err.startswith("leased.png: storage refused: ")
    assert "lease" in err
    lease.release()
    assert cli("forget", "leased.png")[0] == 0
    assert app.services.documents.get("leased.png") is None


@pytest.mark.parametrize(
    "columns", [{"Status": "done"}, {"Polls": "many"}, {"DueAt": "soon"}, {"Name": "b.png"}], ids=str
)
@pytest.mark.parametrize("command", ["again", "forget"])
def test_an_edited_row_stops_no_request(cli: Run, app: App, command: str, columns: dict[str, object]) -> None:
    for name in ("a.png", "z.png"):
        app.read(name, "one")
    _edit(app, "a.png", **columns)

    assert cli(command, "a.png", "z.png")[0] == 0

    app.run()
    for name in ("a.png", "z.png"):
        row: Document | None = app.services.documents.get(name)
        assert (row and row.status) == (Status.SUCCEEDED if command == "again" else None)


@pytest.mark.parametrize(
    "name", ["\u2028.pdf", "x\u2029y.pdf", "\u3000x", "a\x1b[2J\u202e.png", "O'Brien's/it''s 100%.jpg"]
)
def test_a_file_of_any_name_can_be_requested(cli: Run, app: App, name: str) -> None:
    app.read(name, "one")
    assert cli("again", name)[0] == 0
    app.run()
    status, out, err = cli("forget", name)
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 1
    assert app.services.documents.get(name) is None
    assert app.lines(name) == []


# forget


def test_forget_leaves_nothing(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    app.clock.passes(timedelta(days=3).total_seconds())

    assert cli("forget", "a.png") == (0, "a.png: forgotten and deleted.\n", "")

    assert app.services.documents.get("a.png") is None
    assert app.lines("a.png") == []
    assert app.output("a.png.txt") is None
    assert not app.inbox.get_blob_client("a.png").exists()


def test_forget_says_until_when_read_keeps_a_result_that_it_cannot_delete(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    submitted = app.document("a.png").submitted_at
    assert submitted

    out = cli("forget", "a.png")[1]

    until = clock(submitted + timedelta(hours=48), app.clock().astimezone())
    assert out == f"a.png: forgotten and deleted. Read itself keeps the result until {until} at the latest.\n"


@pytest.mark.parametrize(("endpoint_is_set", "asked"), [(True, ["DELETE"]), (False, [])])
def test_forget_deletes_reads_copy_if_the_version_can(
    cli: Run, app: App, read: ReadServer, monkeypatch: pytest.MonkeyPatch, endpoint_is_set: bool, asked: list[str]
) -> None:
    app.read("a.png", "one")
    document = app.document("a.png")
    path = "/documentintelligence/documentModels/prebuilt-read/analyzeResults/1?api-version=2024-11-30"
    operation = f"{read.endpoint}{path}"
    app.services.documents.write(document.evolve(api_version="2024-11-30", operation_url=operation), document)
    before = len(read.requests)
    if not endpoint_is_set:
        monkeypatch.setattr(app.services.read, "endpoint", "http://127.0.0.1:1")
        app.services = replace(app.services, settings=replace(app.settings, read_endpoint="http://127.0.0.1:1"))
    assert generation("2024-11-30").deletes

    out = cli("forget", "a.png")[1]

    assert [request.method for request in read.requests[before:]] == asked
    assert ("Read itself keeps the result" in out) is not endpoint_is_set


def test_forget_during_reading_leaves_a_tombstone_until_no_run_can_be_active(
    cli: Run, app: App, read: ReadServer
) -> None:
    read.gets.append(RUNNING)
    app.drop("a.png", "one")
    app.event("a.png")

    cli("forget", "a.png")

    assert app.services.documents.get("a.png") is None
    later = app.clock() + app.services.settings.claim_length
    assert list(app.services.documents.overdue(later + timedelta(seconds=1))) == ["a.png"]


def test_forget_can_keep_the_file_and_it_is_not_read_again(cli: Run, app: App, read: ReadServer) -> None:
    app.read("a.png", "one")

    status, out, _ = cli("forget", "--keep-file", "a.png")

    assert status == 0
    assert out.startswith("a.png: forgotten; the file is kept, and read again only if you ask for it.")
    assert app.read("a.png").status is Status.IGNORED
    assert len(read.submitted) == 1


def test_forget_twice_changes_nothing_more(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    cli("forget", "a.png")

    assert cli("forget", "a.png") == (1, "", "a.png: nothing is known of it, and there is no such file.\n")

    assert app.services.documents.get("a.png") is None


def test_a_row_whose_name_has_a_dot_segment_can_be_forgotten(cli: Run, app: App) -> None:
    app.event("a/../b.png")
    assert cli("forget", "a/../b.png")[0] == 0
    assert app.services.documents.get("a/../b.png") is None


def test_forget_deletes_outputs_where_the_row_says_they_are(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    renamed = settings_for("UseDevelopmentStorage=true", app.settings.read_endpoint)
    elsewhere = App(
        replace(app.settings, output_container=renamed.output_container, lines_table=renamed.lines_table), app.clock
    )
    app.services, mine = elsewhere.services, app.services

    assert cli("forget", "a.png")[1].startswith("a.png: forgotten and deleted.")

    app.services = mine
    assert app.output("a.png.txt") is None
    assert app.lines("a.png") == []


def test_forget_says_which_outputs_it_did_not_find(cli: Run, app: App) -> None:
    app.read("a.png", "one")
    app.results.delete_blob("a.png.txt")

    out = cli("forget", "a.png")[1]

    place = f"text (blob a.png.txt in the container {app.settings.output_container})"
    assert f"Its {place} was not found: if it was moved or renamed, it is still there, to be deleted by hand." in out
    assert app.services.documents.get("a.png") is None


# missed


def test_a_dry_run_counts_files_and_bytes_and_enqueues_nothing(cli: Run, app: App) -> None:
    app.read("known.png", "one")
    app.drop("a.png", "x" * 1000)
    app.drop("b.png", "x" * 1400)

    assert cli("missed", "--dry-run") == (0, "2 files (2.4 kB) are not read yet. Read bills each page.\n", "")

    assert not app.sent.messages


def test_one_missed_file_is_not_called_files(cli: Run, app: App) -> None:
    app.drop("a.png", "one")
    assert cli("missed", "--dry-run")[1] == "1 file (3 bytes) is not read yet. Read bills each page.\n"


def test_missed_files_are_enqueued_and_read(cli: Run, app: App) -> None:
    for name in ("a.png", "b.png"):
        app.drop(name, "one")
    soon = clock(app.clock(), app.clock().astimezone())

    assert cli("missed") == (0, f"2 files are enqueued, to be read by {soon}.\n", "")

    app.run()
    assert app.document("b.png").text == "one"
    app.clock.passes(3600)
    assert cli("missed")[1] == "No file was missed.\n"


def test_no_more_is_enqueued_while_the_quota_is_reserved(cli: Run, tap: StorageTap, read: ReadServer, app: App) -> None:
    slow = App(settings_for(tap.connection_string, read.endpoint, READ_RATE="1/min"), app.clock)
    slow.create_inbox()
    app.services = slow.services
    for name in ("a.png", "b.png"):
        slow.drop(name, "one")
    read_by = clock(slow.clock() + timedelta(minutes=6), slow.clock().astimezone())

    assert cli("missed")[1] == f"2 files are enqueued, to be read by {read_by}.\n"
    assert cli("missed")[1] == (f"2 files enqueued before are to be read by {read_by}. Ask for others then.\n")

    assert len(slow.sent.messages) == 2


def test_a_missing_container_is_named(cli: Run, app: App) -> None:
    app.services.inbox._client.delete_container()

    status, out, err = cli("missed", "--dry-run")

    assert (status, out) == (2, "")
    assert err == f"There is no container {app.settings.input_container}. Drop a file first, or set INPUT_CONTAINER.\n"

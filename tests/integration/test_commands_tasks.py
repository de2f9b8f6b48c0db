"""dev.py again, forget and missed: what they do, and what they tell, on Azurite."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.commands.__main__ import carry_out, parse
from local.commands.output import clock
from shared.document import Status
from shared.read.generations import generation
from tests.support.app import App, settings_for
from tests.support.read_server import FAILED, RUNNING, ReadServer
from tests.support.storage_tap import StorageTap

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def dev(app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the test's app: its exit status, standard output and standard error."""

    def run(*arguments: str, runs: bool = True) -> tuple[int, str, str]:
        @contextmanager
        def services(*_: Any) -> Iterator[Any]:
            yield app.services, runs

        monkeypatch.setattr(f"local.commands.{arguments[0]}.services", services)
        status = carry_out(parse(arguments))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


# again


def test_again_has_a_failed_file_read(dev: Run, app: App, read: ReadServer) -> None:
    read.gets.append(FAILED)
    app.read("a.png", "one")

    assert dev("again", "a.png") == (0, "a.png: to be read again.\n", "")

    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 2


def test_again_twice_is_paid_once(dev: Run, app: App, read: ReadServer) -> None:
    app.read("a.png", "one")
    dev("again", "a.png")
    dev("again", "a.png")
    app.run()
    assert len(read.submitted) == 2


def test_again_leaves_a_file_that_is_being_read(dev: Run, app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")

    assert dev("again", "a.png") == (0, "a.png: is being read just now.\n", "")

    app.run()
    assert len(read.submitted) == 1


def test_again_reads_a_file_that_the_app_has_never_heard_of(dev: Run, app: App) -> None:
    app.drop(".DS_Store", "one")
    dev("again", ".DS_Store")
    app.run()
    assert app.document(".DS_Store").text == "one"


@pytest.mark.parametrize("name", ["b.png", "../b.png"])
def test_again_says_which_name_is_no_file_s_and_goes_on(dev: Run, app: App, name: str) -> None:
    app.read("a.png", "one")

    status, out, err = dev("again", name, "a.png")

    assert (status, out) == (1, "a.png: to be read again.\n")
    assert err == f"{name}: there is no such file in the container {app.settings.input_container}.\n"
    assert app.services.documents.get(name) is None


def test_again_keeps_the_text_of_a_file_that_is_gone(dev: Run, app: App) -> None:
    app.read("a.png", "one")
    app.inbox.delete_blob("a.png")

    assert dev("again", "a.png")[0] == 1

    app.run()
    assert app.document("a.png").text == "one"


def test_whoever_asks_while_nothing_runs_the_app_is_told(dev: Run, app: App) -> None:
    app.read("a.png", "one")
    assert dev("again", "a.png", runs=False)[2] == "Nothing is read until the app runs: `dev.py up` runs it.\n"


# forget


def test_forget_leaves_nothing(dev: Run, app: App) -> None:
    app.read("a.png", "one")
    app.clock.passes(timedelta(days=3).total_seconds())

    assert dev("forget", "a.png") == (0, "a.png: forgotten and deleted.\n", "")

    assert app.services.documents.get("a.png") is None
    assert app.lines("a.png") == []
    assert app.output("a.png.txt") is None
    assert not app.inbox.get_blob_client("a.png").exists()


def test_forget_says_until_when_read_keeps_a_result_that_it_cannot_be_asked_to_delete(dev: Run, app: App) -> None:
    app.read("a.png", "one")
    submitted = app.document("a.png").submitted_at
    assert submitted

    out = dev("forget", "a.png")[1]

    until = clock(submitted + timedelta(hours=48), app.clock().astimezone())
    assert out == f"a.png: forgotten and deleted. Read itself keeps the result until {until} at the latest.\n"


@pytest.mark.parametrize(("endpoint_is_set", "asked"), [(True, ["DELETE"]), (False, [])])
def test_forget_has_read_delete_its_copy_where_that_is_possible(
    dev: Run, app: App, read: ReadServer, monkeypatch: pytest.MonkeyPatch, endpoint_is_set: bool, asked: list[str]
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

    out = dev("forget", "a.png")[1]

    assert [request.method for request in read.requests[before:]] == asked
    assert ("Read itself keeps the result" in out) is not endpoint_is_set


def test_forget_of_a_file_that_is_being_read_leaves_a_marker_until_no_run_can_be_at_it(
    dev: Run, app: App, read: ReadServer
) -> None:
    read.gets.append(RUNNING)
    app.drop("a.png", "one")
    app.event("a.png")

    dev("forget", "a.png")

    assert app.services.documents.get("a.png") is None
    later = app.clock() + app.services.settings.claim_length
    assert list(app.services.documents.overdue(later + timedelta(seconds=1))) == ["a.png"]


def test_forget_can_keep_the_file_which_nothing_reads_again(dev: Run, app: App, read: ReadServer) -> None:
    app.read("a.png", "one")

    status, out, _ = dev("forget", "--keep-file", "a.png")

    assert status == 0
    assert out.startswith("a.png: forgotten; the file is kept, and read again only if you ask for it.")
    assert app.read("a.png").status is Status.IGNORED
    assert len(read.submitted) == 1


def test_forget_twice_changes_nothing_more(dev: Run, app: App) -> None:
    app.read("a.png", "one")
    dev("forget", "a.png")

    assert dev("forget", "a.png") == (1, "", "a.png: nothing is known of it, and there is no such file.\n")

    assert app.services.documents.get("a.png") is None


def test_a_row_whose_name_leads_elsewhere_can_be_forgotten(dev: Run, app: App) -> None:
    app.event("a/../b.png")
    assert dev("forget", "a/../b.png")[0] == 0
    assert app.services.documents.get("a/../b.png") is None


# missed


def test_a_dry_run_counts_files_and_bytes_and_hands_nothing_over(dev: Run, app: App) -> None:
    app.read("known.png", "one")
    app.drop("a.png", "x" * 1000)
    app.drop("b.png", "x" * 1400)

    assert dev("missed", "--dry-run") == (0, "2 files (2.4 kB) are not read yet. Read bills each page.\n", "")

    assert not app.sent.messages


def test_one_missed_file_is_not_called_files(dev: Run, app: App) -> None:
    app.drop("a.png", "one")
    assert dev("missed", "--dry-run")[1] == "1 file (3 bytes) is not read yet. Read bills each page.\n"


def test_missed_files_are_handed_over_and_read(dev: Run, app: App) -> None:
    for name in ("a.png", "b.png"):
        app.drop(name, "one")
    soon = clock(app.clock(), app.clock().astimezone())

    assert dev("missed") == (0, f"2 files are handed over, to be read by {soon}.\n", "")

    app.run()
    assert app.document("b.png").text == "one"
    app.clock.passes(3600)
    assert dev("missed")[1] == "No file was missed.\n"


def test_no_more_is_handed_over_while_the_quota_is_spoken_for(
    dev: Run, tap: StorageTap, read: ReadServer, app: App
) -> None:
    slow = App(settings_for(tap.connection_string, read.endpoint, READ_RATE="1/min"), app.clock)
    slow.create_inbox()
    app.services = slow.services
    for name in ("a.png", "b.png"):
        slow.drop(name, "one")
    read_by = clock(slow.clock() + timedelta(minutes=6), slow.clock().astimezone())

    assert dev("missed")[1] == f"2 files are handed over, to be read by {read_by}.\n"
    assert dev("missed")[1] == (f"2 files handed over before are to be read by {read_by}. Ask for others then.\n")

    assert len(slow.sent.messages) == 2


def test_a_container_that_is_not_there_is_named(dev: Run, app: App) -> None:
    app.services.inbox._client.delete_container()

    status, out, err = dev("missed", "--dry-run")

    assert (status, out) == (2, "")
    assert err == f"There is no container {app.settings.input_container}. Drop a file first, or set INPUT_CONTAINER.\n"

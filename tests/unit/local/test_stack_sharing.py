"""Which process may use the stored data, and which stack a command joins."""

import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from local import stack
from local.lock import locked
from local.paths import ROOT
from local.stack import Description, Ports, Stack, StackError, only_user, shared_stack, shared_storage

UP = Description("up", 123, "connection", "http://127.0.0.1:5000", "emulator", "http://127.0.0.1:7071", {})


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stack, "LOCK", tmp_path / "stack.lock")
    monkeypatch.setattr(stack, "DESCRIPTION", tmp_path / "stack.json")


def join(settings: dict[str, str], said: list[str] | None = None) -> Description:
    with shared_stack("run", settings, Ports(), say=(said if said is not None else []).append) as joined:
        return joined.description


def test_a_run_uses_the_stack_that_up_keeps_running() -> None:
    with locked(stack.LOCK), stack._describe(UP):
        assert join({}) == UP


def test_a_run_says_where_documents_go_if_the_running_stack_uses_a_read_resource() -> None:
    said: list[str] = []
    away = Description("up", 123, "connection", "https://x.cognitiveservices.azure.com", "emulator", "url", {})

    with locked(stack.LOCK), stack._describe(away):
        join({}, said)

    assert said[0].startswith("Reading with https://x.cognitiveservices.azure.com (v3.2): documents leave")


@pytest.mark.parametrize(
    ("setting", "value", "running"),
    [
        ("READ_ENDPOINT", "https://other.example", r"with http://127\.0\.0\.1:5000"),
        ("READ_LANGUAGE", "de", "with en"),
        *((name, "other", "without it") for name in stack.DISCLOSED if name != "READ_LANGUAGE"),
    ],
)
def test_a_run_whose_settings_differ_from_the_running_stacks_is_refused(setting: str, value: str, running: str) -> None:
    with (
        locked(stack.LOCK),
        stack._describe(replace(UP, settings={"READ_LANGUAGE": "en"})),
        pytest.raises(
            StackError, match=rf"{setting} is {value}, but `dev\.py up` \(process 123\) is running {running}"
        ),
    ):
        join({setting: value})


def test_a_run_with_the_same_settings_joins_the_running_stack() -> None:
    running = replace(UP, settings={"READ_LANGUAGE": "en"})

    with locked(stack.LOCK), stack._describe(running):
        assert join({"READ_LANGUAGE": "en"}) == running


def test_every_documented_setting_is_disclosed_unless_it_says_where_something_is() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").partition("## A document's own options")[0]
    documented = set(re.findall(r"`([A-Z_]{6,}|DocumentStorage|AzureWebJobsStorage)`", table)) - set(stack.DISCLOSED)

    assert documented == {"READ_ENDPOINT", "READ_KEY", "DocumentStorage", "AzureWebJobsStorage", "BLOB_TRIGGER_SOURCE"}


def test_a_run_next_to_a_stack_without_a_host_says_what_is_missing() -> None:
    said: list[str] = []

    with locked(stack.LOCK), stack._describe(Description("up", 123, "connection")):
        join({}, said)

    assert "--without-host" in said[0]


def test_a_command_that_reads_storage_uses_that_of_a_running_stack() -> None:
    running = Description("run", 123, "connection", "http://127.0.0.1:5000", "emulator", "url", {})

    with locked(stack.LOCK), stack._describe(running), shared_storage("status") as joined:
        assert joined.connection_string == "connection"


def test_a_second_user_of_the_stored_data_is_refused_and_the_first_ones_process_named() -> None:
    with (
        locked(stack.LOCK),
        stack._describe(UP),
        pytest.raises(StackError, match=r"`dev\.py up` \(process 123\) is using the stored data"),
        only_user("clean"),
    ):
        pass


def test_a_description_left_by_a_killed_process_is_not_believed() -> None:
    stack.LOCK.parent.mkdir(exist_ok=True)
    with stack._describe(UP), stack._claim(lambda _: True) as running:
        assert running is None


def test_a_description_left_by_a_killed_process_is_removed_by_the_next_user_of_the_data() -> None:
    with stack._describe(UP), only_user("up"):
        assert not stack.DESCRIPTION.exists()


def test_a_run_waits_for_another_run_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    other = Description("run", 123, "connection")
    done = threading.Event()

    def wait() -> None:
        with stack._claim(lambda running: running.command == "up") as running:
            assert running is None
            done.set()

    with locked(stack.LOCK), stack._describe(other):
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert not done.wait(0.5)
    waiter.join(10)

    assert done.is_set()
    assert "Waiting for `dev.py run` (process 123) to end." in capsys.readouterr().err


def test_the_end_of_another_processs_stack_is_reported() -> None:
    joined = Stack(UP)
    with locked(stack.LOCK), stack._describe(UP):
        joined.check()

    with pytest.raises(StackError, match="has ended"):
        joined.check()


def test_a_killed_stack_of_another_process_is_reported() -> None:
    joined = Stack(UP)

    with stack._describe(UP), pytest.raises(StackError, match="has ended"):
        joined.check()  # nobody holds the lock

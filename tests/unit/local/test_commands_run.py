"""Dropping files and following their rows."""

# ruff: noqa: ARG002 - fakes have the signatures of what they stand for

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.commands.files import File
from local.commands.following import INVOKE_AFTER, Run, _short
from local.commands.store import Store
from local.processes import ServiceError
from local.stack import Stack
from shared.document import Document, Status

ETAG = '"0x1"'
START = datetime(2026, 11, 27, tzinfo=UTC)


class FakeStore:
    """Answers each query with the next row of each file (None means no row), and repeats the last row."""

    def __init__(self, rows: dict[str, list[Document | None]], *, holds: bool = True, prefix: str = "") -> None:
        self.settings = SimpleNamespace(input_prefix=prefix, input_container="inbox")
        self.dropped: list[str] = []
        self.queries: list[datetime] = []
        self._rows = rows
        self._holds = holds

    def drop(self, path: Path, name: str) -> str:
        if path.name == "unreadable.pdf":
            raise PermissionError("Permission denied")
        self.dropped.append(name)
        return ETAG

    def changed_since(self, moment: datetime) -> Iterator[tuple[Document, datetime]]:
        self.queries.append(moment)
        for rows in self._rows.values():
            row = rows.pop(0) if len(rows) > 1 else rows[0]
            if row is not None:
                yield row, START + timedelta(minutes=len(self.queries))

    def holds(self, name: str, etag: str) -> bool:
        return self._holds

    def document(self, name: str) -> Document | None:
        return self._rows[name][0]


class FakeStack:
    def __init__(self, host: str = "emulator", url: str | None = None, ends_after: int | None = None) -> None:
        self.description = SimpleNamespace(host=host, host_url=url)
        self._checks_left = ends_after
        self.waited = 0

    def wait_until_ready(self) -> None:
        self.waited += 1

    def check(self) -> None:
        if self._checks_left is not None:
            self._checks_left -= 1
            if self._checks_left < 0:
                raise ServiceError("The Functions emulator ended.")


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 10 * INVOKE_AFTER, "the run does not end"


def row(name: str, status: Status, etag: str = ETAG, **columns: Any) -> Document:
    return Document(name=name, status=status, source_etag=etag, **columns)


def run(store: FakeStore, *names: str, stack: FakeStack | None = None) -> tuple[Run, list[str]]:
    said: list[str] = []
    time = Time()
    files = [File(Path(name), name) for name in names]
    made = Run(
        cast(Store, store),
        cast(Stack, stack or FakeStack()),
        files,
        say=said.append,
        clock=lambda: time.now,
        now=lambda: START,
        sleep=time.sleep,
    )
    return made, said


@pytest.fixture
def host() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """An admin endpoint that records what it was asked to run."""
    calls: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append((self.path, json.loads(body)))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()


def test_each_document_is_yielded_as_soon_as_it_is_done() -> None:
    store = FakeStore(
        {
            "a": [row("a", Status.READING), row("a", Status.READING), row("a", Status.SUCCEEDED)],
            "b": [row("b", Status.SUCCEEDED)],
        }
    )
    made, _ = run(store, "a", "b")

    assert [document.name for document in made.finished()] == ["b", "a"]


def test_one_query_for_changed_rows_follows_all_files() -> None:
    names = [f"{number}.pdf" for number in range(50)]
    store = FakeStore({name: [row(name, Status.READING), row(name, Status.SUCCEEDED)] for name in names})
    made, _ = run(store, *names)

    assert len(list(made.finished())) == 50
    assert len(store.queries) == 2
    assert START - store.queries[0] < timedelta(seconds=5)
    assert store.queries[1] > START  # since the time of the newest row


def test_files_are_dropped_before_the_stack_is_ready() -> None:
    store = FakeStore({"a": [row("a", Status.SUCCEEDED)]})
    stack = FakeStack()
    dropped_then: list[str] = []
    stack.wait_until_ready = lambda: dropped_then.extend(store.dropped)  # type: ignore[method-assign]  # a fake's
    made, _ = run(store, "a", stack=stack)

    list(made.finished())

    assert dropped_then == ["a"]


def test_a_run_that_dropped_nothing_does_not_wait_for_the_stack() -> None:
    stack = FakeStack()
    made, _ = run(FakeStore({}), "n" * 1025, stack=stack)

    assert [document.error_code for document in made.finished()] == ["NotDropped"]
    assert stack.waited == 0


def test_a_row_that_moves_on_to_another_version_ends_the_file() -> None:
    store = FakeStore({"a": [row("a", Status.READING), row("a", Status.READING, etag='"0x2"')]})
    made, _ = run(store, "a")

    assert [document.error_code for document in made.finished()] == ["Replaced"]


def test_each_change_of_status_is_reported_once() -> None:
    reading = row("a", Status.READING)
    made, said = run(FakeStore({"a": [None, reading, reading, row("a", Status.FAILED, error_code="X")]}), "a")

    list(made.finished())

    assert [line.split()[1] for line in said] == ["dropped", "reading", "failed"]


def test_a_row_about_an_older_version_is_ignored() -> None:
    store = FakeStore({"a": [row("a", Status.SUCCEEDED, etag='"0x0"'), row("a", Status.FAILED, error_code="X")]})
    made, _ = run(store, "a")

    assert [document.status for document in made.finished()] == [Status.FAILED]


def test_the_input_prefix_is_part_of_a_files_name() -> None:
    store = FakeStore({"scans/a": [row("scans/a", Status.SUCCEEDED)]}, prefix="scans/")
    made, _ = run(store, "a")

    assert [document.name for document in made.finished()] == ["scans/a"]
    assert store.dropped == ["scans/a"]


def test_a_file_that_cannot_be_dropped_fails_without_stopping_the_others() -> None:
    store = FakeStore({"b": [row("b", Status.SUCCEEDED)]})
    made, _ = run(store, "unreadable.pdf", "n" * 1025, "b")

    assert [(document.status, document.error_code) for document in made.finished()] == [
        (Status.FAILED, "NotDropped"),
        (Status.FAILED, "NotDropped"),
        (Status.SUCCEEDED, None),
    ]


def test_a_file_that_no_trigger_notices_is_submitted_through_the_admin_endpoint(
    host: tuple[str, list[tuple[str, Any]]],
) -> None:
    url, calls = host
    polls = int(INVOKE_AFTER / 0.25) + 5
    store = FakeStore({"a": [*[None] * polls, row("a", Status.SUCCEEDED)]})
    made, _ = run(store, "a", stack=FakeStack(url=url))

    list(made.finished())

    assert calls == [("/admin/functions/submit_document", {"input": "inbox/a"})]


def test_under_core_tools_every_file_is_submitted_through_the_admin_endpoint_at_once(
    host: tuple[str, list[tuple[str, Any]]],
) -> None:
    url, calls = host
    store = FakeStore({name: [row(name, Status.SUCCEEDED)] for name in "ab"})
    made, _ = run(store, "a", "b", stack=FakeStack("func", url))

    list(made.finished())

    assert [body["input"] for _, body in calls] == ["inbox/a", "inbox/b"]


def test_a_file_that_was_replaced_before_it_was_read_fails(host: tuple[str, list[tuple[str, Any]]]) -> None:
    made, _ = run(FakeStore({"a": [None]}, holds=False), "a", stack=FakeStack(url=host[0]))

    assert [document.error_code for document in made.finished()] == ["Replaced"]


def test_a_file_that_is_forgotten_while_it_is_read_ends_the_run_and_is_reported_once() -> None:
    made, said = run(FakeStore({"a": [row("a", Status.READING), None]}), "a")

    assert [document.error_code for document in made.finished()] == ["Replaced"]
    assert sum("Replaced" in line for line in said) == 1


def test_a_part_of_the_stack_that_ends_ends_the_run() -> None:
    made, _ = run(FakeStore({"a": [None]}), "a", stack=FakeStack(ends_after=2))

    with pytest.raises(ServiceError, match="The Functions emulator ended"):
        list(made.finished())


def test_the_unfinished_files_are_known_at_any_time() -> None:
    store = FakeStore({"a": [row("a", Status.SUCCEEDED)], "b": [None]})
    made, _ = run(store, "a", "b")
    finished = made.finished()

    assert made.unfinished() == ["a", "b"]
    next(finished)

    assert made.unfinished() == ["b"]


def test_any_name_is_shown_on_one_line() -> None:
    forged = "a\n  invoice.pdf  succeeded: 1 page\u2028\u202e12345.png"
    assert _short(forged) == r"a\n  invoice.pdf  succeeded: 1 page\u2028\u202e12345.png"
    assert _short("x" * 80) == "..." + "x" * 57

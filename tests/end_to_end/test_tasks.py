"""dev.py again, forget and missed on a running stack: what is requested is done, and stays done."""

import hashlib
import json
import os
import signal
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from local.commands.store import Store, connect
from local.processes import ReadEmulator, azurite_installation
from shared.document import Document, Status
from tests.end_to_end.dev import Dev, wait_for

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="ends the stack as POSIX shells do"),
    pytest.mark.skipif(azurite_installation() is None, reason="Azurite is not installed: `dev.py test` installs it"),
]


class Running:
    """A running stack, its storage, and its Read service."""

    def __init__(self, dev: Dev, read: ReadEmulator) -> None:
        self.dev = dev
        self._read = read
        description = json.loads((dev.state / "stack.json").read_text(encoding="utf-8"))
        settings = {"DocumentStorage": description["connection_string"], "READ_ENDPOINT": read.endpoint}
        self.store: Store = connect(settings)

    def drop(self, name: str, content: str) -> None:
        """Upload a file."""
        path = self.dev.state / "dropped"
        path.write_text(content)
        self.store.drop(path, name)

    def read(self, name: str, content: str) -> Document:
        """Upload a file, and wait until its status is final."""
        self.drop(name, content)
        return self.ended(name)

    def ended(self, name: str, *, submits: int = 1) -> Document:
        """A document, once it is final and has been submitted this often."""

        def has_ended() -> bool:
            document = self.store.document(name)
            return document is not None and document.status.final and document.submits >= submits

        assert wait_for(has_ended, seconds=30), self.store.document(name)
        document = self.store.document(name)
        assert document is not None
        return document

    def paid(self, content: str) -> int:
        """How often Read has accepted a content."""
        with urllib.request.urlopen(f"{self._read.endpoint}/script/counters") as answer:  # noqa: S310 - this machine's
            documents: dict[str, int] = json.load(answer)["documents"]
        return documents.get(hashlib.sha256(content.encode()).hexdigest(), 0)


@contextmanager
def up(folder: Path, environment: dict[str, str]) -> Iterator[Running]:
    """``dev.py up``, with a Read service that plays a script."""
    script = folder / "script.json"
    script.write_text(json.dumps({"latency": 0.5, "result": {"pages": 2, "lines": 3}}))
    dev = Dev(folder / "state", environment)
    with (
        ReadEmulator("--script", str(script), logs=folder, environment=environment) as read,
        dev.start("up", "--ports", "0", READ_ENDPOINT=read.endpoint) as process,
    ):
        assert process.stdout is not None
        while "Ctrl-C stops everything" not in (line := process.stdout.readline()):
            assert line, process.stderr and process.stderr.read()
        rest: deque[Any] = deque(maxlen=100)  # a pipe that nobody empties would stop the host
        threading.Thread(target=rest.extend, args=[process.stdout], daemon=True).start()
        try:
            yield Running(dev, read)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)


@pytest.fixture(scope="module")
def stack_up(tmp_path_factory: pytest.TempPathFactory, app_environment: dict[str, str]) -> Iterator[Running]:
    with up(tmp_path_factory.mktemp("up"), app_environment) as running:
        yield running


def test_a_file_is_read_again_and_counted_as_paid_again(stack_up: Running) -> None:
    first = stack_up.read("again.txt", "again")

    done = stack_up.dev("again", "again.txt")

    assert (done.returncode, done.stdout, done.stderr) == (0, "again.txt: to be read again.\n", "")
    second = stack_up.ended("again.txt", submits=2)
    assert (second.status, second.submits, stack_up.paid("again")) == (Status.SUCCEEDED, 2, 2)
    assert second.operation_url != first.operation_url
    assert second.text == first.text
    assert len(list(stack_up.store.library.each_line(second))) == 6


def test_a_forgotten_file_stays_forgotten(stack_up: Running) -> None:
    document = stack_up.read("forget.txt", "forget")
    assert len(list(stack_up.store.library.each_line(document))) == 6

    done = stack_up.dev("forget", "forget.txt", "missing.txt")

    assert done.returncode == 1
    assert done.stdout.startswith("forget.txt: forgotten and deleted.")
    assert done.stderr == "missing.txt: nothing is known of it, and there is no such file.\n"
    stack_up.read("after-forget.txt", "by now, all containers have been scanned again")
    assert stack_up.store.document("forget.txt") is None
    assert not list(stack_up.store.library.each_line(document))
    assert not stack_up.store.holds("forget.txt", document.source_etag or "")
    assert stack_up.dev("list", "forget.txt").stdout == ""
    assert len(list(stack_up.store.library.missing_outputs(document))) == 3
    assert stack_up.paid("forget") == 1


def test_a_forgotten_but_kept_file_is_not_read_again(stack_up: Running) -> None:
    document = stack_up.read("keep.txt", "keep")

    done = stack_up.dev("forget", "keep.txt", "--keep-file")

    assert done.returncode == 0
    assert stack_up.dev("missed").stdout == "No file was missed.\n"
    stack_up.read("after-keep.txt", "by now, all containers have been scanned again")
    row = stack_up.ended("keep.txt", submits=0)
    assert (row.status, row.text, row.lines_key) == (Status.IGNORED, None, None)
    assert stack_up.store.holds("keep.txt", document.source_etag or "")
    assert not list(stack_up.store.library.each_line(document))
    assert stack_up.paid("keep") == 1

    # It is read only if a person asks for it.
    assert stack_up.dev("again", "keep.txt").returncode == 0
    assert stack_up.ended("keep.txt").status is Status.SUCCEEDED


def test_check_finds_nothing_wrong_with_a_running_stack(stack_up: Running) -> None:
    stack_up.read("check.txt", "check")

    done = stack_up.dev("check")

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 9
    assert stack_up.paid("check") == 1


def test_files_that_no_event_reported_are_found_from_a_date_on(tmp_path: Path, app_environment: dict[str, str]) -> None:
    environment = app_environment | {"AzureWebJobs.submit_document.Disabled": "true"}  # as if its events were lost
    with up(tmp_path, environment) as running:
        running.drop("old.txt", "old")
        since = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)  # storage dates files by whole seconds
        sleep((since - datetime.now(UTC)).total_seconds())
        running.drop("one.txt", "one")
        running.drop("two.txt", "two")

        def missed(*options: str) -> str:
            return running.dev("missed", *options, READ_FILES_FROM=since.isoformat()).stdout

        assert missed("--dry-run") == "2 files (6 bytes) are not read yet. Read bills each page.\n"
        assert missed().startswith("2 files are enqueued, to be read by ")
        assert [running.ended(name).status for name in ("one.txt", "two.txt")] == [Status.SUCCEEDED] * 2
        assert running.store.document("old.txt") is None
        assert missed("--dry-run") == "0 files (0 bytes) are not read yet. Read bills each page.\n"
        assert [running.paid(content) for content in ("old", "one", "two")] == [0, 1, 1]

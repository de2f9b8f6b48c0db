"""Reads accepted documents, several at once, and keeps what came of them."""

import json
import queue
import threading
import traceback
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import IO, Protocol

from local.read_emulator.documents import Document, PageImage, open_document
from local.read_emulator.generations import Generation, Json, Options
from local.read_emulator.operation import INTERNAL, UNREADABLE, Failure, Operation, Status
from local.read_emulator.page import Page
from local.read_emulator.refusals import Reason, Rejected, Unreadable

KEPT = timedelta(hours=48)
"""How long a result can be fetched (Computer Vision v3.2, description of the header Operation-Location)."""

ReadPage = Callable[[PageImage, bool], Page]
"""Recognises one page; the flag says whether columns are read one after the other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation and what it takes to tell of it."""

    operation: Operation
    generation: Generation
    options: Options
    body: bytes | None = None
    """The answer once it has ended, compressed."""


class Backend(Protocol):
    """What stands behind the routes: the reader, or a script that plays one. Used from one thread but for accept."""

    def accept(self, generation: Generation, options: Options, file: IO[bytes]) -> Operation:
        """Take a document on. Raises Rejected."""

    def poll(self, operation_id: str) -> Entry | None:
        """Where the operation stands; None where there is none, or none any more."""

    def delete(self, operation_id: str) -> None:
        """Forget the operation and its result."""

    def ready(self) -> bool:
        """Whether a document would be read at once."""


@dataclass(frozen=True, slots=True)
class _Job:
    operation_id: str
    document: Document
    numbers: list[int]
    file: IO[bytes] = field(repr=False)


class Reader:
    """Reads with an engine, which is loaded in the background: a document that comes earlier waits for it."""

    def __init__(self, load: Callable[[], ReadPage], clock: Callable[[], datetime], workers: int = 2) -> None:
        self._load = load
        self._clock = clock
        self._entries: dict[str, Entry] = {}  # oldest first
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._loading = threading.Lock()
        self._read_page: ReadPage | None = None
        for _ in range(workers):
            threading.Thread(target=self._work, name="read", daemon=True).start()

    def accept(self, generation: Generation, options: Options, file: IO[bytes]) -> Operation:
        """Take a document on. Raises Rejected."""
        document = open_document(file)
        numbers = options.pages.of(document.page_count)
        if not numbers:
            raise Rejected(Reason.PAGES_BEYOND_END)
        now = self._clock()
        operation = Operation(str(uuid.uuid4()), created=now, updated=now)
        with self._lock:
            while self._entries and next(iter(self._entries.values())).operation.created < now - KEPT:
                del self._entries[next(iter(self._entries))]
            self._entries[operation.id] = Entry(operation, generation, options)
        self._jobs.put(_Job(operation.id, document, numbers, file))
        return operation

    def poll(self, operation_id: str) -> Entry | None:
        """Where the operation stands; None where there is none, or none any more."""
        entry = self._entries.get(operation_id)
        return entry if entry and entry.operation.created >= self._clock() - KEPT else None

    def delete(self, operation_id: str) -> None:
        """Forget the operation and its result."""
        with self._lock:
            self._entries.pop(operation_id, None)

    def ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._read_page is not None

    def _work(self) -> None:
        with self._loading:
            if self._read_page is None:
                self._read_page = self._load()
        while True:
            job = self._jobs.get()
            with job.file:
                self._read(job, self._read_page)

    def _read(self, job: _Job, read_page: ReadPage) -> None:
        entry = self._entries.get(job.operation_id)
        if entry is None:
            return
        self._replace(replace(entry, operation=self._moved(entry, Status.RUNNING)))
        try:
            pages = [read_page(image, entry.options.columns) for image in job.document.pages(job.numbers)]
            operation = self._moved(entry, Status.SUCCEEDED)
            body = packed(entry.generation.succeeded(operation, pages, entry.options))
        except Unreadable:
            self._fail(entry, UNREADABLE)
        except Exception:  # noqa: BLE001 - one document must not end the worker; its operation says that it failed
            traceback.print_exc()
            self._fail(entry, INTERNAL)
        else:
            self._replace(replace(entry, operation=operation, body=body))

    def _fail(self, entry: Entry, failure: Failure) -> None:
        operation = self._moved(entry, Status.FAILED)
        body = entry.generation.failed(operation, failure, entry.options)
        self._replace(replace(entry, operation=operation, body=packed(body)))

    def _moved(self, entry: Entry, status: Status) -> Operation:
        return replace(entry.operation, status=status, updated=self._clock())

    def _replace(self, entry: Entry) -> None:
        with self._lock:
            if entry.operation.id in self._entries:  # not deleted meanwhile
                self._entries[entry.operation.id] = entry


def packed(body: Json) -> bytes:
    """JSON as it is kept: a page's result shrinks to a tenth."""
    return zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), level=1)

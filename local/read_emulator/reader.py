"""Reads accepted documents, several pages at once, and keeps their results."""

import json
import threading
import traceback
import uuid
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Protocol

from local.read_emulator.decoders import Decoders, Stored
from local.read_emulator.documents import PageImage
from local.read_emulator.generations import Generation, Json, Options
from local.read_emulator.operation import INTERNAL, OVER_TIME, Failure, Operation, Status, unknown_script, unreadable
from local.read_emulator.page import Page
from local.read_emulator.refusals import OverBudget, Reason, Rejected, Unreadable

KEPT = timedelta(hours=48)
"""How long a result can be fetched (Computer Vision v3.2, description of the header Operation-Location)."""

LOADING_SECONDS = 60
"""Seconds that a document waits for the engine to load before it is accepted anyway."""

DOCUMENT_SECONDS = 60.0
PAGE_SECONDS = 5.0
"""CPU time that decoding a document may take: a fixed part, and more for each page that was decoded."""

ReadPage = Callable[[PageImage, bool], Page]
"""Recognises one page; the flag says whether columns are read one by one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation, and what is needed to answer a GET of it."""

    operation: Operation
    generation: Generation
    options: Options
    body: bytes | None = None
    """The answer, compressed, once the operation has ended."""
    pdf: bytes | None = None
    """The searchable PDF, if one was asked for and the document was read."""


class Backend(Protocol):
    """What the routes call: the reader, or a script that plays one. Only ``accept`` is called from several threads."""

    def new_file(self) -> IO[bytes]:
        """A file to write a document to, on a disk or in memory."""

    def accept(self, generation: Generation, options: Options, file: IO[bytes]) -> Operation:
        """Accept a document, and its file. Raises Rejected."""

    def poll(self, operation_id: str) -> Entry | None:
        """The state of the operation; None if there is none, or if it was deleted or has expired."""

    def delete(self, operation_id: str) -> None:
        """Forget the operation and its result."""

    def ready(self) -> bool:
        """Whether a document would be read at once."""


@dataclass
class _Job:
    """A document that is being read. Changed under the reader's lock."""

    entry: Entry
    path: Path
    document: Stored | None
    """None if describing it exceeded the budget."""
    waiting: deque[int]
    """Pages that no worker has started."""
    begun: int = 0
    """Pages that are being read."""
    pages: dict[int, Page] = field(default_factory=dict)
    faults: dict[int, Failure] = field(default_factory=dict)
    """What went wrong with a page."""
    failure: Failure | None = None
    seconds: float = 0.0
    """CPU time that decoding took."""


class Reader:
    """Reads with an engine, which is loaded in the background.

    Each worker takes a page of the next document in turn, so that a long document uses all workers without
    delaying short ones.
    """

    def __init__(
        self,
        load: Callable[[], ReadPage],
        clock: Callable[[], datetime],
        *,
        workers: int = 2,
        decoders: Decoders | None = None,
    ) -> None:
        self._load = load
        self._clock = clock
        self._decoders = decoders or Decoders(workers)
        self._entries: dict[str, Entry] = {}  # oldest first
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        """Documents with a waiting page."""
        self._loaded = threading.Event()
        self._read_page: ReadPage | None = None
        threading.Thread(target=self._start, args=(workers,), name="load", daemon=True).start()

    def close(self) -> None:
        """End the decoders and remove the documents."""
        self._decoders.close()

    def new_file(self) -> IO[bytes]:
        """A file to write a document to."""
        return self._decoders.new_file()

    def accept(self, generation: Generation, options: Options, file: IO[bytes]) -> Operation:
        """Accept a document, once the engine is loaded. Raises Rejected."""
        path = Path(file.name)
        file.close()
        try:
            document, numbers = self._described(path, generation, options)
        except BaseException:
            self._decoders.remove(path)
            raise
        self._loaded.wait(LOADING_SECONDS)
        now = self._clock()
        operation = Operation(str(uuid.uuid4()), created=now, updated=now)
        entry = Entry(operation, generation, options)
        job = _Job(entry, path, document, deque(numbers), failure=None if document else OVER_TIME)
        with self._changed:
            while self._entries and next(iter(self._entries.values())).operation.created < now - KEPT:
                del self._entries[next(iter(self._entries))]
            self._entries[operation.id] = entry
            self._jobs.append(job)
            self._changed.notify()
        return operation

    def poll(self, operation_id: str) -> Entry | None:
        """The state of the operation; None if there is none, or if it was deleted or has expired."""
        entry = self._entries.get(operation_id)
        return entry if entry and entry.operation.created >= self._clock() - KEPT else None

    def delete(self, operation_id: str) -> None:
        """Forget the operation and its result."""
        with self._changed:
            self._entries.pop(operation_id, None)

    def ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._loaded.is_set()

    def _described(self, path: Path, generation: Generation, options: Options) -> tuple[Stored | None, list[int]]:
        try:
            document = self._decoders.describe(path, generation.limits)
        except OverBudget:
            return None, [1]
        numbers = options.pages.of(document.page_count)
        if not numbers:
            raise Rejected(Reason.PAGES_BEYOND_END)
        return document, numbers

    def _start(self, workers: int) -> None:
        self._decoders.warm()
        self._read_page = self._load()
        self._loaded.set()
        for _ in range(workers):
            threading.Thread(target=self._work, args=(self._read_page,), name="read", daemon=True).start()

    def _work(self, read_page: ReadPage) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs)
                job = self._jobs.popleft()
                number = job.waiting.popleft()
                job.begun += 1
                if job.waiting:
                    self._jobs.append(job)
                if job.entry.operation.status is Status.NOT_STARTED:
                    self._replace(job, replace(job.entry, operation=self._moved(job, Status.RUNNING)))
            self._read(job, number, read_page)
            with self._changed:
                job.begun -= 1
                if (job.failure or job.entry.operation.id not in self._entries) and job.waiting:
                    job.waiting.clear()
                    self._jobs.remove(job)
                ended = not (job.begun or job.waiting)
            if ended:
                self._end(job)

    def _read(self, job: _Job, number: int, read_page: ReadPage) -> None:
        """Read one page, and keep its result in the job."""
        if job.failure or job.document is None:
            return
        try:
            image, seconds = self._decoders.page(job.document, number)
            job.seconds += seconds
            if job.seconds > DOCUMENT_SECONDS + PAGE_SECONDS * (len(job.pages) + 1):
                raise OverBudget
            page = job.pages[number] = read_page(image, job.entry.options.columns)
            if page.unknown_script:
                job.faults[number] = unknown_script(number)
        except Unreadable as reason:
            job.faults[number] = unreadable(str(reason), number if job.document.page_count > 1 else None)
            if reason.size:
                job.pages[number] = Page(number, 0.0, *reason.size, job.document.unit, (), broken=True)
        except OverBudget:
            job.failure = OVER_TIME
        except Exception:  # noqa: BLE001 - one document must not end the worker; its operation says that it failed
            traceback.print_exc()
            job.failure = INTERNAL

    def _end(self, job: _Job) -> None:
        """Keep the operation's answer, and remove the document."""
        try:
            pages = [job.pages[number] for number in sorted(job.pages)]
            if not job.failure and all(page.broken for page in pages):
                job.failure = job.faults[min(job.faults)]
            entry = self._failed(job, job.failure) if job.failure else self._succeeded(job, pages)
        except OverBudget:
            entry = self._failed(job, OVER_TIME)
        except Exception:  # noqa: BLE001 - as above
            traceback.print_exc()
            entry = self._failed(job, INTERNAL)
        self._decoders.remove(job.path)
        with self._changed:
            self._replace(job, entry)

    def _succeeded(self, job: _Job, pages: list[Page]) -> Entry:
        entry = job.entry
        pdf = None
        if entry.options.searchable and job.document:
            pdf = self._decoders.searchable(job.document, pages)
        operation = self._moved(job, Status.SUCCEEDED)
        body = entry.generation.succeeded(
            operation, pages, entry.options, [job.faults[number] for number in sorted(job.faults)]
        )
        return replace(entry, operation=operation, body=packed(body), pdf=pdf)

    def _failed(self, job: _Job, failure: Failure) -> Entry:
        operation = self._moved(job, Status.FAILED)
        body = job.entry.generation.failed(operation, failure, job.entry.options)
        return replace(job.entry, operation=operation, body=packed(body))

    def _moved(self, job: _Job, status: Status) -> Operation:
        return replace(job.entry.operation, status=status, updated=self._clock())

    def _replace(self, job: _Job, entry: Entry) -> None:
        job.entry = entry
        if entry.operation.id in self._entries:  # not deleted in the meantime
            self._entries[entry.operation.id] = entry


def packed(body: Json) -> bytes:
    """Compressed JSON: a page's result shrinks to a tenth."""
    return zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), level=1)

"""What the routes call when a script is played: operations without OCR."""

import hashlib
import tempfile
import threading
import uuid
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import IO

from local.read_emulator.generations import Generation, Options
from local.read_emulator.operation import Failure, Operation, Status
from local.read_emulator.page import Line, Page, Word
from local.read_emulator.reader import KEPT, Entry, packed
from local.read_emulator.refusals import Reason, Rejected
from local.read_emulator.script import Script

IN_MEMORY = 4 * 1024 * 1024
"""Larger documents are on a disk until they are accepted."""

WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog")


class ScriptedReader:
    """Operations that end when the script says, with the script's text. Any content is accepted as a document."""

    def __init__(self, script: Script, clock: Callable[[], datetime]) -> None:
        self._script = script
        self._clock = clock
        self._chance = Random(script.seed)  # noqa: S311 - to be repeated, not to be secret
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._ends: dict[str, datetime] = {}
        self._failures: dict[str, Failure] = {}
        body = (script.folder / script.result.file).read_bytes() if script.result.file else None
        self._body = zlib.compress(body) if body is not None else None
        self.numbers: dict[str, int] = {}
        """Operations by the order in which they were accepted, from 1."""
        self.documents: Counter[str] = Counter()
        """SHA-256 of each content, and how often it was accepted."""

    def new_file(self) -> IO[bytes]:
        """A file to write a document to, in memory unless it is large."""
        return tempfile.SpooledTemporaryFile(IN_MEMORY)

    def accept(self, generation: Generation, options: Options, file: IO[bytes]) -> Operation:
        """Accept a document. Raises Rejected if the script has none of the requested pages."""
        with file:
            file.seek(0)
            digest = hashlib.sha256(file.read()).hexdigest()
        if not options.pages.of(self._script.result.pages):
            raise Rejected(Reason.PAGES_BEYOND_END)
        with self._lock:
            now = self._clock()
            operation = Operation(str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), now, now)
            self._ends[operation.id] = now + timedelta(seconds=self._script.latency.draw(self._chance))
            self._entries[operation.id] = Entry(operation, generation, options)
            self.numbers[operation.id] = len(self.numbers) + 1
            self.documents[digest] += 1
        return operation

    def poll(self, operation_id: str) -> Entry | None:
        """The state of the operation; None if there is none, or if it was deleted or has expired."""
        entry, now = self._entries.get(operation_id), self._clock()
        if entry is None or now > entry.operation.created + KEPT:
            return None
        if entry.body is None and now >= self._ends[operation_id]:
            entry = self._entries[operation_id] = self._ended(entry)
        return entry

    def delete(self, operation_id: str) -> None:
        """Forget the operation and its result."""
        self._entries.pop(operation_id, None)

    def fail(self, operation_id: str, failure: Failure) -> None:
        """End the operation with this result."""
        self._failures[operation_id] = failure

    def ready(self) -> bool:
        """Always: there is nothing to load."""
        return True

    def _ended(self, entry: Entry) -> Entry:
        failure = self._failures.get(entry.operation.id)
        status = Status.FAILED if failure else Status.SUCCEEDED
        operation = replace(entry.operation, status=status, updated=self._ends[entry.operation.id])
        if failure:
            body = packed(entry.generation.failed(operation, failure, entry.options))
        elif self._body is not None:
            body = self._body
        else:
            numbers = entry.options.pages.of(self._script.result.pages)[: self._script.page_cap]
            pages = [_page(number, self._script.result.lines) for number in numbers]
            body = packed(entry.generation.succeeded(operation, pages, entry.options, []))
        return replace(entry, operation=operation, body=body)


def _page(number: int, lines: int) -> Page:
    """US letter in inches, with as many lines as asked for, however close they stand."""
    return Page(
        number, 0.0, 8.5, 11.0, "inch", tuple(_line(number, line, 1 + line * 9 / lines) for line in range(lines))
    )


def _line(page: int, line: int, top: float) -> Line:
    texts = [f"{page}.{line + 1}", *(WORDS[(page + line + n) % len(WORDS)] for n in range(5))]
    words = tuple(
        Word((left, top, left + 0.9, top, left + 0.9, top + 0.1, left, top + 0.1), text, 0.99)
        for text, left in zip(texts, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), strict=True)
    )
    return Line((1.0, top, 6.9, top, 6.9, top + 0.1, 1.0, top + 0.1), " ".join(texts), words)

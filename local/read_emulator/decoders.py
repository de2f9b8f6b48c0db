"""A pool of decoder processes, which open files within a budget of time and memory.

A process that exceeds its budget is killed and replaced; the rest of the emulator continues.
"""

import contextlib
import json
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from local.paths import ROOT
from local.read_emulator.documents import Limits, PageImage
from local.read_emulator.page import Page
from local.read_emulator.refusals import OverBudget, Reason, Rejected, Unreadable

SECONDS = 60.0
"""Seconds that one request may take in any case; decoder.py has the limit of CPU time."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A document in a file, and what describing it found."""

    path: Path
    limits: Limits
    page_count: int
    unit: Literal["pixel", "inch"]
    page_tree: bool
    """Whether its page count was checked (documents.open_document)."""


class Decoders:
    """A pool of processes, and the folder of the documents that they decode. Safe to use from several threads."""

    def __init__(self, processes: int = 2, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self.folder = Path(tempfile.mkdtemp(prefix="read-emulator-"))
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        for _ in range(processes):
            self._idle.put(_Process(self.folder))

    def close(self) -> None:
        """End the processes that are idle, and remove all documents."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def warm(self) -> None:
        """Start one process, so that the first document need not wait for that."""
        with self._one() as process:
            process.start()

    def new_file(self) -> IO[bytes]:
        """A file for a document, open for writing; its name is a path."""
        return tempfile.NamedTemporaryFile(dir=self.folder, delete=False)

    def remove(self, path: Path) -> None:
        """Remove a document."""
        held = []
        with contextlib.suppress(queue.Empty):
            while True:
                held.append(self._idle.get_nowait())
        for process in held:
            if process.holds == path:
                with contextlib.suppress(OverBudget, Unreadable):
                    process.ask({"do": "close"}, self._seconds)
                process.holds = None
            self._idle.put(process)
        path.unlink(missing_ok=True)

    def describe(self, path: Path, limits: Limits) -> Stored:
        """Examine a document's content. Raises Rejected, OverBudget."""
        page_tree = True
        try:
            answer = self._ask(path, limits, page_tree, do="describe")
        except (OverBudget, Unreadable):
            page_tree = False
            try:
                answer = self._ask(path, limits, page_tree, do="describe")
            except Unreadable:  # decoders crash on it
                raise Rejected(Reason.NOT_A_DOCUMENT) from None
        return Stored(path, limits, answer[0]["page_count"], answer[0]["unit"], page_tree)

    def page(self, document: Stored, number: int) -> tuple[PageImage, float]:
        """Decode a page; also returns the seconds of CPU time. Raises Unreadable, OverBudget."""
        answer, content = self._ask(document.path, document.limits, document.page_tree, do="page", number=number)
        pixels = np.frombuffer(content, np.uint8).reshape(answer["shape"])
        size = answer["width"], answer["height"]
        return PageImage(number, pixels, *size, answer["unit"], answer["expected"]), answer["seconds"]

    def searchable(self, document: Stored, pages: Sequence[Page]) -> bytes:
        """A PDF of these pages, with their text invisible over them. Raises Unreadable, OverBudget."""
        texts = [[(word.text, word.box) for line in page.lines for word in line.words] for page in pages]
        _, content = self._ask(
            document.path,
            document.limits,
            document.page_tree,
            do="searchable",
            texts=texts,
            numbers=[page.number for page in pages],
        )
        return bytes(content)

    def _ask(self, path: Path, limits: Limits, page_tree: bool, **request: Any) -> tuple[dict[str, Any], bytearray]:
        with self._one() as process:
            process.holds = path
            answer, content = process.ask(
                {"path": str(path), "limits": asdict(limits), "page_tree": page_tree, **request}, self._seconds
            )
        if "rejected" in answer:
            raise Rejected(Reason[answer["rejected"]], answer["subject"])
        if "unreadable" in answer:
            raise Unreadable(answer["unreadable"], answer["size"] and tuple(answer["size"]))
        return answer, content

    @contextlib.contextmanager
    def _one(self) -> Any:
        process = self._idle.get()
        try:
            yield process
        finally:
            self._idle.put(process)


class _Process:
    """A decoder process, started at its first request, and again after it was ended."""

    def __init__(self, folder: Path) -> None:
        self.holds: Path | None = None
        """The document that it may have open."""
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> "subprocess.Popen[bytes]":
        """The process, started if necessary."""
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "local.read_emulator.decoder", str(self._folder)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self._child

    def end(self) -> None:
        """End the process."""
        if self._child:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def ask(self, request: dict[str, Any], seconds: float) -> tuple[dict[str, Any], bytearray]:
        """The answer and its bytes. Raises OverBudget if it takes too long, Unreadable if the process dies."""
        child = self.start()
        assert child.stdin  # noqa: S101 - they are pipes
        assert child.stdout  # noqa: S101 - as above
        late = threading.Event()

        def end() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            answer: dict[str, Any] = json.loads(child.stdout.readline() or "{}")
            content = bytearray(answer.get("bytes", 0))
            if answer and child.stdout.readinto(memoryview(content)) == len(content):  # type: ignore[attr-defined]  # a buffered reader
                return answer, content
        except (OSError, ValueError):
            pass
        finally:
            timer.cancel()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it has ended, or is about to
            child.wait(1)
        status = child.poll()
        self.end()
        if late.is_set() or (sys.platform != "win32" and status == -signal.SIGXCPU):
            raise OverBudget
        raise Unreadable("cannot be decoded within the memory that a file may take")

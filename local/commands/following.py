"""Drop files, follow their rows, and show each as soon as it is read."""

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import HttpResponseError

from cli.connection import explained, first_line
from cli.errors import CommandError
from cli.output import (
    amount,
    by_status,
    document_json,
    for_terminal,
    joined,
    one_line,
    print_json,
    state,
)
from local.commands.files import File, refusal
from local.commands.store import Store, connect
from local.paths import DATA, from_here
from local.stack import Stack
from shared.document import Document, Status

WATCH_EVERY = 0.25
"""Seconds between two queries for what has changed."""

INVOKE_AFTER = 5.0
"""Seconds without news after which submit_document is invoked through the host's admin endpoint, for files that no
trigger has noticed.

Triggers skip a few: names that leave no room for a receipt and, under Core Tools, a file written in the same second
as the last one seen (azure-sdk-for-net BlobReceiptManager.cs, ScanContainersStrategy.cs).
"""

_OVERLAP = timedelta(seconds=2)
"""How far before the newest known row each query begins: rows may appear out of the order of their times."""

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Calls the host, which runs on this machine, without a proxy."""


def follow(stack: Stack, files: Sequence[File], *, as_json: bool, say: Callable[[str], object]) -> int:
    """Have the stack read the files, and print each as soon as it is read; returns the exit status of ``dev.py run``.

    Files are dropped as soon as storage answers, while the rest of the stack starts.
    """
    stack.wait_for_storage()
    with _explained(stack):
        store = connect(stack.app_settings())
        store.make_inbox()
        run = Run(store, stack, files, say=say)
        documents: list[Document] = []
        try:
            for document in run.finished():
                documents.append(document)
                if as_json:
                    print_json(document_json(store.library, document))
                else:
                    print(_shown(store, document), flush=True)
        except KeyboardInterrupt:
            say(f"Stopped; not finished: {_some(run.unfinished())}. `dev.py up` continues with what was dropped.")
            raise
        if not as_json:
            print(_summary(store, stack, documents))
    return 1 if any(document.status is Status.FAILED for document in documents) else 0


@contextmanager
def _explained(stack: Stack) -> Iterator[None]:
    """Explain a refusal by storage in one sentence, or report that a part of the stack has ended, if that is why."""
    try:
        with explained():
            yield
    except CommandError:
        stack.check()
        raise


@dataclass
class _Dropped:
    """A file that was dropped. ``document`` is its row, once the row describes the version that was dropped."""

    name: str
    etag: str
    at: float
    document: Document | None = None
    done: bool = False


class Run:
    """Drops files, and follows their rows until each is read, has failed, or is ignored."""

    def __init__(
        self,
        store: Store,
        stack: Stack,
        files: Sequence[File],
        *,
        say: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._stack = stack
        self._files = [File(file.path, store.settings.input_prefix + file.name) for file in files]
        self._say = say
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._dropped: dict[str, _Dropped] = {}
        self._width = min(40, max(len(_short(file.name)) for file in self._files))

    def finished(self) -> Iterator[Document]:
        """The documents of all files, each as soon as it is done.

        Raises ServiceError if a part of the stack ends, or does not come up.
        """
        since = self._now() - _OVERLAP
        for file in self._files:
            self._drop(file)
        pending = dict(self._dropped)
        yield from _taken(pending)
        if not pending:
            return
        self._stack.wait_until_ready()
        if self._stack.description.host == "func":
            self._invoke()
        news = self._clock()
        while pending:
            for document, changed in self._store.changed_since(since):
                since = max(since, changed - _OVERLAP)
                if (item := pending.get(document.name)) and self._take(item, document):
                    news = self._clock()
            yield from _taken(pending)
            if pending:
                self._stack.check()
                if self._clock() - news > INVOKE_AFTER:
                    self._invoke()
                    news = self._clock()
                self._sleep(WATCH_EVERY)

    def unfinished(self) -> list[str]:
        """The names of files that are not done."""
        done = {name for name, item in self._dropped.items() if item.done}
        return [file.name for file in self._files if file.name not in done]

    def _drop(self, file: File) -> None:
        item = self._dropped[file.name] = _Dropped(file.name, "", self._clock())
        if why := refusal(file.name):
            self._end(item, "NotDropped", why, "Rename the file, and run it again.")
            return
        try:
            item.etag = self._store.drop(file.path, file.name)
        except (HttpResponseError, OSError) as error:
            self._end(item, "NotDropped", first_line(error), "Correct this, and run the file again.")
        else:
            self._report(file.name, "dropped")

    def _take(self, item: _Dropped, document: Document) -> bool:
        """Take in a file's row; returns whether there is news."""
        if item.done:
            return False
        if document.source_etag != item.etag:
            if item.document is not None:  # the row described our version, and now describes another
                self._end_as_replaced(item)
            return item.done
        before, item.document, item.done = item.document, document, document.status.final
        if before and (before.status, before.error_code) == (document.status, document.error_code):
            return before.polls != document.polls
        if document.status is Status.SUBMITTING:
            return True  # for a moment
        took = f", {self._clock() - item.at:.1f} s" if document.status is Status.SUCCEEDED else ""
        self._report(item.name, _progress(document) + took)
        return True

    def _invoke(self) -> None:
        """Invoke submit_document for files that no trigger has noticed."""
        for item in self._dropped.values():
            if item.document and not item.done and self._store.document(item.name) is None:
                self._end_as_replaced(item)  # somebody has forgotten it
            if item.done or item.document:
                continue
            if not self._store.holds(item.name, item.etag):
                self._end_as_replaced(item)
            elif self._stack.description.host_url:
                blob = f"{self._store.settings.input_container}/{item.name}"
                request = urllib.request.Request(  # noqa: S310 - http, on this machine
                    f"{self._stack.description.host_url}/admin/functions/submit_document",
                    data=json.dumps({"input": blob}).encode(),
                    headers={"Content-Type": "application/json"},
                )
                try:
                    _OPENER.open(request, timeout=30).close()
                except urllib.error.URLError as error:
                    self._report(item.name, f"waits, because the Functions host does not answer ({error.reason})")
                    return

    def _end_as_replaced(self, item: _Dropped) -> None:
        self._end(item, "Replaced", "The file was overwritten or deleted before it was read.", "Run it again.")

    def _end(self, item: _Dropped, code: str, message: str, advice: str) -> None:
        """End a file that the app does not know."""
        item.document = Document(
            name=item.name, status=Status.FAILED, error_code=code, error_message=message, advice=advice
        )
        item.done = True
        self._report(item.name, _progress(item.document))

    def _report(self, name: str, text: str) -> None:
        self._say(f"  {_short(name):<{self._width}}  {text}")


def _short(name: str) -> str:
    return one_line(name if len(name) <= 60 else f"...{name[-57:]}")


def _progress(document: Document) -> str:
    """A document's status. Failures are explained at length later, among the texts."""
    if document.status is Status.FAILED:
        return f"failed ({document.error_code})"
    return state(document, datetime.now().astimezone())


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(_short, names[:5]))
    return f"{shown} and {len(names) - 5:,} more" if len(names) > 5 else shown


def _taken(pending: dict[str, _Dropped]) -> Iterator[Document]:
    """The documents of files that are done; removes them from ``pending``."""
    for item in [item for item in pending.values() if item.done]:
        del pending[item.name]
        if item.document:
            yield item.document


def _shown(store: Store, document: Document) -> str:
    """A document's text under its name, or why there is none."""
    if document.status is not Status.SUCCEEDED:
        return f"\n---- {_short(document.name)} ----\n{state(document, datetime.now().astimezone())}"
    size = f"{amount(document.page_count or 0, 'page')}, {amount(document.line_count or 0, 'line')}"
    text = for_terminal(joined(store.text(document)))
    container = store.settings.output_container
    where = one_line(f"{container}/{document.text_blob}, {container}/{document.result_blob}")
    return f"\n---- {_short(document.name)} ({size}) ----\n{text or '(no text)'}\n---- in {where}"


def _summary(store: Store, stack: Stack, documents: Sequence[Document]) -> str:
    names = store.settings
    total = by_status(Counter(document.status for document in documents))
    inbox = f"{names.input_container}{f', folder {names.input_prefix}' if names.input_prefix else ''}"
    see = "connect any storage tool as `dev.py up` says"
    if stack.ours:
        see = "start `python3 dev.py up`, and connect any storage tool with UseDevelopmentStorage=true"
    elif stack.description.page:
        see = f"open {stack.description.page}, or {see}"
    return f"""
{total}. Everything is stored in {from_here(DATA)} until `python3 dev.py clean`:
  files          container {inbox}
  text and JSON  container {names.output_container}
  rows           tables {names.documents_table} and {names.lines_table}
To browse it: {see}."""

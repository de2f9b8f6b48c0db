"""Carrying out what was decided: rows, messages, and outputs that are all there before the row says so."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

from shared import decide
from shared.assembly import Services
from shared.document import Document, Status, is_unsafe, lines_key, output_name, truncate
from shared.message import Message
from shared.read.answers import Arriving, Succeeded
from shared.read.generation import Generation
from shared.read.generations import generation_or
from shared.read.json_walk import Answer, StoredAnswer, WholeAnswer
from shared.read.page_count import shortfall
from shared.read.result import Page, Result, ResultNotUnderstood, Summary
from shared.storage.blobs import Upload
from shared.storage.tables import Fence

_log = logging.getLogger(__name__)


def carry_out(
    services: Services,
    before: Document | None,
    then: decide.Transition,
    slots: tuple[int, ...] = (),
    *,
    over_tombstone: bool = True,
) -> None:
    """Write a decided row over the one that it was decided from, and send the message for its next step.

    ``slots`` are what is reserved for that step. Without ``over_tombstone``, nothing is written
    where a forgotten document has left its tombstone.

    A document that ends without a result first loses what an older version, or an earlier run, may have left.
    Raises Conflict or Superseded if somebody else has the row.
    """
    document = then.document
    if before is not None and _may_have_outputs(before, document):
        if before.source_etag != document.source_etag:
            before = services.documents.write(
                decide.reserve_for_cleanup(document, services.now(), services.settings), before
            )
        clear_outputs(services, before)
    if document.status.final:
        document = decide.finished(document, services.now(), services.settings)
    written = services.documents.write(document, before, over_tombstone=over_tombstone)
    _log.info("%r is %s%s.", written.name, written.status, f" ({written.error_code})" if written.error_code else "")
    if then.delay is not None:
        services.queue.send(Message.about(written, slots=slots).to_json(), then.delay)
    if written.notification_pending:
        settle(services, written)


def settle(services: Services, document: Document) -> None:
    """Do what a final document still owes, and note that it is done. Raises Conflict."""
    now = services.now()
    if document.notification_pending and services.done:
        services.done.send(_done_message(document), 0)
    clean_up_at = document.clean_up_at
    if clean_up_at and clean_up_at <= now:
        clear_outputs(services, document)
        clean_up_at = None
        if document.forgotten and services.inbox.etag(document.name) is None:
            services.documents.remove(document, due_at=now + services.settings.claim_length)
            return
    services.documents.write(
        document.evolve(notification_pending=None, clean_up_at=clean_up_at, due_at=clean_up_at), document
    )


def store(services: Services, document: Document, answer: Succeeded | Arriving) -> None:
    """Store a result: JSON, lines and text, then the row.

    Of a large one, no more than a page and a block is in memory: the JSON goes to its blob as it arrives, and the pages
    come from there. Raises ResultNotUnderstood, BrokenOff, Conflict, Superseded.
    """
    generation = generation_or(document.api_version, services.settings.generation)
    fence = _fence(services, document)
    settings, name = services.settings, document.name
    result_blob, text_blob = output_name(name, ".json"), output_name(name, ".txt")
    marks = {"api_version": document.api_version or ""}
    body = services.outputs.put(result_blob, "application/json", marks, fence)
    result, stored = _keep(services, generation, answer, body, result_blob)
    text_file = services.outputs.put(text_blob, "text/plain; charset=utf-8", marks, fence)
    summary = Summary()

    def pages() -> Iterator[Page]:
        for page in result.pages(stored):
            text_file.write((("\f" if summary.page_count else "") + page.text_file).encode())
            summary.add(page)
            yield page

    key = lines_key(settings.input_container, name)
    services.lines.write(key, fence, _rows(pages(), name))
    text_file.commit()
    text = summary.text
    shown = truncate(text)
    done = document.evolve(
        status=Status.SUCCEEDED,
        text=shown,
        text_truncated=len(shown) < len(text),
        text_blob=text_blob,
        result_blob=result_blob,
        lines_key=key,
        page_count=summary.page_count,
        line_count=summary.line_count,
        word_count=summary.word_count,
        warning=_warning(summary.page_count, result, document, generation),
        language=summary.language,
        model_version=result.model_version,
        completed_at=services.now(),
        polls=document.polls + 1,
        attempts=0,
        not_found_polls=0,
        due_at=None,
        clean_up_at=None,
        error_code=None,
        error_message=None,
        advice=None,
    )
    carry_out(services, document, decide.Transition(done))


def adopt_outputs(services: Services, document: Document, adopted: Document) -> None:
    """Mark a read document's outputs as a new version's with the same content, then its row.

    Raises Superseded or Conflict if they are not what the row says.
    """
    fence = _fence(services, document)
    for blob in (document.result_blob, document.text_blob):
        if blob:
            services.outputs.adopt(blob, fence, adopted.source_etag or "")
    if document.lines_key:
        services.lines.adopt(document.lines_key, fence, adopted.source_etag or "")
    carry_out(services, document, decide.Transition(adopted))


def _keep(
    services: Services, generation: Generation, answer: Succeeded | Arriving, body: Upload, name: str
) -> tuple[Result, Answer]:
    """Put Read's answer into its blob, byte for byte. Returns what it says, and where its pages can be read."""
    if isinstance(answer, Succeeded):
        stored: Answer = WholeAnswer(answer.answer)
        result = generation.parse(stored)
        body.write(answer.body)
        body.commit()
        return result, stored
    with closing(answer):
        answer.keep = body.write
        try:
            result = generation.parse(answer)
        except ResultNotUnderstood:
            answer.finish()  # it may only have broken off
            raise
    etag = body.commit()
    return result, StoredAnswer(lambda: services.outputs.get(name, etag))


def _rows(pages: Iterable[Page], name: str) -> Iterator[dict[str, Any]]:
    for page in pages:
        for number, line in enumerate(page.lines, start=1):
            row = {
                "RowKey": f"{page.number:05}-{number:05}",
                "Name": name,
                "Page": page.number,
                "Line": number,
                "Text": truncate(line.text),
                "BoundingBox": None if line.box is None else "[" + ",".join(f"{value:.6g}" for value in line.box) + "]",
                "Unit": page.unit,
                "Confidence": line.confidence,
                "Handwritten": line.handwritten,
                "Language": line.language or page.language,
            }
            yield {column: value for column, value in row.items() if value is not None}


def _warning(page_count: int, result: Result, document: Document, generation: Generation) -> str | None:
    """What the reader of a succeeded document should know: pages that Read left out or could not read."""
    missing = shortfall(page_count, document.pages_in_file, document.requested_pages, generation.most_pages)
    return " ".join(filter(None, (missing, *result.warnings)))[:4000] or None


def _may_have_outputs(before: Document, document: Document) -> bool:
    """Whether a document ends without a result, and somebody may have written one."""
    if document.forgotten:
        return False  # cleared as the row says, while it is already ignored
    return document.status in (Status.FAILED, Status.IGNORED) and (
        document.clean_up_at is not None or before.operation_url is not None or before.resubmits > 0
    )


def clear_outputs(services: Services, document: Document) -> None:
    """Remove lines, JSON and text, whichever version's, for the run that holds the row. Raises Superseded."""

    def holds_the_row() -> bool:
        current = services.documents.get(document.name)
        return current is not None and current.write_id == document.write_id

    _clear(services, document, holds_the_row)


def _clear(services: Services, document: Document, still_ours: Callable[[], bool]) -> None:
    fence = Fence(document.source_etag or "", document.operation_id, still_ours)
    services.lines.clear(
        lines_key(services.settings.input_container, document.name), fence, head_too=bool(document.forgotten)
    )
    for extension in () if is_unsafe(document.name) else (".json", ".txt"):
        services.outputs.delete(output_name(document.name, extension), fence)


def clear_tombstone(services: Services, name: str) -> None:
    """Remove what a slow run wrote for a document that has been forgotten since, and then its tombstone."""
    tombstone = services.documents.tombstone(name)
    if tombstone is None:
        return
    nobodys = Document(name=name, status=Status.IGNORED, forgotten=True)
    _clear(services, nobodys, lambda: services.documents.get(name) is None)
    services.documents.remove_tombstone(name, tombstone)


def _done_message(document: Document) -> str:
    fields = {
        "v": 1,
        "name": document.name,
        "status": str(document.status),
        "textBlob": document.text_blob,
        "resultBlob": document.result_blob,
        "errorCode": document.error_code,
    }
    return json.dumps(fields)


def _fence(services: Services, document: Document) -> Fence:
    def still_ours() -> bool:
        current = services.documents.get(document.name)
        return (
            current is not None
            and (current.source_etag, current.operation_url) == (document.source_etag, document.operation_url)
            and current.status not in (Status.FAILED, Status.IGNORED)
        )

    return Fence(document.source_etag or "", document.operation_id, still_ours)

"""Carry out what was decided: write the row, send the message, and first remove outputs of older versions."""

import json
from collections.abc import Callable

from shared import decide, log
from shared.assembly import Services
from shared.document import Document, Status, Tombstone
from shared.keys import is_unsafe, lines_key, output_name
from shared.message import Message
from shared.outputs.pages import PagesWriter
from shared.outputs.text import TextWriter
from shared.storage.documents import Expected
from shared.storage.fence import Fence
from shared.storage.outputs import Outputs

_EXTENSIONS = (".json", TextWriter.extension, PagesWriter.extension)
"""The extensions of all output blobs that a document can have."""


def carry_out(
    services: Services,
    before: Expected,
    transition: decide.Transition,
    slots: tuple[int, ...] = (),
    called: log.Called | None = None,
) -> Document:
    """Write the decided row in place of ``before``, which it was decided from, and send the message for its next step.

    ``slots`` are the reserved slots for that step. If the document ends without a result, outputs that an older version
    or an earlier run may have left are removed first. Raises Conflict or Superseded if another run has the row.
    """
    document = transition.document
    if isinstance(before, Tombstone):
        document = before.passed_on_to(document)
    if _may_have_outputs(before, document):
        if not isinstance(before, Document) or before.source_etag != document.source_etag:
            reserved = decide.reserve_for_cleanup(document, services.now(), services.settings)
            before = services.documents.write(reserved, before)
        clear_outputs(services, before)
    if document.status.final and isinstance(before, Document):
        _clear_elsewhere(services, before, kept=document)
    if document.status.final:
        document = decide.finished(document, services.now(), services.settings)
    written = services.documents.write(document, before)
    log.step(before if isinstance(before, Document) else None, written, called)
    if transition.delay is not None:
        services.queue.send(Message.about(written, slots=slots).to_json(), transition.delay)
    if written.notification_pending and not decide.may_still_be_written(written):
        settle(services, written)
    return written


def settle(services: Services, document: Document) -> None:
    """Send a final document's notification, remove outputs of slow runs, and write that down. Raises Conflict."""
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
    services.documents.write(decide.settled(document, clean_up_at), document)


def clear_outputs(services: Services, document: Document) -> None:
    """Remove lines and output blobs of every version. Only the run that holds the row may. Raises Superseded."""

    def holds_the_row() -> bool:
        current = services.documents.get(document.name)
        return current is not None and current.write_id == document.write_id

    _clear(services, document, holds_the_row)


def clear_tombstone(services: Services, name: str) -> None:
    """Remove what a slow run wrote for a document after it was forgotten, and then its tombstone."""
    tombstone = services.documents.tombstone(name)
    if tombstone is None:
        return
    nobodys = Document(name=name, status=Status.IGNORED, forgotten=True)
    _clear(services, nobodys, lambda: services.documents.get(name) is None)
    services.documents.remove_tombstone(name, tombstone)


def fence_of(services: Services, document: Document) -> Fence:
    """The fence for the outputs of a document that Read is reading, or has read."""

    def still_ours() -> bool:
        current = services.documents.get(document.name)
        return (
            current is not None
            and (current.source_etag, current.operation_url) == (document.source_etag, document.operation_url)
            and current.status not in (Status.FAILED, Status.IGNORED)
        )

    return Fence(document.source_etag or "", document.operation_id, still_ours)


def _clear(services: Services, document: Document, still_ours: Callable[[], bool]) -> None:
    """Remove lines and output blobs from where the settings point now, and from where the row says they are."""
    fence = Fence(document.source_etag or "", document.operation_id, still_ours)
    key = lines_key(services.settings.input_container, document.name)
    for outputs, lines in dict.fromkeys([(services.outputs, services.lines), services.places_of(document)]):
        lines.clear(key, fence, head_too=bool(document.forgotten))
        _delete_blobs(outputs, document.name, fence)


def _delete_blobs(outputs: Outputs, name: str, fence: Fence) -> None:
    for extension in () if is_unsafe(name) else _EXTENSIONS:
        outputs.delete(output_name(name, extension), fence)


def _clear_elsewhere(services: Services, before: Document, kept: Document) -> None:
    """Remove what an older version stored while OUTPUT_CONTAINER or LINES_TABLE had other values. Raises Superseded."""
    if (before.output_container, before.lines_table) == (kept.output_container, kept.lines_table):
        return
    fence = Fence(before.source_etag or "", before.operation_id, lambda: True)
    outputs, lines = services.places_of(before)
    if outputs is not services.outputs:
        _delete_blobs(outputs, before.name, fence)
    if lines is not services.lines:
        lines.clear(lines_key(services.settings.input_container, before.name), fence, head_too=True)


def _may_have_outputs(before: Expected, document: Document) -> bool:
    """Whether a document ends without a result, but an older version or another run may have stored one."""
    if document.forgotten:
        return False  # its outputs are removed when its row says so, while it is ignored already
    if document.status not in (Status.FAILED, Status.IGNORED):
        return False
    if document.clean_up_at is not None:
        return True
    return isinstance(before, Document) and (before.operation_url is not None or before.resubmits > 0)


def _done_message(document: Document) -> str:
    fields = {
        "v": 1,
        "name": document.name,
        "status": str(document.status),
        "textBlob": document.text_blob,
        "resultBlob": document.result_blob,
        "pagesBlob": document.pages_blob,
        "errorCode": document.error_code,
    }
    return json.dumps(fields)

"""The five-minute sweep: requeue stalled documents and drain the poison queues."""

import base64
import json
from datetime import datetime, timedelta
from itertools import chain, islice, takewhile

from shared import decide, log
from shared.assembly import Services
from shared.carry_out import clear_tombstone, settle
from shared.document import Document, Status
from shared.message import ForeignMessage, LaterMessage, Message
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded

_OUR_FUNCTION = "Host.Functions.submit_document"

_MOST_COUNTED = 20_000
"""Worklist entries that a sweep counts at most, in twenty calls of storage."""

_NOBODYS_AFTER = timedelta(hours=1)
"""A document outside INPUT_PREFIX belongs to another app, or was in flight when the prefix was changed. If its step is
so long overdue, no other app is taking care of it, so this one does."""


def recover_stalled(services: Services, until: datetime) -> None:
    """Requeue stalled documents and drain the poison queues. Nothing is started after ``until``.

    A step is overdue when every run that could still be working on it has been killed: a claim's length after the step
    was due. A claim is overdue as soon as it is due, since its due time already includes that length. The cost is
    three queries of the worklist, and three calls for each document that is overdue.
    """
    now = services.now()
    overdue_since = now - services.settings.claim_length
    documents = services.documents
    worklist = _look_over(services, now, overdue_since)
    for name in chain(documents.overdue(now, Status.SUBMITTING), documents.overdue(overdue_since)):
        if services.now() > until:
            break
        try:
            _recover(services, name, overdue_since)
        except (Conflict, Superseded):
            log.skipped(name, "another run has just taken its next step")
    unreadable = _drain_poison(services, until)
    _drain_blob_poison(services, until)
    log.sweep(worklist, unreadable=unreadable, complete=services.now() <= until)


def _look_over(services: Services, now: datetime, overdue_since: datetime) -> log.Worklist:
    """Count the worklist entries by kind, _MOST_COUNTED of them at most."""
    in_flight = overdue = failed = 0
    earliest = now
    for status, due_at in islice(services.documents.worklist(), _MOST_COUNTED):
        failed += status == Status.FAILED
        if status in (Status.SUBMITTING, Status.READING, Status.WAITING):
            in_flight += 1
            overdue += due_at is None or due_at <= (now if status == Status.SUBMITTING else overdue_since)
            earliest = min(earliest, due_at or earliest)
    oldest = int((now - earliest).total_seconds())
    return log.Worklist(in_flight=in_flight, overdue=overdue, oldest=oldest, failed=failed)


def _recover(services: Services, name: str, overdue_since: datetime) -> None:
    now, settings = services.now(), services.settings
    document = services.documents.get(name)
    if not settings.reads(settings.input_container, name) and (
        document is None or (document.due_at and document.due_at > now - _NOBODYS_AFTER)
    ):
        return  # the document of another app, which reads another folder of the same container
    if document is None or (document.status.final and document.due_at is None):
        clear_tombstone(services, name)
        return
    if document.status.final:
        settle(services, document)
        return
    stalled_since = now if document.status is Status.SUBMITTING else overdue_since
    if document.due_at is None or document.due_at <= stalled_since:
        log.requeued(document)
        _requeue(services, document)


def _requeue(services: Services, document: Document) -> None:
    """Enqueue a document's next step again.

    The write id stays the same: if the queue is only far behind, the first message still counts, and whichever of the
    two comes first makes the other one stale.
    """
    requeued = decide.rescheduled(document, services.now())
    written = services.documents.write(requeued, document, write_id=document.write_id)
    services.queue.send(Message.about(written).to_json(), 0)


def _drain_poison(services: Services, until: datetime) -> int:
    """Handle each message. Returns how many went to the queue for unreadable messages."""
    unreadable = 0
    for raw in services.poison.drain():
        if services.now() > until:
            break
        try:
            body = base64.b64decode(raw.content, validate=True)
            _recover_poison(services, Message.from_json(body))
        except (Conflict, Superseded):
            pass  # the document has moved on
        except LaterMessage:
            services.queue.send(body.decode(), 0)
        except (ForeignMessage, ValueError):
            services.unreadable.send(raw.content, 0)
            unreadable += 1
        services.poison.delete(raw)
    return unreadable


def _recover_poison(services: Services, message: Message) -> None:
    document = services.documents.get(message.name)
    match decide.on_poison(document, message):
        case decide.Skip(why):
            log.skipped(message.name, f"a message from the poison queue is dropped: {why}", message.trace)
        case Message(write_id=None) as fresh:
            services.queue.send(fresh.to_json(), 0)
        case Message():
            assert document is not None  # noqa: S101 - a message with a write id is about a row
            _requeue(services, document)


def _drain_blob_poison(services: Services, until: datetime) -> None:
    """Enqueue the files whose events failed.

    The queue belongs to the storage account, and other apps have messages in it. Receiving a message hides it and
    raises its dequeue count, so messages are only peeked at until they are known to be this app's. A queue gives its
    messages from the front: this app's messages in front of all others are received and deleted. For those behind
    another app's message the file is enqueued and the message stays; the next sweep finds the file known. Storage
    shows 32 messages at most, and find_missed finds the files of the rest.
    """
    while services.now() <= until:
        names = [_our_blob(services, content) for content in services.blob_poison.peek()]
        in_front = list(takewhile(bool, names))
        for raw in services.blob_poison.take(len(in_front)) if in_front else ():
            if name := _our_blob(services, raw.content):
                services.queue.send(Message(name).to_json(), 0)
                services.blob_poison.delete(raw)
            else:  # between peeking and receiving, another run has taken this app's message
                services.blob_poison.give_back(raw)
        if len(in_front) < len(names) or not names:
            for name in filter(None, names[len(in_front) :]):
                services.queue.send(Message(name).to_json(), 0)
            return


def _our_blob(services: Services, content: str) -> str | None:
    """The blob's name, if the message is an event of this app's blob trigger."""
    event = _blob_event(content)
    container, name = event.get("ContainerName"), event.get("BlobName")
    if (
        event.get("FunctionId") == _OUR_FUNCTION
        and isinstance(container, str)
        and isinstance(name, str)
        and services.settings.reads(container, name)
    ):
        return name
    return None


def _blob_event(content: str) -> dict[str, object]:
    """The host's message about a blob: JSON, in base64 or, from other versions of the host, plain."""
    try:
        plain = content if content.lstrip().startswith("{") else base64.b64decode(content, validate=True)
        event = json.loads(plain)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}

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
"""Entries of the worklist that a sweep counts: twenty calls of storage."""

_NOBODYS_AFTER = timedelta(hours=1)
"""A document outside INPUT_PREFIX is another app's, or was in flight when the prefix was narrowed: that long after it
was due, no other app looks after it."""


def recover_stalled(services: Services, until: datetime) -> None:
    """Requeue what has stalled and drain poison, not starting anything after ``until``.

    A step is overdue once whatever could still be working on it has been killed: a claim's length after it was due,
    or, as a claim's own due time says just that, at once. The cost is three queries, of the worklist alone, and
    three calls for each document found.
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
    """Count the worklist, or the first _MOST_COUNTED entries of it."""
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
        return  # another app's, which reads another folder of the same container
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
    """Enqueue a document's next step anew.

    The write id stays: where the queue itself is far behind, the message that waits in it is as good as the new one,
    and whichever comes first makes the other stale.
    """
    requeued = decide.requeued(document, services.now())
    written = services.documents.write(requeued, document, write_id=document.write_id)
    services.queue.send(Message.about(written).to_json(), 0)


def _drain_poison(services: Services, until: datetime) -> int:
    """Returns how many messages were put aside, into the queue for unreadable ones."""
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
            assert document is not None  # noqa: S101 - a write id is a row's
            _requeue(services, document)


def _drain_blob_poison(services: Services, until: datetime) -> None:
    """Enqueue the files whose events failed.

    The queue is the account's, and other apps have messages there. These are peeked at and not taken: taking one hides
    it and raises its dequeue count. A queue gives its messages from the front, so ours are taken as far as they are in
    front; those behind others' are enqueued and stay, to be found known the next time. Of more than 32, what storage
    lets one peek at, find_missed finds the rest.
    """
    while services.now() <= until:
        names = [_our_blob(services, content) for content in services.blob_poison.peek()]
        in_front = list(takewhile(bool, names))
        for raw in services.blob_poison.take(len(in_front)) if in_front else ():
            if name := _our_blob(services, raw.content):
                services.queue.send(Message(name).to_json(), 0)
                services.blob_poison.delete(raw)
            else:  # between peeking and taking, another run has taken ours
                services.blob_poison.give_back(raw)
        if len(in_front) < len(names) or not names:
            for name in filter(None, names[len(in_front) :]):
                services.queue.send(Message(name).to_json(), 0)
            return


def _our_blob(services: Services, content: str) -> str | None:
    """The name of the blob that a poisoned event of this app's is about."""
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
    """The host's message about a blob, which is JSON in base64 or, from other versions, plain."""
    try:
        plain = content if content.lstrip().startswith("{") else base64.b64decode(content, validate=True)
        event = json.loads(plain)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}

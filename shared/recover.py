"""What the five-minute clock looks after: nothing depends on a message, and poison is drained."""

import base64
import json
import logging
from datetime import datetime
from itertools import chain

from shared import decide
from shared.assembly import Services
from shared.document import Document, Status
from shared.finish import carry_out, clear_tombstone, settle
from shared.message import ForeignMessage, LaterMessage, Message
from shared.storage.tables import Conflict, Superseded

_log = logging.getLogger(__name__)

_OUR_FUNCTION = "Host.Functions.submit_document"


def recover_stalled(services: Services, until: datetime) -> None:
    """Put back what has stalled and drain poison, not starting anything after ``until``.

    A step is overdue once whatever could still be working on it has been killed: a claim's length after it was due,
    or, as a claim's own due time says just that, at once. The cost is two queries, of the worklist entries alone, and
    three calls for each document found.
    """
    now = services.now()
    overdue_since = now - services.settings.claim_length
    documents = services.documents
    for name in chain(documents.overdue(now, Status.SUBMITTING), documents.overdue(overdue_since)):
        if services.now() > until:
            return
        if not services.settings.reads(services.settings.input_container, name):
            continue  # another app's, which reads another folder of the same container
        try:
            _recover(services, name, overdue_since)
        except (Conflict, Superseded):
            _log.info("%r: somebody else has just looked at it.", name)
        except ValueError as error:
            _log.error("%r is left: %s.", name, error)
    _drain_poison(services, until)
    _drain_blob_poison(services, until)


def _recover(services: Services, name: str, overdue_since: datetime) -> None:
    document = services.documents.get(name)
    if document is None:
        clear_tombstone(services, name)
    elif document.status.final:
        settle(services, document)
    elif document.due_at is None or document.due_at <= (
        services.now() if document.status is Status.SUBMITTING else overdue_since
    ):
        _log.warning("%r has been %s and overdue since %s: put back.", name, document.status, document.due_at)
        _requeue(services, document)


def _requeue(services: Services, document: Document, poisoned: int = 0) -> None:
    """Queue a document's next step anew.

    The claim stays: where the queue itself is far behind, the message that waits in it is as good as the new one, and
    whichever comes first makes the other stale.
    """
    written = services.documents.write(document.evolve(due_at=services.now()), document, write_id=document.write_id)
    services.queue.send(Message.about(written, poisoned).to_json(), 0)


def _drain_poison(services: Services, until: datetime) -> None:
    for raw in services.poison.drain():
        if services.now() > until:
            return
        try:
            _recover_poison(services, Message.from_json(base64.b64decode(raw.content, validate=True)))
        except (Conflict, Superseded):
            pass  # the document has moved on
        except LaterMessage:
            services.queue.send(base64.b64decode(raw.content).decode(), 0)
        except (ForeignMessage, ValueError):
            _log.warning("A message in the poison queue is none of ours; it is kept in the queue for unreadable ones.")
            services.unreadable.send(raw.content, 0)
        services.poison.delete(raw)


def _recover_poison(services: Services, message: Message) -> None:
    """Queue it once more; when it comes back again, the document fails. A paid result gets its look before that."""
    document = services.documents.get(message.name)
    if document is None:
        if message.write_id:
            return
        document = Document(name=message.name, status=Status.WAITING, source_etag=message.etag)
        document = services.documents.write(document.evolve(due_at=services.now()), None)
    elif document.status.final or (message.write_id and message.write_id != document.write_id):
        return
    if message.poisoned == 0:
        _requeue(services, document, poisoned=1)
        return
    text = "Handling the document ended in an error again and again."
    carry_out(services, document, decide.Transition(decide.fail(document, "ProcessingFailed", text, services.now())))


def _drain_blob_poison(services: Services, until: datetime) -> None:
    """Hand over the files whose events failed; the queue is the account's, so others' messages stay."""
    for raw in services.blob_poison.drain():
        if services.now() > until:
            return
        event = _blob_event(raw.content)
        container, name = event.get("ContainerName"), event.get("BlobName")
        if (
            event.get("FunctionId") == _OUR_FUNCTION
            and isinstance(container, str)
            and isinstance(name, str)
            and services.settings.reads(container, name)
        ):
            services.queue.send(Message(name).to_json(), 0)
            services.blob_poison.delete(raw)


def _blob_event(content: str) -> dict[str, object]:
    """The host's message about a blob, which is JSON in base64 or, from other versions, plain."""
    try:
        plain = content if content.lstrip().startswith("{") else base64.b64decode(content, validate=True)
        event = json.loads(plain)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}

"""Trouble that is not the file's: storage, an error of our own, a message that was lost or came back from poison."""

from datetime import datetime
from random import Random

from shared.decide.ending import fail, wait
from shared.decide.poll import RESULT_KEPT
from shared.decide.steps import Skip, Transition, is_overdue
from shared.document import Document, Status
from shared.message import Message

MOST_OWN_ERRORS = 5
"""Errors of our own in a row after which a document that is not paid for fails: the next try would end in the same."""


def on_storage_trouble(
    document: Document | None, name: str, code: str, message: str, now: datetime, random: Random
) -> Transition | Skip:
    """Storage is in trouble, or refuses: the document waits, for as long as it takes, and says why.

    A file whose very first step failed gets a row, so that people see it.
    """
    if document is None:
        return wait(Document(name=name, status=Status.WAITING), code, message, None, now, random)
    return _waiting(document, code, message, now, random)


def on_own_error(document: Document | None, name: str, kind: str, now: datetime, random: Random) -> Transition | Skip:
    """Handling a document raised an error that nobody expected, of the class ``kind``.

    It is tried again, since a newer version of the app may know better: a few times if nothing is paid, and otherwise
    for as long as Read keeps the paid result.
    """
    message = f"Handling the document ended in an error ({kind})."
    if document is None:
        return wait(Document(name=name, status=Status.WAITING), "ProcessingFailed", message, None, now, random)
    if document.operation_url and document.submitted_at:
        given_up = now - document.submitted_at > RESULT_KEPT
    else:
        given_up = document.error_code == "ProcessingFailed" and document.attempts >= MOST_OWN_ERRORS
    if given_up and not document.status.final:
        return Transition(fail(document, "ProcessingFailed", message, now))
    return _waiting(document, "ProcessingFailed", message, now, random)


def _waiting(document: Document, code: str, message: str, now: datetime, random: Random) -> Transition | Skip:
    if document.status.final:
        return Skip(f"the document is {document.status}, and the sweep does what is still to be done")
    if document.status is Status.SUBMITTING and not is_overdue(document, now):
        return Skip("its claim may have been paid for, so it is left to run out")
    # An event's trouble brings no step forward: a poll that waits out a 404, or Read's Retry-After, still waits it out.
    until_due = max(0.0, (document.due_at - now).total_seconds()) if document.due_at else None
    return wait(document, code, message, until_due, now, random)


def requeued(document: Document, now: datetime) -> Document:
    """The row of a document whose next step is queued anew, because its message was lost."""
    return document.evolve(due_at=now)


def on_poison(document: Document | None, message: Message) -> Message | Skip:
    """The message to send for one that came back from the poison queue.

    Poison never fails a document. A function that ends in an error says so in the row (on_own_error), a claim that
    kills its worker is counted there (``lost_answers``), and what else brings a message here passes: storage that was
    down, hosts that were stopped. What the message says of itself is not believed.
    """
    if message.write_id is None:  # from a person or a comparison: it asks for what storage holds, and no more
        return Message(message.name, message.etag)
    if document is None:
        return Skip("its document is forgotten")
    if document.status.final or message.write_id != document.write_id:
        return Skip("the document has moved on")
    return Message.about(document)

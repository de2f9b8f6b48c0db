"""Trouble that is not the file's: storage, an error of the app, a message that came back from the poison queue."""

from datetime import datetime
from random import Random

from shared.decide.ending import fail, wait
from shared.decide.poll import RESULT_KEPT
from shared.decide.steps import Skip, Transition, is_overdue
from shared.document import Document, Status
from shared.message import Message

MOST_OWN_ERRORS = 5
"""After so many errors of the app in a row, an unpaid document fails: the next try would end in the same error."""


def on_storage_trouble(
    document: Document | None, name: str, code: str, message: str, now: datetime, random: Random
) -> Transition | Skip:
    """Storage is in trouble or refuses the app: the document waits for as long as that lasts, and its row says why.

    A file whose very first step failed gets a row, so that people see it.
    """
    if document is None:
        return wait(Document(name=name, status=Status.WAITING), code, message, None, now, random)
    return _waiting(document, code, message, now, random)


def on_own_error(document: Document | None, name: str, kind: str, now: datetime, random: Random) -> Transition | Skip:
    """A step raised an unexpected error, of the class ``kind``.

    The step is tried again, since a newer version of the app may not have the error: a few times if nothing is paid,
    otherwise for as long as Read keeps the paid result.
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
        return Skip("its claim may have been paid, so it is left to expire")
    # The document never waits less than before: a poll may be waiting for Read's Retry-After, or after a 404.
    until_due = max(0.0, (document.due_at - now).total_seconds()) if document.due_at else None
    return wait(document, code, message, until_due, now, random)


def on_poison(document: Document | None, message: Message) -> Message | Skip:
    """The message to send in place of one from the poison queue.

    A poison message never fails a document. An error of a function is in the row already (on_own_error), and so is a
    claim whose worker died (``lost_answers``). All other reasons pass: storage was down, or hosts were stopped. Only
    the row says what the next step is, not the message.
    """
    if message.write_id is None:  # from a person or from find_missed: read the file that storage holds
        return Message(message.name, message.etag)
    if document is None:
        return Skip("its document is forgotten")
    if document.status.final or message.write_id != document.write_id:
        return Skip("the document has moved on")
    return Message.about(document)

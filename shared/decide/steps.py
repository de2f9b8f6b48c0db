"""The values that a decision returns, and which step a message leads to."""

from dataclasses import dataclass
from datetime import datetime

from shared.document import Document, Status
from shared.message import Message


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to do, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Submit:
    """Open the file, and submit it if it still needs to be read."""


@dataclass(frozen=True, slots=True)
class Poll:
    """GET the operation."""


Step = Skip | Submit | Poll


@dataclass(frozen=True, slots=True)
class Claim:
    """Write this row. The run that succeeds in that may POST."""

    document: Document


@dataclass(frozen=True, slots=True)
class Adopt:
    """A new version has the same content, already read and stored. Mark the outputs as its own, and write this row."""

    document: Document


@dataclass(frozen=True, slots=True)
class Later:
    """Send the message again, so that it is decided anew in ``delay`` seconds."""

    delay: int


@dataclass(frozen=True, slots=True)
class Transition:
    """Write this row and, unless ``delay`` is None, send the message for its next step, hidden for these seconds."""

    document: Document
    delay: int | None = None


def next_step(document: Document | None, message: Message, now: datetime) -> Step:
    """The step that a message leads to. A message that the row does not confirm is dropped."""
    if document is None:
        return Skip("its document is forgotten") if message.write_id else Submit()
    if message.write_id is None:  # from a person or from find_missed, not from the document's own chain of messages
        if message.etag == document.source_etag and not is_overdue(document, now):
            return Skip("it is known")
    elif message.write_id != document.write_id:
        return Skip("the document has moved on")
    match document.status:
        case Status.SUBMITTING if message.write_id and not is_overdue(document, now):
            return Skip("another run holds the claim")
        case Status.READING | Status.WAITING if document.operation_url and message.etag == document.source_etag:
            return Poll()
        case status if status.final and message.write_id:
            return Skip(f"the document is {status}")
        case _:
            return Submit()


def rescheduled(document: Document, due_at: datetime) -> Document:
    """The row of a document whose next step comes at another time: its message was lost, or it waits for a slot."""
    return document.evolve(due_at=due_at)


def is_overdue(document: Document, now: datetime) -> bool:
    """Whether the next step of a document that is in flight is due."""
    return not document.status.final and (document.due_at is None or document.due_at <= now)

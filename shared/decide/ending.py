"""How a document ends or waits."""

from datetime import datetime, timedelta
from random import Random

from shared.advice import advice_for
from shared.decide.steps import Transition
from shared.document import Document, Status
from shared.schedule import wait_delay, while_result_lasts
from shared.settings import Settings

NO_TROUBLE = {"attempts": 0, "not_found_polls": 0, "error_code": None, "error_message": None, "advice": None}
"""The fields of a document whose last step went well."""


def wait(
    document: Document, code: str, message: str, retry_after: float | None, now: datetime, random: Random
) -> Transition:
    """Let a document wait: its row says why, and a delayed message brings the next attempt."""
    delay = wait_delay(document.attempts, retry_after, random)
    if document.operation_url and document.submitted_at:
        delay = while_result_lasts(delay, (now - document.submitted_at).total_seconds())
    return Transition(
        document.evolve(
            status=Status.WAITING,
            attempts=document.attempts + 1,
            due_at=now + timedelta(seconds=delay),
            error_code=code,
            error_message=message[:4000],
            advice=advice_for(code, message, document),
        ),
        delay,
    )


def fail(document: Document, code: str, message: str, now: datetime) -> Document:
    """The failed document: its row says what happened and what a person can do."""
    return document.evolve(
        status=Status.FAILED,
        error_code=code,
        error_message=message[:4000],
        advice=advice_for(code, message, document),
        completed_at=now,
        due_at=None,
    )


def ignored(document: Document, why: str, now: datetime) -> Document:
    """The document that is left alone: its row says why."""
    return document.evolve(status=Status.IGNORED, warning=why, completed_at=now, due_at=None)


def finished(document: Document, now: datetime, settings: Settings) -> Document:
    """A final row with what is still to be done: send a message to DONE_QUEUE, and remove outputs of slow runs."""
    clean_up_at = document.clean_up_at if document.clean_up_at and document.clean_up_at > now else None
    pending = True if settings.done_queue else None
    return document.evolve(
        clean_up_at=clean_up_at, notification_pending=pending, due_at=now if pending else clean_up_at
    )


def may_still_be_written(document: Document) -> bool:
    """Whether the file may still be being uploaded: Data Lake and SFTP create an empty file and then write into it.

    In that case, the notification is left to the sweep, which sends it unless there is a newer version by then.
    """
    return document.status is Status.FAILED and document.error_code == "EmptyFile"


def reserve_for_cleanup(document: Document, now: datetime, settings: Settings) -> Document:
    """The row while an older version's outputs are removed, before this version ends without outputs of its own."""
    return document.evolve(status=Status.SUBMITTING, completed_at=None, due_at=now + settings.claim_length)


def slow_writers_until(document: Document, now: datetime, settings: Settings) -> datetime:
    """Until when a run may still write outputs for this row: no run lives longer than a claim's length.

    Even a final row may have such a run: its message was delivered twice, and it began before the row was final.
    """
    begun = (document.completed_at or now) if document.status.final else now
    return max(begun + settings.claim_length, document.clean_up_at or now, now)


def settled(document: Document, clean_up_at: datetime | None) -> Document:
    """A final row after its notification was sent. ``clean_up_at`` is set while a slow run may still write outputs."""
    return document.evolve(notification_pending=None, clean_up_at=clean_up_at, due_at=clean_up_at)

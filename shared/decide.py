"""The state machine: a document's row, what storage and Read say, and the clock go in; the next step comes out.

Nothing here reads or writes. submit.py and poll.py carry out what is decided here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from shared import __version__
from shared.advice import advice_for
from shared.document import Document, Status, Version, is_junk
from shared.message import Message
from shared.read.answers import Accepted, AnswerLost, Gone, Rejected, Retryable, Running
from shared.read.generation import UnsupportedOption
from shared.schedule import FIRST_POLL_DELAY, poll_delay, wait_delay
from shared.settings import Settings

MOST_LOST_ANSWERS = 5
MOST_RESUBMITS = 1
RESULT_KEPT = timedelta(hours=48)
"""Read keeps a result no longer than that; until then, a path that leads nowhere may be put right."""
MISSING_AGAIN_AFTER = 30
"""Seconds: a first 404 on an operation may come from a replica that has not heard of it."""
MOST_SERVER_ERRORS = 10
"""A file at which Read answers 500 this often is taken to be the reason."""
LOST_ANSWER_WAIT = 60
"""Seconds, at the least, before what may have been paid is submitted anew: trouble on the way may pass."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to do, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Submit:
    """Open the file and, if that is still right, submit it."""


@dataclass(frozen=True, slots=True)
class Poll:
    """GET the operation."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Write this row; whoever succeeds may POST."""

    document: Document


@dataclass(frozen=True, slots=True)
class Adopt:
    """A new version of the same content: its outputs are there and paid. Mark them as its own, and write this row."""

    document: Document


@dataclass(frozen=True, slots=True)
class Transition:
    """Write this row and, unless ``delay`` is None, send a message for its next step in so many seconds."""

    document: Document
    delay: int | None = None


def next_step(document: Document | None, message: Message, now: datetime) -> Skip | Submit | Poll:
    """What a message is good for. Whatever the row does not confirm is dropped."""
    if document is None:
        return Skip("its document is forgotten") if message.write_id else Submit()
    if message.write_id is None:  # from a person or a comparison, not from the document's own chain
        if message.etag == document.source_etag and not _is_overdue(document, now):
            return Skip("it is known")
    elif message.write_id != document.write_id:
        return Skip("the document has moved on")
    match document.status:
        case Status.SUBMITTING if not _is_overdue(document, now):
            return Skip("another run holds the claim")
        case Status.READING | Status.WAITING if document.operation_url and message.etag == document.source_etag:
            return Poll()
        case status if status.final and message.write_id:
            return Skip(f"the document is {status}")
        case _:
            return Submit()


def decide_submit(
    document: Document | None,
    name: str,
    version: Version,
    now: datetime,
    settings: Settings,
    *,
    due: bool = False,
    adopt: bool = True,
) -> Claim | Adopt | Transition | Skip:
    """What to do about the version of a file that storage holds now, given its row.

    ``due`` says that a message of the document's own chain came back, whatever this machine's clock says; ``adopt``
    that the outputs of an older version may be taken over where the content is the same.
    """
    if document is not None and document.source_etag == version.etag:
        if document.status.final:
            return Skip(f"this version is {document.status}")
        if document.status is not Status.SUBMITTING and document.operation_url:
            return Skip("this version is being read")
        if not _is_overdue(document, now) and not (due and document.status is Status.WAITING):
            return Skip(f"this version is {document.status}, and its next step is not due")
        if document.lost_answers >= MOST_LOST_ANSWERS:
            message = f"{document.lost_answers} attempts to submit the file ended without an answer."
            return Transition(fail(document, "SubmitCrashed", message, now))
    elif document is not None and _is_same_content(document, version):
        same = document.evolve(source_etag=version.etag, uploaded_at=version.uploaded_at)
        if document.forgotten:
            return Transition(same)
        if adopt and document.status is Status.SUCCEEDED and _is_read_alike(document, version, settings):
            return Adopt(same)
        document = _new_version(document, name, version, now, settings)
    else:
        document = _new_version(document, name, version, now, settings)
    options = settings.options_for(version.metadata)
    if unpaid_end := _end_without_read(document, version, now, settings):
        return Transition(unpaid_end)
    return Claim(
        # The claim counts itself as paid and unanswered; the answer takes back what is not so.
        document.evolve(
            status=Status.SUBMITTING,
            operation_url=None,
            api_version=settings.generation.version,
            requested_language=options.language,
            requested_pages=options.pages,
            requested_model_version=options.model_version,
            requested_reading_order=options.reading_order,
            submits=document.submits + 1,
            lost_answers=document.lost_answers + 1,
            due_at=now + settings.claim_length,
            app_version=__version__,
        )
    )


def _end_without_read(document: Document, version: Version, now: datetime, settings: Settings) -> Document | None:
    """The document as it ends, if Read need not be asked."""
    if not document.requested_by_name:
        if is_junk(document.name) or version.metadata.get("hdi_isfolder") == "true":
            return _ignored(document, "Left alone: a file of this name is no document.", now)
        if settings.read_files_from and version.uploaded_at < settings.read_files_from:
            return _ignored(document, "Left alone: last changed before READ_FILES_FROM.", now)
    if version.unreadable:
        return fail(document, version.unreadable, "Storage does not give this file's content.", now)
    if version.length == 0:
        return fail(document, "EmptyFile", "The file has no content.", now)
    try:
        settings.generation.query(settings.options_for(version.metadata))
    except UnsupportedOption as error:
        return fail(document, "OptionNotSupported", f"The file's metadata: {error}", now)
    return None


SOURCE_DELETED = Rejected("SourceDeleted", "The file was deleted before it was submitted.")


def on_missing(document: Document, now: datetime) -> Transition | None:
    """What becomes of a document whose file is gone: one that is not submitted yet fails, any other goes on."""
    if (document.status is Status.WAITING and not document.operation_url) or (
        document.status is Status.SUBMITTING and _is_overdue(document, now)
    ):
        return Transition(fail(document, SOURCE_DELETED.code, SOURCE_DELETED.message, now))
    return None


def reserve_for_cleanup(document: Document, now: datetime, settings: Settings) -> Document:
    """The row to hold while an older version's outputs are removed, before this one ends without any."""
    return document.evolve(status=Status.SUBMITTING, completed_at=None, due_at=now + settings.claim_length)


def after_post(
    document: Document, answer: Accepted | Rejected | Retryable | AnswerLost, now: datetime, random: Random
) -> Transition:
    """What a POST's answer makes of a claimed document."""
    match answer:
        case Accepted(operation_url, retry_after):
            delay = max(FIRST_POLL_DELAY, poll_delay(0, retry_after))
            return Transition(
                document.evolve(
                    status=Status.READING,
                    operation_url=operation_url,
                    submitted_at=now,
                    lost_answers=0,
                    attempts=0,
                    not_found_polls=0,
                    polls=0,
                    due_at=now + timedelta(seconds=delay),
                    error_code=None,
                    error_message=None,
                    advice=None,
                ),
                delay,
            )
        case Rejected("OperationUrlRefused", message):  # a 202: paid, and nothing that can be followed
            return Transition(fail(document, "OperationUrlRefused", message, now))
        case Rejected(code, message):
            return Transition(fail(_unpaid(document), code, message, now))
        case Retryable("ReadServerError" as code, message, retry_after):
            document = _unpaid(document).evolve(server_errors=document.server_errors + 1)
            if document.server_errors >= MOST_SERVER_ERRORS:
                return Transition(fail(document, code, message, now))
            return wait(document, code, message, retry_after, now, random)
        case Retryable(code, message, retry_after):
            return wait(_unpaid(document), code, message, retry_after, now, random)
        case AnswerLost(message):
            if document.lost_answers >= MOST_LOST_ANSWERS:
                return Transition(fail(document, "SubmitCrashed", message, now))
            return wait(document, "AnswerLost", message, LOST_ANSWER_WAIT, now, random)


def deferred(claimed: Document, seconds: int, now: datetime) -> Transition:
    """Instead of the claim: the document waits for its slot, since other calls use all of Read's quota."""
    message = "The calls that READ_RATE allows are reserved for documents that came before."
    return Transition(
        _unpaid(claimed).evolve(
            status=Status.WAITING,
            due_at=now + timedelta(seconds=seconds),
            error_code="WaitingForQuota",
            error_message=message,
            advice=advice_for("WaitingForQuota", message, claimed),
        ),
        seconds,
    )


def after_poll(
    document: Document,
    answer: Running | Rejected | Retryable | Gone,
    now: datetime,
    random: Random,
    settings: Settings,
) -> Transition:
    """What a look that brought no result makes of a document."""
    before, document = document, document.evolve(polls=document.polls + 1)
    match answer:
        case Running(retry_after):
            if document.submitted_at and now - document.submitted_at > settings.give_up_after:
                message = f"Read was still at it after {now - document.submitted_at}."
                return Transition(fail(document, "OperationTimedOut", message, now))
            delay = poll_delay(document.polls, retry_after)
            return Transition(
                document.evolve(
                    status=Status.READING,
                    attempts=0,
                    not_found_polls=0,
                    due_at=now + timedelta(seconds=delay),
                    error_code=None,
                    error_message=None,
                    advice=None,
                ),
                delay,
            )
        case Gone(message) if document.not_found_polls == 0:
            later = now + timedelta(seconds=MISSING_AGAIN_AFTER)
            return Transition(document.evolve(not_found_polls=1, due_at=later), MISSING_AGAIN_AFTER)
        case Gone(message) if document.resubmits >= MOST_RESUBMITS:
            return Transition(fail(document, "OperationExpired", message, now))
        case Gone(message):
            again = document.evolve(resubmits=document.resubmits + 1, operation_url=None, not_found_polls=0)
            return wait(again, "OperationExpired", message, None, now, random)
        case Retryable("EndpointNotFound", message) if (
            document.submitted_at and now - document.submitted_at > RESULT_KEPT
        ):
            return after_poll(before, Gone(message), now, random, settings)
        case Retryable(code, message, retry_after):
            return wait(document, code, message, retry_after, now, random)
        case Rejected(code, message):
            return Transition(fail(document, code, message, now))


def wait(
    document: Document, code: str, message: str, retry_after: float | None, now: datetime, random: Random
) -> Transition:
    """Put a document off: it says why, and comes back by a delayed message."""
    delay = wait_delay(document.attempts, retry_after, random)
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
    """The document, failed: what happened, and what its reader can do."""
    return document.evolve(
        status=Status.FAILED,
        error_code=code,
        error_message=message[:4000],
        advice=advice_for(code, message, document),
        completed_at=now,
        due_at=None,
    )


def finished(document: Document, now: datetime, settings: Settings) -> Document:
    """A final row with what is still owed: a message to DONE_QUEUE, and a second clearing after slow writers."""
    clean_up_at = document.clean_up_at if document.clean_up_at and document.clean_up_at > now else None
    owed = True if settings.done_queue else None
    return document.evolve(clean_up_at=clean_up_at, notification_pending=owed, due_at=now if owed else clean_up_at)


def slow_writers_until(document: Document, now: datetime, settings: Settings) -> datetime:
    """Until when a run may still write what this row asked for: none outlives a claim's length.

    A row that is final may have one too, of a message that was delivered twice, begun before the row was final.
    """
    begun = (document.completed_at or now) if document.status.final else now
    return max(begun + settings.claim_length, document.clean_up_at or now, now)


def requested_again(document: Document | None, name: str, now: datetime, settings: Settings) -> Document | None:
    """The row of a document that a person wants read, again or at all; None if it is being read just now."""
    if document is None:
        return Document(name=name, status=Status.WAITING, requested_by_name=True, due_at=now)
    if not document.status.final and not (document.status is Status.WAITING and not document.operation_url):
        return None
    return Document(
        name=name,
        status=Status.WAITING,
        requested_by_name=True,
        due_at=now,
        source_etag=document.source_etag,
        content_md5=document.content_md5,
        content_length=document.content_length,
        uploaded_at=document.uploaded_at,
        requested_language=document.requested_language,
        requested_pages=document.requested_pages,
        requested_model_version=document.requested_model_version,
        requested_reading_order=document.requested_reading_order,
        submits=document.submits,
        clean_up_at=slow_writers_until(document, now, settings),
    )


def forgotten(
    document: Document | None, name: str, version: Version | None, now: datetime, settings: Settings
) -> Document:
    """The row that keeps a file forgotten, in the version that storage holds now, while all else of it is removed."""
    known = document or Document(name=name, status=Status.IGNORED)
    if version is not None:
        known = known.evolve(
            source_etag=version.etag,
            content_md5=version.md5,
            content_length=version.length,
            uploaded_at=version.uploaded_at,
        )
    slow_until = slow_writers_until(known, now, settings) if document is not None else now + settings.claim_length
    return Document(
        name=name,
        status=Status.IGNORED,
        forgotten=True,
        warning="Forgotten on request: it is read again only if that is asked for, or its content changes.",
        source_etag=known.source_etag,
        content_md5=known.content_md5,
        content_length=known.content_length,
        uploaded_at=known.uploaded_at,
        completed_at=now,
        clean_up_at=slow_until if slow_until > now else None,
        due_at=slow_until if slow_until > now else None,
    )


def _new_version(document: Document | None, name: str, version: Version, now: datetime, settings: Settings) -> Document:
    """A row for a version that is new here; an older one's text, counts and errors are gone from it."""
    options = settings.options_for(version.metadata)
    return Document(
        name=name,
        status=Status.SUBMITTING,
        requested_language=options.language,
        requested_pages=options.pages,
        requested_model_version=options.model_version,
        requested_reading_order=options.reading_order,
        api_version=settings.generation.version,
        source_etag=version.etag,
        content_md5=version.md5,
        content_length=version.length,
        uploaded_at=version.uploaded_at,
        clean_up_at=slow_writers_until(document, now, settings) if document is not None else None,
        requested_by_name=document.requested_by_name if document is not None and document.source_etag is None else None,
        app_version=__version__,
    )


def _is_same_content(document: Document, version: Version) -> bool:
    """Whether a new version's content is what the row's version had, as far as storage knows it."""
    return document.content_md5 is not None and (document.content_md5, document.content_length) == (
        version.md5,
        version.length,
    )


def _is_read_alike(document: Document, version: Version, settings: Settings) -> bool:
    """Whether Read would be asked the same again."""
    options = settings.options_for(version.metadata)
    return (
        document.api_version == settings.generation.version
        and document.requested_language == options.language
        and document.requested_pages == options.pages
        and document.requested_model_version == options.model_version
        and document.requested_reading_order == options.reading_order
    )


def _ignored(document: Document, why: str, now: datetime) -> Document:
    return document.evolve(status=Status.IGNORED, warning=why, completed_at=now, due_at=None)


def _unpaid(document: Document) -> Document:
    """Take back what the claim counted. Earlier attempts that had no answer stay counted."""
    return document.evolve(submits=document.submits - 1, lost_answers=document.lost_answers - 1)


def _is_overdue(document: Document, now: datetime) -> bool:
    return not document.status.final and (document.due_at is None or document.due_at <= now)

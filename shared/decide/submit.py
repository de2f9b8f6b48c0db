"""What a version of a file, and a POST's answer, make of a document."""

import math
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shared import __version__
from shared.advice import advice_for
from shared.decide.ending import fail, ignored, slow_writers_until, wait
from shared.decide.steps import Adopt, Claim, Later, Skip, Transition, is_overdue
from shared.document import Document, Status, Version
from shared.keys import is_junk
from shared.read.answers import Accepted, AnswerLost, Rejected, Retryable
from shared.read.generation import ReadOptions, UnsupportedOption
from shared.schedule import FIRST_POLL_DELAY, poll_delay, while_result_lasts
from shared.settings import Settings

MOST_LOST_ANSWERS = 5


SAME_CONTENT_AGAIN_AFTER = 10
"""Seconds after which a version with the content of one that is just being sent is decided about again."""
MOST_SERVER_ERRORS = 10
"""A file at which Read answers 500 this often is taken to be the reason."""


LOST_ANSWER_WAIT = 60
"""Seconds, at the least, before what may have been paid is submitted anew: trouble on the way may pass."""


def on_unsafe_name(document: Document | None, name: str, now: datetime) -> Transition | Skip:
    """What to do about a file whose path no client can follow."""
    if document is not None and document.status.final:
        return Skip(f"this version is {document.status}")
    unsafe = document or Document(name=name, status=Status.FAILED)
    return Transition(fail(unsafe, "UnsafeName", "A part of the file's path is '.' or '..'.", now))


def on_version(
    document: Document | None,
    name: str,
    version: Version,
    now: datetime,
    settings: Settings,
    *,
    due: bool = False,
    adopt: bool = True,
) -> Claim | Adopt | Transition | Later | Skip:
    """What to do about the version of a file that storage holds now, given its row.

    ``due`` says that a message of the document's own chain came back, whatever this machine's clock says; ``adopt``
    that the outputs of an older version may be taken over where the content is the same.
    """
    if document is not None and document.source_etag == version.etag:
        if document.status.final:
            return Skip(f"this version is {document.status}")
        if document.status is not Status.SUBMITTING and document.operation_url:
            return Skip("this version is being read")
        if not is_overdue(document, now) and not (due and document.status is Status.WAITING):
            return Skip(f"this version is {document.status}, and its next step is not due")
        if document.lost_answers >= MOST_LOST_ANSWERS:
            message = f"{document.lost_answers} attempts to submit the file ended without an answer."
            return Transition(fail(document, "SubmitCrashed", message, now))
    elif document is not None and _is_same_content(document, version):
        if step := _on_same_content(document, version, now, settings, adopt=adopt):
            return step
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
            **requested(options),
            submits=document.submits + 1,
            lost_answers=document.lost_answers + 1,
            due_at=now + settings.claim_length,
            app_version=__version__,
        )
    )


def _on_same_content(
    document: Document, version: Version, now: datetime, settings: Settings, *, adopt: bool
) -> Adopt | Transition | Later | None:
    """What to do about a new version with the row's content: an edit of metadata, or the same bytes uploaded again.

    None where Read would be asked something else, so that it is to be paid.
    """
    same = document.evolve(source_etag=version.etag, uploaded_at=version.uploaded_at)
    if document.forgotten:
        return Transition(same)
    if not adopt or not _is_read_alike(document, version, settings):
        return None
    match document.status:
        case Status.SUCCEEDED:
            return Adopt(same)
        case Status.READING | Status.WAITING if document.operation_url:
            # Read is at this content. A poll of the older version that is under way loses its row to this one, and
            # with it its message: this one sends its own.
            wait = (document.due_at - now).total_seconds() if document.due_at else 0
            return Transition(same, max(1, math.ceil(wait)))
        case Status.SUBMITTING if not is_overdue(document, now):
            # The row must stay with the run that POSTs, or the operation that it is given would be lost.
            return Later(SAME_CONTENT_AGAIN_AFTER)
        case _:
            return None


def _end_without_read(document: Document, version: Version, now: datetime, settings: Settings) -> Document | None:
    """The document as it ends, if Read need not be asked."""
    if not document.requested_by_name:
        if is_junk(document.name) or version.metadata.get("hdi_isfolder") == "true":
            return ignored(document, "Left alone: a file of this name is no document.", now)
        if settings.read_files_from and version.uploaded_at < settings.read_files_from:
            return ignored(document, "Left alone: last changed before READ_FILES_FROM.", now)
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
        document.status is Status.SUBMITTING and is_overdue(document, now)
    ):
        return Transition(fail(document, SOURCE_DELETED.code, SOURCE_DELETED.message, now))
    return None


def after_post(
    document: Document, answer: Accepted | Rejected | Retryable | AnswerLost, now: datetime, random: Random
) -> Transition:
    """What a POST's answer makes of a claimed document."""
    match answer:
        case Accepted(operation_url, retry_after):
            delay = while_result_lasts(max(FIRST_POLL_DELAY, poll_delay(0, retry_after)), 0)
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


def _new_version(document: Document | None, name: str, version: Version, now: datetime, settings: Settings) -> Document:
    """A row for a version that is new here; an older one's text, counts and errors are gone from it."""
    options = settings.options_for(version.metadata)
    return Document(
        name=name,
        status=Status.SUBMITTING,
        **requested(options),
        api_version=settings.generation.version,
        source_etag=version.etag,
        content_md5=version.md5,
        content_length=version.length,
        uploaded_at=version.uploaded_at,
        output_container=document.output_container if document is not None else None,
        lines_table=document.lines_table if document is not None else None,
        clean_up_at=slow_writers_until(document, now, settings) if document is not None else None,
        requested_by_name=document.requested_by_name if document is not None and document.source_etag is None else None,
        app_version=__version__,
    )


def requested(options: ReadOptions) -> dict[str, Any]:
    """Fields of a document: what is asked of Read for it."""
    return {f"requested_{name}": getattr(options, name) for name in ReadOptions.names()}


def _is_same_content(document: Document, version: Version) -> bool:
    """Whether a new version's content is what the row's version had, as far as storage knows it.

    Large uploads in blocks have no MD5. A forgotten document is not read again because of that: deleting sticks.
    """
    if document.forgotten and None in (document.content_md5, version.md5):
        return document.content_length == version.length
    return document.content_md5 is not None and (document.content_md5, document.content_length) == (
        version.md5,
        version.length,
    )


def _is_read_alike(document: Document, version: Version, settings: Settings) -> bool:
    """Whether Read would be asked the same again."""
    options = settings.options_for(version.metadata)
    return document.api_version == settings.generation.version and all(
        getattr(document, field) == value for field, value in requested(options).items()
    )


def _unpaid(document: Document) -> Document:
    """Take back what the claim counted. Earlier attempts that had no answer stay counted."""
    return document.evolve(submits=document.submits - 1, lost_answers=document.lost_answers - 1)

"""What to do about a version of a file, and about the answer to its POST."""

import math
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shared import __version__
from shared.advice import advice_for
from shared.decide.ending import NO_TROUBLE, fail, ignored, slow_writers_until, wait
from shared.decide.steps import Adopt, Claim, Later, Skip, Transition, is_overdue
from shared.document import Document, Status, Version
from shared.keys import is_junk
from shared.read.answers import Accepted, AnswerLost, Rejected, Retryable
from shared.read.generation import ReadOptions, UnsupportedOption
from shared.schedule import FIRST_POLL_DELAY, poll_delay, while_result_lasts
from shared.settings import Settings

MOST_LOST_ANSWERS = 5

SAME_CONTENT_AGAIN_AFTER = 10
"""Seconds until a version is decided about again whose content another version is just sending to Read."""

MOST_SERVER_ERRORS = 10
"""When Read has answered 500 this often, the file is taken to be the reason."""

LOST_ANSWER_WAIT = 60
"""Seconds, at least, until a file is submitted again that may have been paid: the network may recover by then."""


def on_unsafe_name(document: Document | None, name: str, now: datetime) -> Transition | Skip:
    """What to do about a file whose path HTTP clients would resolve into another one."""
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

    ``due``: the message of the document's own chain has come, so the step is due whatever this machine's clock says.
    ``adopt``: outputs of an older version may be adopted if the content is the same.
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
    else:
        if (
            document is not None
            and _is_same_content(document, version)
            and (step := _on_same_content(document, version, now, settings, adopt=adopt))
        ):
            return step
        document = _new_version(document, name, version, now, settings)
    options = settings.options_for(version.metadata)
    if unpaid_end := _end_without_read(document, version, now, settings):
        return Transition(unpaid_end)
    return Claim(
        # The claim counts one more submit and one more lost answer; the answer takes back what turns out wrong.
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

    None if the version must be read and paid all the same, because Read would be asked something else.
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
            # Read is reading this content. If a poll of the older version is under way, it finds that the row has
            # changed and sends no message, so this transition sends one.
            wait = (document.due_at - now).total_seconds() if document.due_at else 0
            return Transition(same, max(1, math.ceil(wait)))
        case Status.SUBMITTING if not is_overdue(document, now):
            # If the row changed now, the run that is sending the POST could not store the operation that it gets.
            return Later(SAME_CONTENT_AGAIN_AFTER)
        case _:
            return None


def _end_without_read(document: Document, version: Version, now: datetime, settings: Settings) -> Document | None:
    """The final row of a document that is not sent to Read at all; None if it is to be sent."""
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
    """A document whose file is gone fails if it was not submitted yet. Any other goes on: None."""
    if (document.status is Status.WAITING and not document.operation_url) or (
        document.status is Status.SUBMITTING and is_overdue(document, now)
    ):
        return Transition(fail(document, SOURCE_DELETED.code, SOURCE_DELETED.message, now))
    return None


def after_post(
    document: Document, answer: Accepted | Rejected | Retryable | AnswerLost, now: datetime, random: Random
) -> Transition:
    """The next row of a claimed document after the POST's answer."""
    match answer:
        case Accepted(operation_url, retry_after):
            delay = while_result_lasts(max(FIRST_POLL_DELAY, poll_delay(0, retry_after)), 0)
            return Transition(
                document.evolve(
                    status=Status.READING,
                    operation_url=operation_url,
                    submitted_at=now,
                    lost_answers=0,
                    polls=0,
                    due_at=now + timedelta(seconds=delay),
                    **NO_TROUBLE,
                ),
                delay,
            )
        case Rejected("OperationUrlRefused", message):  # a 202, so it is paid, but there is no operation to poll
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
    """The row instead of the claim, while the document waits for its slot of Read's quota."""
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
    """The row of a version that is new to the app, without the text, counts and errors of an older version."""
    new = Document(
        name=name,
        status=Status.SUBMITTING,
        **requested(settings.options_for(version.metadata)),
        api_version=settings.generation.version,
        **described(version),
        app_version=__version__,
    )
    if document is None:
        return new
    return new.evolve(
        output_container=document.output_container,
        lines_table=document.lines_table,
        clean_up_at=slow_writers_until(document, now, settings),
        requested_by_name=document.requested_by_name if document.source_etag is None else None,
    )


def described(version: Version) -> dict[str, Any]:
    """The fields of a document that describe the version of its file."""
    return {
        "source_etag": version.etag,
        "content_md5": version.md5,
        "content_length": version.length,
        "uploaded_at": version.uploaded_at,
    }


def requested(options: ReadOptions) -> dict[str, Any]:
    """The fields of a document that say which options Read was asked for."""
    return {f"requested_{name}": getattr(options, name) for name in ReadOptions.names()}


def _is_same_content(document: Document, version: Version) -> bool:
    """Whether a new version has the same content as the row's version, as far as storage knows.

    Large uploads in blocks have no MD5. For a forgotten document the same length is enough, so that it stays forgotten.
    """
    if document.forgotten and None in (document.content_md5, version.md5):
        return document.content_length == version.length
    return document.content_md5 is not None and (document.content_md5, document.content_length) == (
        version.md5,
        version.length,
    )


def _is_read_alike(document: Document, version: Version, settings: Settings) -> bool:
    """Whether Read would be asked for the same options by the same version."""
    options = settings.options_for(version.metadata)
    return document.api_version == settings.generation.version and all(
        getattr(document, field) == value for field, value in requested(options).items()
    )


def _unpaid(document: Document) -> Document:
    """Take back what the claim has counted. Earlier lost answers stay counted."""
    return document.evolve(submits=document.submits - 1, lost_answers=document.lost_answers - 1)

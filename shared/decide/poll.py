"""The next row of a document after a poll's answer, and after its result is stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from shared.decide.ending import NO_TROUBLE, fail, wait
from shared.decide.steps import Transition
from shared.document import Document, Status
from shared.read.answers import Gone, Rejected, Retryable, Running
from shared.read.result import Summary
from shared.schedule import poll_delay, while_result_lasts
from shared.settings import Settings
from shared.text import truncate

MOST_RESUBMITS = 1

RESULT_KEPT = timedelta(hours=48)
"""Read keeps a result no longer than this. Until then, a wrong READ_ENDPOINT may be corrected."""


NOT_FOUND_AGAIN_AFTER = 30
"""Seconds until the second poll after a 404: the first may come from a replica that does not know the operation yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where a result was stored."""

    container: str
    result_blob: str
    text_blob: str
    pages_blob: str
    lines_table: str
    lines_key: str


def after_poll(
    document: Document,
    answer: Running | Rejected | Retryable | Gone,
    now: datetime,
    random: Random,
    settings: Settings,
) -> Transition:
    """The next row of a document after a poll that brought no result."""
    document = document.evolve(polls=document.polls + 1)
    age = now - document.submitted_at if document.submitted_at else timedelta(0)
    match answer:
        case Running() if age > settings.give_up_after:
            return Transition(fail(document, "OperationTimedOut", f"Read was still reading after {age}.", now))
        case Running(retry_after):
            waited, longest = age.total_seconds(), settings.longest_poll_delay.total_seconds()
            delay = while_result_lasts(poll_delay(waited, retry_after, longest), waited)
            return Transition(
                document.evolve(status=Status.READING, due_at=now + timedelta(seconds=delay), **NO_TROUBLE), delay
            )
        case Retryable("EndpointNotFound", message) if age > RESULT_KEPT:
            return _gone(document, message, now, random)  # the endpoint was wrong for as long as Read kept the result
        case Retryable(code, message, retry_after):
            return wait(document, code, message, retry_after, now, random)
        case Gone(message):
            return _gone(document, message, now, random)
        case Rejected(code, message):
            return Transition(fail(document, code, message, now))


def _gone(document: Document, message: str, now: datetime, random: Random) -> Transition:
    """Read does not know the operation. The second answer is believed, and the file is then submitted once more."""
    if document.not_found_polls == 0:
        later = now + timedelta(seconds=NOT_FOUND_AGAIN_AFTER)
        return Transition(document.evolve(not_found_polls=1, due_at=later), NOT_FOUND_AGAIN_AFTER)
    if document.resubmits >= MOST_RESUBMITS:
        return Transition(fail(document, "OperationExpired", message, now))
    again = document.evolve(resubmits=document.resubmits + 1, operation_url=None, not_found_polls=0)
    return wait(again, "OperationExpired", message, None, now, random)


def after_result(
    document: Document,
    summary: Summary,
    outputs: Outputs,
    now: datetime,
    *,
    model_version: str | None,
    warning: str | None,
) -> Transition:
    """The final row of a document whose result is stored: JSON, text, pages and lines."""
    text = summary.text
    shown = truncate(text)
    return Transition(
        document.evolve(
            status=Status.SUCCEEDED,
            text=shown,
            text_truncated=len(shown) < len(text),
            text_blob=outputs.text_blob,
            result_blob=outputs.result_blob,
            pages_blob=outputs.pages_blob,
            output_container=outputs.container,
            lines_table=outputs.lines_table,
            lines_key=outputs.lines_key,
            page_count=summary.page_count,
            line_count=summary.line_count,
            word_count=summary.word_count,
            warning=warning,
            language=summary.language,
            model_version=model_version,
            completed_at=now,
            polls=document.polls + 1,
            due_at=None,
            clean_up_at=None,
            **NO_TROUBLE,
        )
    )

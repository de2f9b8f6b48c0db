"""What a poll's answer, and a stored result, make of a document."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from shared.decide.ending import fail, wait
from shared.decide.steps import Transition
from shared.document import Document, Status
from shared.read.answers import Gone, Rejected, Retryable, Running
from shared.read.result import Summary
from shared.schedule import poll_delay, while_result_lasts
from shared.settings import Settings
from shared.text import truncate

MOST_RESUBMITS = 1


RESULT_KEPT = timedelta(hours=48)
"""Read keeps a result no longer than that; until then, a path that leads nowhere may be put right."""


NOT_FOUND_AGAIN_AFTER = 30
"""Seconds: a first 404 on an operation may come from a replica that has not heard of it."""


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
    """What a poll that brought no result makes of a document."""
    document = document.evolve(polls=document.polls + 1)
    age = now - document.submitted_at if document.submitted_at else timedelta(0)
    match answer:
        case Running() if age > settings.give_up_after:
            return Transition(fail(document, "OperationTimedOut", f"Read was still at it after {age}.", now))
        case Running(retry_after):
            waited, longest = age.total_seconds(), settings.longest_poll_delay.total_seconds()
            delay = while_result_lasts(poll_delay(waited, retry_after, longest), waited)
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
        case Retryable("EndpointNotFound", message) if age > RESULT_KEPT:
            return _gone(document, message, now, random)  # the path led nowhere for as long as there was a result
        case Retryable(code, message, retry_after):
            return wait(document, code, message, retry_after, now, random)
        case Gone(message):
            return _gone(document, message, now, random)
        case Rejected(code, message):
            return Transition(fail(document, code, message, now))


def _gone(document: Document, message: str, now: datetime, random: Random) -> Transition:
    """Read knows no such operation. Believed at the second time, then submitted once more; ``document`` is polled."""
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
    """What a result that is stored, lines, text and all, makes of a document."""
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
            attempts=0,
            not_found_polls=0,
            due_at=None,
            clean_up_at=None,
            error_code=None,
            error_message=None,
            advice=None,
        )
    )


def adopted_outputs(adopted: Document) -> Transition:
    """A newer version of the same content, once the outputs are marked as its own."""
    return Transition(adopted)


def deferred_poll(document: Document, due_at: datetime) -> Document:
    """The row of a document whose next poll waits for its slot of Read's quota."""
    return document.evolve(due_at=due_at)

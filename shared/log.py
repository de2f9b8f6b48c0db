"""Log lines: one JSON object a line, one line a step of a document.

A line has names of files, states and numbers, never a document's text, a key or a link. The host passes on only the
text, the category and the level of a line, so the text has everything that a query needs. infra/queries/ has the
queries, and docs/operations.md explains the events.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from shared.document import Document, Status
from shared.quota.rate import Call

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Called:
    """One call of Read, and how long its answer took."""

    call: Call
    took: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """The worklist at the beginning of a sweep."""

    in_flight: int
    overdue: int
    """How many of those the sweep requeues."""
    oldest: int
    """Seconds by which the most overdue step is late."""
    failed: int


def new_trace_id(random: Random) -> str:
    """An id for the log lines, messages and row of one version of a file: 32 hex digits, like W3C's trace-id."""
    return f"{random.getrandbits(128):032x}"


def step(before: Document | None, document: Document, called: Called | None = None) -> None:
    """A row was written. The event is ``claimed``, ``submitted``, ``polled``, ``waiting`` or ``ended``."""
    match document.status:
        case Status.SUBMITTING:
            event = "claimed"
        case Status.READING:
            event = "polled" if before is not None and before.operation_url == document.operation_url else "submitted"
        case Status.WAITING:
            event = "waiting"
        case _:
            event = "ended"
    _line(
        logging.WARNING if document.status is Status.FAILED else logging.INFO,
        event,
        document=document.name,
        trace=document.trace_id,
        operation=document.operation_id or None,
        attempt=document.submits,
        status=str(document.status),
        code=document.error_code,
        call=called.call.value if called else None,
        ms=_ms(called.took) if called else None,
        since_upload=_between(document.uploaded_at, document.completed_at),
        since_submit=_between(document.submitted_at, document.completed_at),
    )


def skipped(name: str, why: str, trace: str | None = None) -> None:
    """There was nothing to do."""
    _line(logging.INFO, "skipped", document=name, trace=trace, why=why)


def deferred(document: Document, seconds: float) -> None:
    """A poll waits for its slot."""
    _line(logging.INFO, "deferred", document=document.name, trace=document.trace_id, seconds=round(seconds))


def requeued(document: Document) -> None:
    """The sweep found a step overdue."""
    _line(
        logging.WARNING,
        "requeued",
        document=document.name,
        trace=document.trace_id,
        status=str(document.status),
        due=document.due_at.isoformat() if document.due_at else None,
    )


def trouble(what: str, *, document: str | None = None, code: str | None = None, level: int = logging.WARNING) -> None:
    """Something did not work. ``what`` is a sentence that quotes nothing of a document but its name."""
    _line(level, "trouble", document=document, code=code, what=what)


def sweep(worklist: Worklist, *, unreadable: int, complete: bool) -> None:
    """A sweep has ended. ``unreadable`` messages were moved away. It is not ``complete`` if its time was up."""
    _line(
        logging.INFO,
        "sweep",
        in_flight=worklist.in_flight,
        overdue=worklist.overdue,
        oldest=worklist.oldest,
        failed=worklist.failed,
        unreadable=unreadable,
        complete=complete,
    )


def comparison(*, enqueued: int, read_by: str | None, complete: bool) -> None:
    """A run of find_missed has ended. ``read_by`` is when the quota has read the ``enqueued`` files."""
    _line(logging.INFO, "comparison", enqueued=enqueued, read_by=read_by, complete=complete)


def _line(level: int, event: str, **fields: str | float | bool | None) -> None:
    given = {name: value for name, value in fields.items() if value is not None}
    _log.log(level, "%s", json.dumps({"event": event, **given}, ensure_ascii=False))


def _between(begun: datetime | None, ended: datetime | None) -> int | None:
    return _ms(ended - begun) if begun and ended else None


def _ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))

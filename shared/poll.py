"""Polling: ask Read about an operation once, and store its result if there is one."""

from dataclasses import replace
from datetime import timedelta

from shared import decide, log
from shared.assembly import Services
from shared.carry_out import carry_out
from shared.document import Document
from shared.message import Message
from shared.outputs.store import store
from shared.quota.limiter import Reservation
from shared.quota.rate import Call
from shared.read.answers import Arriving, BrokenOff, Retryable, Succeeded
from shared.read.result import ResultNotUnderstood
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded


def poll(services: Services, message: Message, document: Document) -> None:
    """Poll a document's operation once, when its slot has come.

    A result is stored; any other answer decides when to poll again.
    """
    reservation = services.limiter.reserve(Call.POLL, message.slots)
    try:
        if reservation.delay:
            _defer(services, message, document, reservation)
            return
        services.limiter.wait(reservation)
        asked_at = services.now()
        answer = services.read.poll(document.operation_url or "", document.api_version)
        called = log.Called(Call.POLL, services.now() - asked_at)
        if isinstance(answer, Retryable) and answer.code == "Throttled":
            services.limiter.throttled(Call.POLL, reservation, answer.retry_after)
        if isinstance(answer, Succeeded | Arriving):
            try:
                store(services, document, answer, called)
                return
            except ResultNotUnderstood as error:
                failed = decide.fail(document, "ResultNotUnderstood", str(error), services.now())
                carry_out(services, document, decide.Transition(failed), called=called)
                return
            except BrokenOff as broken_off:
                answer = broken_off.answer
        step = decide.after_poll(document, answer, services.now(), services.random, services.settings)
        carry_out(services, document, step, called=called)
    except (Conflict, Superseded):
        log.skipped(document.name, "the answer to this poll is dropped: the document has moved on", document.trace_id)


def _defer(services: Services, message: Message, document: Document, reservation: Reservation) -> None:
    """Enqueue the message again, hidden until its slot. Only a long delay is worth the call that updates the row.

    Raises Conflict.
    """
    due_at = services.now() + timedelta(seconds=reservation.delay)
    if document.due_at is None or due_at - document.due_at > services.settings.claim_length / 2:
        services.documents.write(decide.rescheduled(document, due_at), document, write_id=document.write_id)
    services.queue.send(replace(message, slots=reservation.slots).to_json(), reservation.delay)
    log.deferred(document, reservation.delay)

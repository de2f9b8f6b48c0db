"""The one way in: take the next step of a document that an event or a message names."""

import logging
import traceback
from dataclasses import replace

from shared import decide, log
from shared.assembly import Services
from shared.carry_out import carry_out
from shared.keys import blob_name
from shared.message import LaterMessage, Message
from shared.poll import poll
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded
from shared.storage.trouble import storage_trouble
from shared.submit import submit

_LATER = 300
"""Seconds after which a message of a later version of the app is seen again, hopefully by that version."""


def advance(services: Services, name: str, message: Message | None = None) -> None:
    """Take a document's next step. Without a message, an event says that the file is new or has changed.

    Trouble with storage, and an error that nobody expected, are written to the row, which waits; the error is raised
    only where that cannot be done. Then the host tries again, and after that the sweep does.
    """
    name = blob_name(name)
    in_flight = message is not None and message.write_id is not None
    if not in_flight and not services.settings.reads(services.settings.input_container, name):
        log.skipped(name, "it is not below INPUT_PREFIX")
        return
    try:
        _take_step(services, name, replace(message, name=name) if message else None)
    except Exception as error:
        if not _waits_after(error, services, name, in_flight=in_flight):
            raise


def advance_message(services: Services, body: bytes) -> None:
    """Take the step that a queue message asks for. Raises ForeignMessage for one that this app did not write."""
    try:
        message = Message.from_json(body)
    except LaterMessage as later:
        log.trouble(f"Requeued: {later}.")
        services.queue.send(body.decode(), _LATER)
        return
    advance(services, message.name, message)


def _take_step(services: Services, name: str, message: Message | None) -> None:
    if message is None:
        submit(services, Message(name))
        return
    document = services.documents.get(name)
    match decide.next_step(document, message, services.now()):
        case decide.Skip(why):
            log.skipped(name, why, message.trace)
        case decide.Submit():
            submit(services, message, document)
        case decide.Poll():
            assert document is not None  # noqa: S101 - only a row has an operation
            poll(services, message, document)


def _waits_after(error: Exception, services: Services, name: str, *, in_flight: bool) -> bool:
    """Write to the row what went wrong, and when it is tried again. Whether the row now sees to the next step.

    It does not where an event or a message from outside asks for a version that the row knows nothing of.
    """
    now = services.now()
    trouble = storage_trouble(error, services.settings)
    if trouble is None:
        # The error's own text may hold a document's, so that only its class and its place are logged.
        place = "".join(traceback.format_tb(error.__traceback__))
        log.trouble(place, document=name, code=type(error).__name__, level=logging.ERROR)
    else:
        code, what = trouble
        log.trouble(what, document=name, code=code)
    try:
        document = services.documents.get(name)
        if trouble is None:
            step = decide.on_own_error(document, name, type(error).__name__, now, services.random)
        else:
            step = decide.on_storage_trouble(document, name, *trouble, now, services.random)
        if isinstance(step, decide.Skip):
            log.skipped(name, step.why, document.trace_id if document else None)
            return in_flight
        carry_out(services, document, step)
    except (Conflict, Superseded):
        return in_flight  # another run has taken a step, whose row and message see to the next
    except Exception as second:  # noqa: BLE001 - the first error is the one to raise
        log.trouble("The row could not say so.", document=name, code=type(second).__name__)
        return False
    return True

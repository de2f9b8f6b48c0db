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
"""Seconds until a message of a later version of the app comes again, hopefully to an instance of that version."""


def advance(services: Services, name: str, message: Message | None = None) -> None:
    """Take a document's next step. Without a message, the caller is an event: the file is new or has changed.

    If storage is in trouble, or an unexpected error is raised, the row says so, and the document waits. The error is
    raised only if the row cannot be written: then the host tries again, and the sweep after it.
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
    """Take the step that a queue message asks for. Raises ForeignMessage if this app did not write the message."""
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
    """Write to the row what went wrong, and when the step is tried again.

    Returns whether the next step is certain to come. It is not if an event, or a message from outside the document's
    own chain, asks for a version that the row does not know yet.
    """
    now = services.now()
    trouble = storage_trouble(error, services.settings)
    if trouble is None:
        # The error's text may quote the document, so only its class and its place in the code are logged.
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
        return in_flight  # another run has taken a step, and sends the message for the next one
    except Exception as second:  # noqa: BLE001 - the first error is the one to raise
        log.trouble("This error could not be written to the row.", document=name, code=type(second).__name__)
        return False
    return True

"""The one way in: a document and a reason to look at it go in; its next step is taken."""

import logging

from shared import decide
from shared.assembly import Services
from shared.message import LaterMessage, Message
from shared.poll import poll
from shared.submit import submit

_log = logging.getLogger(__name__)

_LATER = 300
"""Seconds after which a message of a later version is looked at again, hopefully by that version."""


def advance(services: Services, name: str, message: Message | None = None) -> None:
    """Take a document's next step. Without a message, an event says that the file is new or has changed."""
    if not services.settings.reads(services.settings.input_container, name):
        _log.warning("%r: left alone: it is not below INPUT_PREFIX.", name)
        return
    if message is None:
        submit(services, Message(name))
        return
    document = services.documents.get(name)
    match decide.next_step(document, message, services.now()):
        case decide.Skip(why):
            _log.info("%r: dropped a message: %s.", name, why)
        case decide.Submit():
            submit(services, message, document)
        case decide.Poll():
            assert document is not None  # noqa: S101 - only a row has an operation
            poll(services, message, document)


def advance_message(services: Services, body: bytes) -> None:
    """Take the step that a queue message asks for. Raises ForeignMessage for one that is none of ours."""
    try:
        message = Message.from_json(body)
    except LaterMessage as later:
        _log.warning("Put back: %s.", later)
        services.queue.send(body.decode(), _LATER)
        return
    advance(services, message.name, message)

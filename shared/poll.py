"""Polling: one look at an operation, and what it brings."""

import logging

from shared import decide
from shared.document import Document
from shared.finish import carry_out, put_off, store
from shared.message import Message
from shared.read.answers import NotNow, Succeeded
from shared.read.result import ResultNotUnderstood
from shared.services import Services
from shared.storage.tables import Conflict, Superseded

_log = logging.getLogger(__name__)


def look(services: Services, message: Message, document: Document) -> None:
    """Look at a document's operation once, when the pace allows.

    A result is stored; anything else decides when to look again.
    """
    turn = services.pacer.turn(False, message.slots)
    if turn.delay:
        put_off(services, message, document, turn)
        return
    answer = services.read.look(document.operation_url or "", document.api_version)
    if isinstance(answer, NotNow) and answer.code == "Throttled":
        services.pacer.refused(False, answer.retry_after)
    try:
        if isinstance(answer, Succeeded):
            try:
                store(services, document, answer)
            except ResultNotUnderstood as error:
                failed = decide.fail(document, "ResultNotUnderstood", str(error), services.now())
                carry_out(services, document, decide.Then(failed))
        else:
            step = decide.after_look(document, answer, services.now(), services.random, services.settings)
            carry_out(services, document, step)
    except (Conflict, Superseded):
        _log.info("%r: dropped what this look brought: the document has moved on.", document.name)

"""Polling: one look at an operation, and what it brings."""

import logging

from shared import decide
from shared.document import Document
from shared.finish import carry_out, store
from shared.read.answers import Arriving, BrokenOff, Succeeded
from shared.read.result import ResultNotUnderstood
from shared.services import Services
from shared.storage.tables import Conflict, Superseded

_log = logging.getLogger(__name__)


def look(services: Services, document: Document) -> None:
    """Look at a document's operation once. A result is stored; anything else decides when to look again."""
    answer = services.read.look(document.operation_url or "", document.api_version)
    try:
        if isinstance(answer, Succeeded | Arriving):
            try:
                store(services, document, answer)
                return
            except ResultNotUnderstood as error:
                failed = decide.fail(document, "ResultNotUnderstood", str(error), services.now())
                carry_out(services, document, decide.Then(failed))
                return
            except BrokenOff as broken_off:
                answer = broken_off.answer
        step = decide.after_look(document, answer, services.now(), services.random, services.settings)
        carry_out(services, document, step)
    except (Conflict, Superseded):
        _log.info("%r: dropped what this look brought: the document has moved on.", document.name)

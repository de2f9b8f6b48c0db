"""Submitting: open the file, claim its row, and only then pay."""

import logging
from contextlib import suppress
from dataclasses import replace

from azure.core.exceptions import AzureError

from shared import decide
from shared.assembly import Services
from shared.document import Document, Status, Version, is_unsafe
from shared.errors import SourceChanged, SourceMissing
from shared.finish import adopt_outputs, carry_out
from shared.message import Message
from shared.quota.rate import Call
from shared.read.answers import Accepted, Rejected, Retryable, SubmitAnswer
from shared.read.page_count import CountingBody
from shared.storage.tables import Conflict, Superseded

_log = logging.getLogger(__name__)

_TRIES = 5
"""Rounds of losing the row to others, or the file to a newer version."""


def submit(services: Services, message: Message, document: Document | None = None) -> None:
    """Submit the version of a file that storage holds now, unless its row says that this is done or being done.

    ``document`` is the row, where it has been read: a first upload is claimed by creating its row, unread. Where
    others have reserved Read's quota, the document waits.
    """
    name = message.name
    over_tombstone = False
    for tries in range(_TRIES):
        try:
            _submit_newest(services, message, document, adopt=tries < _TRIES - 2, over_tombstone=over_tombstone)
        except Conflict as conflict:
            document = conflict.current
            over_tombstone = document is None  # it has been forgotten, so only a file that is found from here on is new
            message = Message(name)
        except (SourceChanged, Superseded):
            document = services.documents.get(name)
            over_tombstone = False
            message = Message(name)
        else:
            return
    _log.warning("%r changes too fast to be submitted; it is looked at again when its claim has run out.", name)


def _submit_newest(
    services: Services, message: Message, document: Document | None, *, adopt: bool, over_tombstone: bool
) -> None:
    name = message.name
    if is_unsafe(name):
        if document is None or not document.status.final:
            unsafe = document or Document(name=name, status=Status.FAILED)
            text = "A part of the file's path is '.' or '..'."
            carry_out(services, document, decide.Transition(decide.fail(unsafe, "UnsafeName", text, services.now())))
        return
    try:
        source = services.inbox.open(name, unread=services.links is not None)
    except SourceMissing:
        if document is not None and (step := decide.on_missing(document, services.now())):
            carry_out(services, document, step)
        return
    due = document is not None and message.write_id == document.write_id
    match decide.decide_submit(document, name, source.version, services.now(), services.settings, due=due, adopt=adopt):
        case decide.Skip(why):
            _log.info("%r: nothing to do: %s.", name, why)
        case decide.Adopt(adopted):
            assert document is not None  # noqa: S101 - what is adopted is a row's
            adopt_outputs(services, document, adopted)
        case decide.Transition() as step:
            carry_out(services, document, step, over_tombstone=over_tombstone)
        case decide.Claim(claimed):
            reservation = services.limiter.reserve(Call.SUBMIT, message.slots)
            if reservation.delay:
                later = decide.deferred(claimed, reservation.delay, services.now())
                carry_out(services, document, later, reservation.slots, over_tombstone=over_tombstone)
                return
            claimed = services.documents.write(claimed, document, over_tombstone=over_tombstone)
            body = CountingBody(source)
            services.limiter.wait(reservation)
            answer = _post_link(services, name, source.version) or _post(services, body, source.version)
            if isinstance(answer, Retryable) and answer.code == "Throttled":
                services.limiter.throttled(Call.SUBMIT, reservation, answer.retry_after)
            posted = claimed.evolve(pages_in_file=body.pages)
            then = decide.after_post(posted, answer, services.now(), services.random)
            slots = reservation.slots if isinstance(answer, Accepted) else ()
            if then.delay is not None:
                then = replace(then, delay=max(then.delay, services.limiter.delay(Call.POLL, slots)))
            carry_out(services, claimed, then, slots)


def _post_link(services: Services, name: str, version: Version) -> SubmitAnswer | None:
    """Let Read fetch the file itself. None where it does not: then nothing is paid, and the content is to be sent.

    A link names a file and not its version. Raises SourceChanged where Read may have read a newer one.
    """
    try:
        link = services.links.to(name) if services.links else None
    except AzureError as error:
        _log.warning("%r: no link (%s), so its content is sent.", name, type(error).__name__)
        link = None
    if link is None:
        return None
    answer = services.read.submit_link(link, services.settings.options_for(version.metadata))
    if isinstance(answer, Rejected) or (isinstance(answer, Retryable) and answer.code in _OF_THE_LINK):
        _log.info("%r: Read did not take a link to it (%s), so its content is sent.", name, answer.code)
        return None
    if isinstance(answer, Accepted):
        with suppress(AzureError):  # it is paid: what cannot be told now, the event of a newer version tells
            if services.inbox.etag(name) not in (version.etag, None):
                raise SourceChanged
    return answer


_OF_THE_LINK = ("OutboundAccessForbidden", "ReadServerError")
"""Reasons to wait that can lie in fetching; a timeout of it is told as an error of the server."""


def _post(services: Services, body: CountingBody, version: Version) -> SubmitAnswer:
    """Raises SourceChanged. Trouble with storage half-way through breaks the request off: nothing is paid."""
    try:
        return services.read.submit(body, services.settings.options_for(version.metadata))
    except SourceMissing:
        return decide.SOURCE_DELETED
    except AzureError as error:
        return Retryable("StorageUnavailable", f"Storage broke off while the file was read ({type(error).__name__}).")

"""Submitting: open the file, claim its row, and only then POST it, which is what Read bills."""

import logging
from contextlib import suppress
from dataclasses import replace

from azure.core.exceptions import AzureError

from shared import decide, log
from shared.assembly import Services
from shared.carry_out import carry_out
from shared.document import Document, Version
from shared.errors import SourceChanged, SourceMissing
from shared.file_type import file_type
from shared.keys import is_unsafe
from shared.message import Message
from shared.outputs.store import adopt_outputs
from shared.quota.rate import Call
from shared.read.answers import Accepted, Rejected, Retryable, SubmitAnswer
from shared.read.generation import ReadOptions
from shared.shortcut import MOST_BYTES, NotAShortcut, is_shortcut, target
from shared.storage.documents import Conflict, Expected
from shared.storage.fence import Superseded
from shared.storage.inbox import Source

_TRIES = 5
"""How often a submit begins anew because another run has written the row, or the file was overwritten."""


def submit(services: Services, message: Message, document: Document | None = None) -> None:
    """Submit the version of a file that storage holds now, unless its row says that it is, or is being, submitted.

    ``document`` is the row, if the caller has read it. A new file's row is not read first: creating it is the claim.
    If Read's quota is used up for the moment, the document waits for its slot.
    """
    name = message.name
    expected: Expected = document
    for tries in range(_TRIES):
        try:
            _submit_newest(services, message, expected, adopt=tries < _TRIES - 2)
        except Conflict as conflict:
            # Another run wrote the row, or the file was forgotten: then only a file that is found from now on is new.
            expected = conflict.current
            message = Message(name)
        except (SourceChanged, Superseded):
            expected = services.documents.get(name)
            message = Message(name)
        else:
            return
    what = "The file changes too fast to be submitted; the sweep submits it once its claim has run out."
    log.trouble(what, document=name)


def _submit_newest(services: Services, message: Message, expected: Expected, *, adopt: bool) -> None:
    """Decide about the file as it is now, and carry the decision out.

    Raises Conflict, Superseded or SourceChanged if the row or the file has changed meanwhile: then it is decided anew.
    """
    name, now = message.name, services.now
    document = expected if isinstance(expected, Document) else None
    if is_unsafe(name):
        unsafe = decide.on_unsafe_name(document, name, now())
        if isinstance(unsafe, decide.Transition):
            carry_out(services, expected, unsafe)
        return
    try:
        source = services.inbox.open(name, unread=services.links is not None)
    except SourceMissing:
        if document is not None and (gone := decide.on_missing(document, now())):
            carry_out(services, document, gone)
        return
    due = document is not None and message.write_id == document.write_id
    match decide.on_version(document, name, source.version, now(), services.settings, due=due, adopt=adopt):
        case decide.Skip(why):
            log.skipped(name, why, document.trace_id if document else None)
        case decide.Later(delay):
            services.queue.send(Message(name, source.version.etag).to_json(), delay)
        case decide.Adopt(adopted):
            assert document is not None  # noqa: S101 - only a row's outputs are adopted
            adopt_outputs(services, document, adopted)
        case decide.Transition() as transition:
            carry_out(services, expected, transition)
        case decide.Claim(claimed):
            traced = claimed.evolve(trace_id=claimed.trace_id or log.new_trace_id(services.random))
            _claim_and_post(services, message, expected, traced, source)


def _claim_and_post(
    services: Services, message: Message, expected: Expected, claimed: Document, source: Source
) -> None:
    """Reserve a slot, write the claim, POST, and carry out what is decided from the answer.

    If two runs come here at the same time, one writes its claim, and the other raises Conflict before it has sent
    anything. If a run dies after its claim, the claim expires, and the next run counts a lost answer.
    """
    reservation = services.limiter.reserve(Call.SUBMIT, message.slots)
    if reservation.delay:
        later = decide.deferred(claimed, reservation.delay, services.now())
        carry_out(services, expected, later, reservation.slots)
        return
    claimed = services.documents.write(claimed, expected)
    log.step(None, claimed)
    services.limiter.wait(reservation)
    asked_at = services.now()
    answer = _post(services, claimed.name, source)
    called = log.Called(Call.SUBMIT, services.now() - asked_at)
    if isinstance(answer, Retryable) and answer.code == "Throttled":
        services.limiter.throttled(Call.SUBMIT, reservation, answer.retry_after)
    posted = claimed.evolve(file_type=file_type(source.head))
    transition = decide.after_post(posted, answer, services.now(), services.random)
    slots = reservation.slots if isinstance(answer, Accepted) else ()
    if slots and transition.delay is not None:
        transition = replace(transition, delay=max(transition.delay, services.limiter.delay(Call.POLL, slots)))
    carry_out(services, claimed, transition, slots, called)


def _post(services: Services, name: str, source: Source) -> SubmitAnswer:
    """POST a file: a link to it or its content, or the URL that an Internet shortcut holds.

    The app itself never opens that URL. Trouble with storage while the content is sent breaks the request off, so that
    nothing is paid. Raises SourceChanged.
    """
    options = services.settings.options_for(source.version.metadata)
    try:
        if is_shortcut(name):
            return services.read.submit_link(target(_start_of(source, MOST_BYTES + 1)), options)
        return _post_link(services, name, source.version, options) or services.read.submit(source, options)
    except NotAShortcut as error:
        return Rejected("NotAShortcut", str(error))
    except SourceMissing:
        return decide.SOURCE_DELETED
    except AzureError as error:
        return Retryable("StorageUnavailable", f"Storage broke off while the file was read ({type(error).__name__}).")


def _post_link(services: Services, name: str, version: Version, options: ReadOptions) -> SubmitAnswer | None:
    """Let Read fetch the file itself. None if it does not: then nothing is paid, and the caller sends the content.

    A link names a file and not its version. Raises SourceChanged if Read may have read a newer version.
    """
    try:
        link = services.links.to(name) if services.links else None
    except AzureError as error:
        log.trouble("There is no link to the file, so its content is sent.", document=name, code=type(error).__name__)
        link = None
    if link is None:
        return None
    answer = services.read.submit_link(link, options)
    if isinstance(answer, Rejected) or (isinstance(answer, Retryable) and answer.code in _OF_THE_LINK):
        what = "Read did not take a link to the file, so its content is sent."
        log.trouble(what, document=name, code=answer.code, level=logging.INFO)
        return None
    if isinstance(answer, Accepted):
        # The document is paid: if the ETag cannot be read now, the event of a newer version says so.
        with suppress(AzureError):
            if services.inbox.etag(name) not in (version.etag, None):
                raise SourceChanged
    return answer


_OF_THE_LINK = ("OutboundAccessForbidden", "ReadServerError")
"""Retryable codes whose reason may be the link: where Read's fetching times out, it answers an error of its own."""


def _start_of(source: Source, size: int) -> bytes:
    start = bytearray()
    while len(start) < size and (piece := source.read(size - len(start))):
        start += piece
    return bytes(start)

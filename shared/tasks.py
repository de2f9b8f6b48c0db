"""What a person asks for by name: read it again, forget it. Each is safe to repeat."""

from shared import decide
from shared.assembly import Services
from shared.carry_out import clear_outputs
from shared.document import Document, Version
from shared.keys import is_unsafe
from shared.message import Message
from shared.storage.documents import Conflict, Expected

_TRIES = 5


class NotInInbox(ValueError):
    """The file is outside the folder that this app reads."""


def again(services: Services, name: str) -> bool:
    """Have a file read again, whatever its status; it is paid again. False if it is being read just now.

    Raises Conflict if other runs keep writing the document's row.
    """
    _check_is_ours(services, name)
    expected: Expected = services.documents.get(name)
    for attempt in range(1, _TRIES + 1):
        document = expected if isinstance(expected, Document) else None
        requested = decide.requested_again(document, name, services.now(), services.settings)
        if requested is None:
            return False
        try:
            written = services.documents.write(requested, expected)
        except Conflict as conflict:
            if attempt == _TRIES:
                raise
            expected = conflict.current
            continue
        services.queue.send(Message.about(written).to_json(), 0)
        return True
    return False


def forget(services: Services, name: str, *, keep_file: bool = False) -> None:
    """Remove all that is known of a document: text, lines, outputs, Read's own copy, the file, and last its row.

    The row turns ``ignored`` first and loses its text: a crash in between leaves nothing that is read again. With
    ``keep_file`` it stays so. While a slow run may still be writing outputs, or have the file open, a tombstone stays:
    it has them removed once more, and keeps such a run from claiming the file again. A version of the file that is
    uploaded meanwhile is neither deleted nor forgotten.
    Raises Conflict or Superseded if other runs keep writing the document's row.
    """
    _check_is_ours(services, name)
    expected: Expected = services.documents.get(name)
    for attempt in range(1, _TRIES + 1):
        # The file is read after its row: what is uploaded from then on is a newer version.
        version = None if is_unsafe(name) else services.inbox.version(name)
        try:
            row = _empty(services, name, expected, version)
            break
        except Conflict as conflict:
            if attempt == _TRIES:
                raise
            expected = conflict.current
    if version is not None and keep_file:
        return
    if version is not None:
        services.inbox.delete(name, version.etag)
    services.documents.remove(row, due_at=services.now() + services.settings.claim_length)


def _check_is_ours(services: Services, name: str) -> None:
    """Raises NotInInbox for a file that this app does not read."""
    settings = services.settings
    if not settings.reads(settings.input_container, name):
        raise NotInInbox(f"{name!r} is not below INPUT_PREFIX ({settings.input_prefix}), where this app reads.")


def forget_gone(services: Services, name: str) -> None:
    """Remove all that is known of a document whose file is gone. Raises Conflict or Superseded."""
    document = services.documents.get(name)
    if document is not None and not is_unsafe(name) and services.inbox.version(name) is None:
        row = _empty(services, name, document, None)
        services.documents.remove(row, due_at=services.now() + services.settings.claim_length)


def _empty(services: Services, name: str, expected: Expected, version: Version | None) -> Document:
    """Turn a document's row into one that is forgotten in a version of its file, and remove all it had.

    Returns that row. Raises Conflict if the row is not as it was, or Superseded.
    """
    document = expected if isinstance(expected, Document) else None
    forgotten = decide.forgotten(document, name, version, services.now(), services.settings)
    row = services.documents.write(forgotten, expected)
    if not is_unsafe(name):  # else nothing was ever stored under it but the row
        if document is not None and document.operation_url:
            services.read.delete(document.operation_url, document.api_version)
        clear_outputs(services, row)
    return row

"""Tasks that a person asks for by name: read a file again, or forget it. Each is safe to repeat."""

from collections.abc import Callable
from typing import TypeVar

from shared import decide
from shared.assembly import Services
from shared.carry_out import clear_outputs
from shared.document import Document, Version
from shared.keys import is_unsafe
from shared.message import Message
from shared.storage.documents import Conflict, Expected

_TRIES = 5
"""How often a task is decided anew because another run has written the row meanwhile."""

T = TypeVar("T")


class NotInInbox(ValueError):
    """The file is outside the folder that this app reads."""


def again(services: Services, name: str) -> bool:
    """Have a file read again, whatever its status, which is billed again. False if it is being read just now.

    Raises Conflict if other runs keep writing the document's row.
    """

    def request(expected: Expected) -> Document | None:
        document = expected if isinstance(expected, Document) else None
        requested = decide.requested_again(document, name, services.now(), services.settings)
        return requested and services.documents.write(requested, expected)

    _check_is_ours(services, name)
    written = _until_written(services, name, request)
    if written is None:
        return False
    services.queue.send(Message.about(written).to_json(), 0)
    return True


def forget(services: Services, name: str, *, keep_file: bool = False) -> None:
    """Remove everything about a document: its text, lines and outputs, Read's own copy, the file, and last its row.

    First the row becomes ``ignored`` and loses its text, so that after a crash nothing reads the file again. With
    ``keep_file``, the file and this row stay. Otherwise the row leaves a tombstone for as long as a slow run may be
    writing outputs or have the file open: such a run cannot claim the file again, and what it wrote is removed. A
    version of the file that is uploaded meanwhile is neither deleted nor forgotten.

    Raises Conflict or Superseded if other runs keep writing the document's row.
    """

    def empty(expected: Expected) -> tuple[Document, Version | None]:
        # The file is looked up after its row was read: what is uploaded from then on is a newer version.
        version = None if is_unsafe(name) else services.inbox.version(name)
        return _empty(services, name, expected, version), version

    _check_is_ours(services, name)
    row, version = _until_written(services, name, empty)
    if version is not None:
        if keep_file:
            return
        services.inbox.delete(name, version.etag)
    services.documents.remove(row, due_at=services.now() + services.settings.claim_length)


def _until_written(services: Services, name: str, write: Callable[[Expected], T]) -> T:
    """Call ``write`` with the document's row, and again with the newer row if another run was faster.

    Raises Conflict after the last try.
    """
    expected: Expected = services.documents.get(name)
    for _ in range(_TRIES - 1):
        try:
            return write(expected)
        except Conflict as conflict:
            expected = conflict.current
    return write(expected)


def _check_is_ours(services: Services, name: str) -> None:
    """Raises NotInInbox for a file that this app does not read."""
    settings = services.settings
    if not settings.reads(settings.input_container, name):
        raise NotInInbox(f"{name!r} is not below INPUT_PREFIX ({settings.input_prefix}), where this app reads.")


def forget_gone(services: Services, name: str) -> None:
    """Remove everything about a document whose file is gone. Raises Conflict or Superseded."""
    document = services.documents.get(name)
    if document is not None and not is_unsafe(name) and services.inbox.version(name) is None:
        row = _empty(services, name, document, None)
        services.documents.remove(row, due_at=services.now() + services.settings.claim_length)


def _empty(services: Services, name: str, expected: Expected, version: Version | None) -> Document:
    """Write a row that says the document is forgotten, in this version of its file, and remove all that it had.

    Returns that row. Raises Conflict if the row is not as expected, or Superseded.
    """
    document = expected if isinstance(expected, Document) else None
    forgotten = decide.forgotten(document, name, version, services.now(), services.settings)
    row = services.documents.write(forgotten, expected)
    if not is_unsafe(name):  # under an unsafe name, only the row was ever stored
        if document is not None and document.operation_url:
            services.read.delete(document.operation_url, document.api_version)
        clear_outputs(services, row)
    return row

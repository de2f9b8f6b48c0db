"""What a person asks for by name: read it again, forget it. Each is safe to repeat."""

from shared import decide
from shared.document import Document, is_unsafe
from shared.finish import clear_outputs
from shared.message import Message
from shared.services import Services
from shared.storage.tables import Conflict

_TRIES = 5


def again(services: Services, name: str) -> bool:
    """Have a file read anew, whatever became of it before; it is paid again. False if it is being read just now.

    Raises Conflict if the document does not rest for long enough to be asked for.
    """
    for attempt in range(1, _TRIES + 1):
        document = services.documents.get(name)
        asked = decide.asked_again(document, name, services.now())
        if asked is None:
            return False
        try:
            written = services.documents.write(asked, document)
        except Conflict:
            if attempt == _TRIES:
                raise
            continue
        services.queue.send(Message.about(written).to_json(), 0)
        return True
    return False


def forget(services: Services, name: str, *, keep_file: bool = False) -> None:
    """Remove all that is known of a document: text, lines, outputs, Read's own copy, the file, and last its row.

    The row turns ``ignored`` first and loses its text: a crash in between leaves nothing that is read again. With
    ``keep_file`` it stays so. If the document was being read, the row stays until no slow writer can be left. A
    version of the file that is uploaded meanwhile is neither deleted nor forgotten.
    Raises Conflict or Superseded if the document does not rest for long enough.
    """
    etag = None if is_unsafe(name) else services.inbox.etag(name)
    row = _clear(services, name)
    if keep_file and etag is not None:
        return
    if etag is not None:
        services.inbox.delete(name, etag)
    if row.clean_at is None:
        services.documents.remove(row)


def forget_gone(services: Services, name: str) -> None:
    """Remove all that is known of a document whose file is gone. Raises Conflict or Superseded."""
    if is_unsafe(name) or services.inbox.etag(name) is not None:
        return
    row = _clear(services, name)
    if row.clean_at is None:
        services.documents.remove(row)


def _clear(services: Services, name: str) -> Document:
    """Turn a document's row into one that is forgotten, and remove all it had. Returns that row."""
    for attempt in range(1, _TRIES + 1):
        document = services.documents.get(name)
        try:
            row = services.documents.write(
                decide.forgotten(document, name, services.now(), services.settings), document
            )
            break
        except Conflict:
            if attempt == _TRIES:
                raise
    if not is_unsafe(name):  # else nothing was ever stored under it but the row
        if document is not None and document.operation_url:
            services.read.delete(document.operation_url, document.api_version)
        clear_outputs(services, row)
    return row

"""The storage of the local stack: drops files, and reads their rows and texts."""

import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from cli.connection import NO_READ_ENDPOINT, parsed
from shared.assembly import build_library
from shared.document import Document
from shared.settings import Settings
from shared.storage.connection import blob_service


class Store:
    """The input container, and the read side of what the app stored."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.library = build_library(settings)
        self._inbox = blob_service(settings.storage).get_container_client(settings.input_container)

    def make_inbox(self) -> None:
        """Create the input container if it is missing; the app itself never creates it."""
        with suppress(ResourceExistsError):
            self._inbox.create_container()

    def drop(self, path: Path, name: str) -> str:
        """Upload a file under a blob name; returns the ETag of that version."""
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        with path.open("rb") as content:
            uploaded = self._inbox.get_blob_client(name).upload_blob(
                content, overwrite=True, content_settings=ContentSettings(content_type=kind)
            )
        return str(uploaded["etag"])

    def holds(self, name: str, etag: str) -> bool:
        """Whether this version of a file is still the newest."""
        try:
            return str(self._inbox.get_blob_client(name).get_blob_properties().etag) == etag
        except ResourceNotFoundError:
            return False

    def changed_since(self, moment: datetime) -> Iterator[tuple[Document, datetime]]:
        """Documents whose row was written at this time or later; each with that time."""
        for document, changed in self.library.changed_since(moment):
            if isinstance(document, Document):
                yield document, changed

    def document(self, name: str) -> Document | None:
        """A document's row; None if there is none, or if it cannot be read (its next version replaces it)."""
        document = self.library.document(name)
        return document if isinstance(document, Document) else None

    def text(self, document: Document) -> str:
        """All text of a document that was read: each line ends with a line feed, pages are separated by a form feed."""
        return "".join(self.library.text(document))


def connect(settings: Mapping[str, str]) -> Store:
    """The store of these app settings. Raises CommandError."""
    return Store(parsed({**settings, "READ_ENDPOINT": settings.get("READ_ENDPOINT") or NO_READ_ENDPOINT}))

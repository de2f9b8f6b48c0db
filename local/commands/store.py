"""What the app stored, and where its files are dropped: on this machine or in Azure."""

import mimetypes
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.data.tables import EntityProperty
from azure.storage.blob import ContentSettings

from local.paths import ROOT
from local.stack import StackError, load_settings, shared_storage
from shared.assembly import Services, build
from shared.document import Document, Status, from_row
from shared.keys import document_key
from shared.settings import Settings, SettingsError, from_environment
from shared.storage.connection import blob_service, table_service

NO_READ_ENDPOINT = "https://read.invalid"
"""For a command that asks Read for nothing: the app does not start without one, and this one is nowhere."""

_READING = "Storage Blob Data Reader and Storage Table Data Reader"
_CHANGING = "Storage Blob Data Contributor, Storage Queue Data Contributor and Storage Table Data Contributor"

_LONGEST_PREFIX = 60
"""Characters of a prefix that are looked up by key, at most: keys of long names are cut, though not as early."""


class Store:
    """Blobs and rows, as the app's settings name them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        blobs, tables = blob_service(settings.storage), table_service(settings.storage)
        self._inbox = blobs.get_container_client(settings.input_container)
        self._outputs = blobs.get_container_client(settings.output_container)
        self._documents = tables.get_table_client(settings.documents_table)
        self._lines = tables.get_table_client(settings.lines_table)

    def make_inbox(self) -> None:
        """Create the input container if it is missing: the app itself never does."""
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

    def document(self, name: str) -> Document | None:
        """A document's row, or None."""
        try:
            row = self._documents.get_entity(self.settings.input_container, document_key(name))
        except ResourceNotFoundError:
            return None
        return from_row(_plain(row), None)

    def text(self, document: Document) -> str:
        """All text of a document that was read: each line ended by a line feed, pages parted by a form feed."""
        return self._outputs.download_blob(document.text_blob or "").readall().decode()

    def lines(self, document: Document) -> Iterator[Mapping[str, Any]]:
        """The rows of a document's lines, in order."""
        # The head row's key is "!head"; a line's begins with a digit.
        query = "PartitionKey eq @key and RowKey ge '0'"
        columns = ["Page", "Line", "Text", "BoundingBox"]
        parameters = {"key": document.lines_key or ""}
        return iter(self._lines.query_entities(query, parameters=parameters, select=columns))

    def rows(self, prefix: str, columns: list[str], status: Status | None = None) -> Iterator[Mapping[str, Any]]:
        """Some columns of all documents whose name begins with ``prefix``."""
        # Markers, whose keys begin with "!", are left out; a name may sort before them.
        query = "(RowKey lt '!' or RowKey ge '\"')"
        return self._query(query + (f" and Status eq '{status}'" if status else ""), "", prefix, columns)

    def worklist(self, prefix: str, columns: list[str]) -> Iterator[Mapping[str, Any]]:
        """Some columns of the worklist entries: of the documents that failed or are in flight."""
        return self._query("RowKey ge '!' and RowKey lt '\"'", "!", prefix, columns)

    def _query(self, query: str, mark: str, prefix: str, columns: list[str]) -> Iterator[Mapping[str, Any]]:
        parameters = {"container": self.settings.input_container}
        query = f"PartitionKey eq @container and {query}"
        if prefix:
            key = mark + document_key(prefix[:_LONGEST_PREFIX])
            query += " and RowKey ge @first and RowKey lt @last"
            parameters |= {"first": key, "last": key[:-1] + chr(ord(key[-1]) + 1)}
            columns = [*columns, "Name"]
        rows = self._documents.query_entities(query, parameters=parameters, select=columns)
        try:
            yield from (row for row in map(_plain, rows) if row.get("Name", "").startswith(prefix))
        except ResourceNotFoundError:
            return  # the table is made with the first row


@contextmanager
def stored(command: str, account: str | None) -> Iterator[Store]:
    """What is stored on this machine, or in a storage account in Azure, by the names that the app settings give.

    Raises ServiceError, if only for what storage refuses.
    """
    with _settings(command, account) as (settings, _), explained():
        yield Store(settings)


@contextmanager
def services(command: str, account: str | None) -> Iterator[tuple[Services, bool]]:
    """What the app itself works with, on this machine or in Azure, and whether it runs, as far as is known here.

    Raises ServiceError, if only for what storage refuses.
    """
    with _settings(command, account) as (settings, runs), explained(_CHANGING):
        yield build(settings), runs


@contextmanager
def _settings(command: str, account: str | None) -> Iterator[tuple[Settings, bool]]:
    """The app's settings, and whether something runs it. Raises ServiceError."""
    settings = load_settings(os.environ)
    with ExitStack() as resources:
        runs = True
        if account is None:
            stack = resources.enter_context(shared_storage(command))
            of_stack = stack.app_settings()
            if of_stack.get("READ_ENDPOINT", settings.get("READ_ENDPOINT")) != settings.get("READ_ENDPOINT"):
                settings.pop("READ_KEY", None)  # it is for another service
            settings |= of_stack
            runs = stack.description.host is not None
        else:
            settings = {name: value for name, value in settings.items() if not name.startswith("DocumentStorage")}
            settings["DocumentStorage__accountName"] = account
        if not settings.get("READ_ENDPOINT"):
            settings["READ_ENDPOINT"] = NO_READ_ENDPOINT
        yield parsed(settings), runs


def check_settings(settings: Mapping[str, str]) -> None:
    """Raise StackError for an app setting that is wrong, before anything is started."""
    endpoint = settings.get("READ_ENDPOINT") or NO_READ_ENDPOINT
    parsed({**settings, "DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": endpoint})


def connect(settings: Mapping[str, str]) -> Store:
    """The store of these app settings. Raises StackError."""
    return Store(parsed(settings))


def parsed(settings: Mapping[str, str]) -> Settings:
    """App settings, read as the app reads them. Raises StackError."""
    try:
        return from_environment(settings, (ROOT / "host.json").read_text(encoding="utf-8"))
    except SettingsError as error:
        raise StackError(str(error)) from None


@contextmanager
def explained(roles: str = _READING) -> Iterator[None]:
    """Turn what storage refuses into a StackError of one sentence. ``roles`` are those that the command needs."""
    try:
        yield
    except ClientAuthenticationError as error:
        raise StackError(
            f"Azure did not let you in: sign in with `az login`, and have the roles {roles} on the storage account."
            f" ({first_line(error)})"
        ) from error
    except HttpResponseError as error:
        hint = f" You need the roles {roles} on the storage account." if error.status_code == 403 else ""
        raise StackError(f"Storage refused: {first_line(error)}{hint}") from error
    except AzureError as error:
        raise StackError(f"Storage was not reached: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error says, without the request ids that storage adds."""
    return str(getattr(error, "message", error)).partition("\n")[0]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, EntityProperty) else value for name, value in row.items()}

"""The input container: the files that were dropped."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties, ContainerClient

from shared.document import Version
from shared.errors import InputContainerMissing, SourceChanged, SourceMissing
from shared.file_type import HEAD_BYTES
from shared.storage.codes import error_code
from shared.storage.connection import RANGE_BYTES, blob_client


@dataclass(frozen=True, slots=True)
class Listed:
    """A file in a listing. Its ``etag`` has no quotation marks."""

    name: str
    etag: str
    length: int
    uploaded_at: datetime


class Source:
    """An opened file: its version, and that version's content, which is read once, from the start, in ranges."""

    def __init__(self, version: Version, chunks: Iterator[bytes]) -> None:
        self.version = version
        self.head = b""
        """The file's first bytes, as soon as a part of it has been read."""
        self._chunks = chunks
        self._rest = memoryview(b"")

    def __len__(self) -> int:
        return self.version.length

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; all of them for -1; none at the end.

        Raises SourceChanged or SourceMissing if this version of the file is gone.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(RANGE_BYTES), b""))
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return b""
        except ResourceModifiedError:
            raise SourceChanged from None
        except ResourceNotFoundError:
            raise SourceMissing from None
        if not self.head:
            self.head = bytes(self._rest[:HEAD_BYTES])
        chunk, self._rest = self._rest[:size], self._rest[size:]
        return bytes(chunk)


class Inbox:
    """The input container."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client

    def open(self, name: str, *, unread: bool = False) -> Source:
        """Open a file: one GET brings its properties and its first range. With ``unread``, only its properties.

        Raises SourceMissing, or InputContainerMissing, which names the account and the container.
        """
        blob = blob_client(self._client, name)
        try:
            if unread:
                return _unread(blob)
            download = blob.download_blob(decompress=False)  # Read gets the bytes that are stored
            return Source(_version(download.properties), download.chunks())
        except ResourceNotFoundError as error:
            if error_code(error) == "ContainerNotFound":
                raise InputContainerMissing(
                    f"The container {self._client.container_name!r} does not exist in the storage account"
                    f" {self._client.account_name!r}. Create it, or set INPUT_CONTAINER."
                ) from None
            raise SourceMissing from None
        except HttpResponseError as error:
            if unreadable := _UNREADABLE.get(error_code(error)):
                # The properties of an archived blob can be read; those of a blob under a customer's own key cannot.
                try:
                    return Source(_version(blob.get_blob_properties(), unreadable), iter(()))
                except HttpResponseError:
                    return Source(Version("", 0, None, datetime.fromtimestamp(0, UTC), {}, unreadable), iter(()))
            raise

    def range(self, name: str, etag: str, offset: int, length: int) -> bytes:
        """Part of one version of a file. Raises SourceChanged or SourceMissing if that version is gone."""
        try:
            download = blob_client(self._client, name).download_blob(
                offset, length, decompress=False, etag=etag, match_condition=MatchConditions.IfNotModified
            )
            return bytes(download.readall())
        except ResourceModifiedError:
            raise SourceChanged from None
        except ResourceNotFoundError:
            raise SourceMissing from None

    def version(self, name: str) -> Version | None:
        """The version of a file that storage holds now, or None."""
        try:
            return _version(blob_client(self._client, name).get_blob_properties())
        except ResourceNotFoundError:
            return None

    def etag(self, name: str) -> str | None:
        """The ETag of the version that storage holds now, or None."""
        version = self.version(name)
        return version.etag if version else None

    def delete(self, name: str, etag: str) -> None:
        """Delete one version of a file, with its snapshots, if storage still holds it. A newer version stays."""
        with suppress(ResourceNotFoundError, ResourceModifiedError):
            blob_client(self._client, name).delete_blob(
                delete_snapshots="include", etag=etag, match_condition=MatchConditions.IfNotModified
            )

    def pages(self, prefix: str, start: str | None) -> Iterator[tuple[list[Listed], str | None]]:
        """Pages of the files below a prefix, each with the continuation token of the next page."""
        pages = self._client.list_blobs(name_starts_with=prefix or None).by_page(continuation_token=start)
        for page in pages:
            files = [
                Listed(blob.name, str(blob.etag), int(blob.size or 0), blob.last_modified.astimezone(UTC))
                for blob in page
            ]
            yield files, getattr(pages, "continuation_token", None)


def _unread(blob: BlobClient) -> Source:
    """Open a file without its content, which is fetched at the first read."""
    properties = blob.get_blob_properties()

    def chunks() -> Iterator[bytes]:
        yield from blob.download_blob(
            decompress=False, etag=properties.etag, match_condition=MatchConditions.IfNotModified
        ).chunks()

    archived = "BlobArchived" if properties.blob_tier == "Archive" else None
    return Source(_version(properties, archived), chunks())


_UNREADABLE = {
    "BlobArchived": "BlobArchived",
    "BlobBeingRehydrated": "BlobArchived",
    "BlobUsesCustomerSpecifiedEncryption": "CustomerKey",
}


def _version(properties: BlobProperties, unreadable: str | None = None) -> Version:
    md5 = properties.content_settings.content_md5
    return Version(
        etag=str(properties.etag),
        length=int(properties.size),
        md5=base64.b64encode(md5).decode() if md5 else None,
        uploaded_at=properties.last_modified.astimezone(UTC),
        metadata={key.lower(): value for key, value in (properties.metadata or {}).items()},
        unreadable=unreadable,
    )

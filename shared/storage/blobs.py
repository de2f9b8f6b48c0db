"""The files that were dropped, and the output blobs."""

import base64
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobProperties,
    ContainerClient,
    ContentSettings,
)

from shared.document import Version, is_unsafe
from shared.errors import InputContainerMissing, SourceChanged, SourceMissing
from shared.storage.codes import error_code
from shared.storage.connection import RANGE_BYTES
from shared.storage.tables import Fence, Superseded

_PIECE = 256 * 1024
_BLOCK_BYTES = 1024 * 1024
"""What one staged block of a large output brings. Several copies of it are in memory at a time, the SDK's among them;
larger ones were measured to leave holes in the heap that are held on to."""

_TRIES = 10
"""Rounds of a race that each loser may lose to a different winner."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as a listing shows it. ``etag`` has no quotes here."""

    name: str
    etag: str
    length: int
    uploaded_at: datetime


class Source:
    """An opened file: its version, and its content from the start, read once in ranges of that version."""

    def __init__(self, version: Version, chunks: Iterator[bytes]) -> None:
        self.version = version
        self._chunks = chunks
        self._rest = memoryview(b"")

    def __len__(self) -> int:
        return self.version.length

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, all for -1, none at the end.

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
        chunk, self._rest = self._rest[:size], self._rest[size:]
        return bytes(chunk)


class Inbox:
    """The input container."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client

    def open(self, name: str, *, unread: bool = False) -> Source:
        """Open a file: one GET brings its properties and its first range. ``unread`` brings its properties alone.

        Raises SourceMissing, or InputContainerMissing, which names account and container.
        """
        blob = _blob(self._client, name)
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
                # Properties of an archived blob can be read; those under a customer's own key cannot be, either.
                try:
                    return Source(_version(blob.get_blob_properties(), unreadable), iter(()))
                except HttpResponseError:
                    return Source(Version("", 0, None, datetime.fromtimestamp(0, UTC), {}, unreadable), iter(()))
            raise

    def range(self, name: str, etag: str, offset: int, length: int) -> bytes:
        """Part of one version of a file. Raises SourceChanged or SourceMissing if that version is gone."""
        try:
            return bytes(
                _blob(self._client, name)
                .download_blob(offset, length, etag=etag, match_condition=MatchConditions.IfNotModified)
                .readall()
            )
        except ResourceModifiedError:
            raise SourceChanged from None
        except ResourceNotFoundError:
            raise SourceMissing from None

    def version(self, name: str) -> Version | None:
        """The version of a file that is there now, or None."""
        try:
            return _version(_blob(self._client, name).get_blob_properties())
        except ResourceNotFoundError:
            return None

    def etag(self, name: str) -> str | None:
        """The ETag of the file that is there now, or None."""
        version = self.version(name)
        return version.etag if version else None

    def delete(self, name: str, etag: str) -> None:
        """Delete one version of a file, with its snapshots. A newer one stays; it may be gone already."""
        with suppress(ResourceNotFoundError, ResourceModifiedError):
            _blob(self._client, name).delete_blob(
                delete_snapshots="include", etag=etag, match_condition=MatchConditions.IfNotModified
            )

    def list(self, prefix: str, start: str | None) -> "Iterator[tuple[list[Listed], str | None]]":
        """Pages of the container's files below a prefix, each with what continues after it."""
        pages = self._client.list_blobs(name_starts_with=prefix or None).by_page(continuation_token=start)
        for page in pages:
            files = [
                Listed(blob.name, str(blob.etag), int(blob.size or 0), blob.last_modified.astimezone(UTC))
                for blob in page
            ]
            yield files, getattr(pages, "continuation_token", None)


def _unread(blob: BlobClient) -> Source:
    """A file of which nothing is read before its content is asked for, if ever."""
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


class Outputs:
    """The output container. It is made when it is first missing."""

    def __init__(self, client: ContainerClient, block_bytes: int = _BLOCK_BYTES) -> None:
        self._client = client
        self._block_bytes = block_bytes

    def put(self, name: str, content_type: str, metadata: Mapping[str, str], fence: Fence) -> "Upload":
        """Begin to write an output blob, which takes effect when it is committed."""
        return Upload(self._client, name, content_type, metadata, fence, self._block_bytes)

    def get(self, name: str, etag: str) -> Iterator[bytes]:
        """One version of an output blob, in blocks. Raises Superseded if it is not there any more."""
        try:
            download = _blob(self._client, name).download_blob(
                etag=etag, match_condition=MatchConditions.IfNotModified, decompress=False
            )
            for chunk in download.chunks():
                yield from (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE))
        except (ResourceModifiedError, ResourceNotFoundError):
            raise Superseded from None

    def adopt(self, name: str, fence: Fence, source_etag: str) -> None:
        """Mark an output blob as another version's. Raises Superseded if it is not the fence's operation's."""
        blob = _blob(self._client, name)
        for _ in range(_TRIES):
            try:
                found = blob.get_blob_properties()
                marks = dict(found.metadata)
                if marks.get("operation_id") != fence.operation_id:
                    raise Superseded
                if marks.get("source_etag") != source_etag:
                    blob.set_blob_metadata(
                        {**marks, "source_etag": source_etag},
                        etag=found.etag,
                        match_condition=MatchConditions.IfNotModified,
                    )
            except ResourceNotFoundError:
                break
            except ResourceModifiedError:
                continue  # another run adopts it too
            return
        raise Superseded

    def delete(self, name: str, fence: Fence) -> None:
        """Remove an output blob, whichever version's, while the document is ours. Raises Superseded."""
        blob = _blob(self._client, name)
        for _ in range(_TRIES):
            try:
                etag = blob.get_blob_properties().etag
                if not fence.still_ours():
                    raise Superseded
                blob.delete_blob(delete_snapshots="include", etag=etag, match_condition=MatchConditions.IfNotModified)
            except ResourceNotFoundError:
                return
            except ResourceModifiedError:
                continue
            return
        raise Superseded


_LOST = frozenset({"BlobAlreadyExists", "ConditionNotMet", "BlobNotFound", "ContainerNotFound", "InvalidBlockList"})
"""Refusals of a write that say what somebody else did, or nobody yet."""


class Upload:
    """An output blob that is being written: at once if it is small, else in blocks, of which one is held in memory.

    What is written is nowhere to be seen before ``commit``. The blocks of an upload that never came to that are the
    service's to remove, within a week; their ids keep them out of every other upload.
    """

    def __init__(
        self,
        client: ContainerClient,
        name: str,
        content_type: str,
        metadata: Mapping[str, str],
        fence: Fence,
        block_bytes: int,
    ) -> None:
        self._container = client
        self._blob = _blob(client, name)
        self._settings = ContentSettings(content_type=content_type)
        self._fence = fence
        self._marks = {**metadata, "source_etag": fence.source_etag, "operation_id": fence.operation_id}
        self._block_bytes = block_bytes
        self._held: list[bytes] = []
        self._size = 0
        self._blocks: list[BlobBlock] = []
        self._id = uuid.uuid4().hex
        self._in_blocks = False

    def write(self, data: bytes) -> None:
        """Add to the blob's content."""
        if self._held and self._size + len(data) > self._block_bytes:
            self._stage_held()
        self._held.append(data)
        self._size += len(data)

    def commit(self) -> str:
        """Make it the blob unless a newer version's is there. Returns the blob's ETag. Raises Superseded."""
        missing = {"match_condition": MatchConditions.IfMissing}
        condition: dict[str, Any] = missing
        for tries in range(1, _TRIES + 1):
            try:
                return self._write(condition)
            except HttpResponseError as error:
                refusal, code = error, error_code(error)
            if code not in _LOST or tries == _TRIES:
                raise refusal
            if code == "ContainerNotFound":
                self._create_container()
                continue
            try:
                found = self._blob.get_blob_properties()
            except ResourceNotFoundError:
                if code == "InvalidBlockList":
                    raise refusal from None
                # In Azurite, blocks that an upload left behind are a blob to If-None-Match, unless blocks come too.
                self._in_blocks = code == "BlobAlreadyExists"
                condition = missing
                continue
            if all(found.metadata.get(mark) == value for mark, value in self._marks.items()):
                return str(found.etag)  # an earlier run of this step wrote it, or this one did and was not told
            if not self._fence.still_ours():
                raise Superseded
            if code == "InvalidBlockList":  # whoever writes a blob discards the blocks of all others
                raise refusal
            condition = {"etag": found.etag, "match_condition": MatchConditions.IfNotModified}
        raise AssertionError("the last try returns or raises")

    def _write(self, condition: Mapping[str, Any]) -> str:
        described: dict[str, Any] = {"content_settings": self._settings, "metadata": self._marks, **condition}
        if not self._blocks and not self._in_blocks:
            return str(self._blob.upload_blob(b"".join(self._held), overwrite=True, **described)["etag"])
        if self._held:
            self._stage_held()
        return str(self._blob.commit_block_list(self._blocks, **described)["etag"])

    def _stage_held(self) -> None:
        block = b"".join(self._held)
        self._held, self._size = [], 0
        block_id = f"{self._id}-{len(self._blocks):05}"  # the ids of a blob's blocks are all of one length
        try:
            self._blob.stage_block(block_id, block)
        except ResourceNotFoundError as error:
            if error_code(error) != "ContainerNotFound":
                raise
            self._create_container()
            self._blob.stage_block(block_id, block)
        self._blocks.append(BlobBlock(block_id))

    def _create_container(self) -> None:
        with suppress(ResourceExistsError):
            self._container.create_container()


def _blob(client: ContainerClient, name: str) -> BlobClient:
    """A blob's client. A name that HTTP clients would resolve into another path gets none."""
    if is_unsafe(name):
        raise ValueError("a blob's name has a segment '.' or '..'")
    return client.get_blob_client(name)


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

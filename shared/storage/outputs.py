"""The output container: blobs that are written under a fence."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, ContainerClient, ContentSettings

from shared.storage.codes import error_code
from shared.storage.connection import blob_client
from shared.storage.fence import Fence, Superseded

_PIECE = 256 * 1024


_BLOCK_BYTES = 1024 * 1024
"""What one staged block of a large output brings. Several copies of it are in memory at a time, the SDK's among them;
larger ones were measured to leave holes in the heap that are held on to."""


_TRIES = 10
"""Rounds of a race that each loser may lose to a different winner."""


class Outputs:
    """The output container. It is made when it is first missing."""

    def __init__(self, client: ContainerClient, block_bytes: int = _BLOCK_BYTES) -> None:
        self._client = client
        self._block_bytes = block_bytes

    def put(self, name: str, content_type: str, metadata: Mapping[str, str], fence: Fence) -> "Upload":
        """Begin to write an output blob, which takes effect when it is committed."""
        return Upload(self._client, name, content_type, metadata, fence, self._block_bytes)

    def get(self, name: str, etag: str) -> Iterator[bytes]:
        """One version of an output blob, in blocks. Raises Superseded if another one has replaced it."""
        try:
            download = blob_client(self._client, name).download_blob(
                etag=etag, match_condition=MatchConditions.IfNotModified, decompress=False
            )
            for chunk in download.chunks():
                yield from (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE))
        except (ResourceModifiedError, ResourceNotFoundError):
            raise Superseded from None

    def adopt(self, name: str, fence: Fence, source_etag: str) -> None:
        """Mark an output blob as another version's. Raises Superseded if it is not the fence's operation's."""
        blob = blob_client(self._client, name)
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
        """Remove an output blob of any version, while the document is ours. Raises Superseded."""
        blob = blob_client(self._client, name)
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
"""Codes of a write that was refused because of what another writer did, or because the container is missing."""


class Upload:
    """An output blob that is being written: at once if it is small, else in blocks, one at a time in memory.

    Nothing of it is visible before ``commit``. The service removes the blocks of an upload that was never committed
    within a week; their ids keep them out of every other upload.
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
        self._blob = blob_client(client, name)
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
        """Write the blob, unless that of a newer version is there. Returns the blob's ETag. Raises Superseded."""
        missing = {"match_condition": MatchConditions.IfMissing}
        condition: dict[str, Any] = missing
        for tries in range(1, _TRIES + 1):
            try:
                return self._write(condition)
            except HttpResponseError as error:
                refusal, code = error, error_code(error)
            if code not in _LOST or tries == _TRIES:
                raise refusal
            # No container: the first document of all, or somebody deleted it.
            if code == "ContainerNotFound":
                self._create_container()
                continue
            try:
                found = self._blob.get_blob_properties()
            except ResourceNotFoundError:
                # Our blocks are gone, and so is the blob: another run committed it, which discards all other blocks,
                # and a newer version's run deleted it. The step begins anew, and finds whose row it is.
                if code == "InvalidBlockList":
                    raise refusal from None
                # Somebody had the blob at our write and has deleted it since: it is free. In Azurite, blocks that an
                # upload left behind are a blob to If-None-Match, unless blocks come too.
                self._in_blocks = code == "BlobAlreadyExists"
                condition = missing
                continue
            if all(found.metadata.get(mark) == value for mark, value in self._marks.items()):
                # Ours: this run's write arrived and its answer was lost, or a run of the same message came first.
                return str(found.etag)
            # A newer version's run has the row, and may have written the blob already.
            if not self._fence.still_ours():
                raise Superseded
            # An older version's slow run committed after we staged, which discards our blocks: a retry stages anew.
            if code == "InvalidBlockList":
                raise refusal
            # An older version's blob, from before or from a slow run: it is replaced, if nobody writes it meanwhile.
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

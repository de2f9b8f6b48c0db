"""The output container: blobs, which are written under a fence."""

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
"""The size of one staged block of a large output. Several copies of a block are in memory at a time, some of them the
SDK's. Larger blocks were measured to leave holes in the heap that the process keeps."""

_TRIES = 10
"""How often a write is tried again after another run was faster. Each time, it may be a different run."""


class Outputs:
    """The output container. It is created when a write finds it missing."""

    def __init__(self, client: ContainerClient, block_bytes: int = _BLOCK_BYTES) -> None:
        self._client = client
        self._block_bytes = block_bytes

    def put(self, name: str, content_type: str, metadata: Mapping[str, str], fence: Fence) -> "Upload":
        """Begin to write an output blob. It becomes visible when it is committed."""
        return Upload(self._client, name, content_type, metadata, fence, self._block_bytes)

    def get(self, name: str, etag: str) -> Iterator[bytes]:
        """One version of an output blob, in blocks. Raises Superseded if another version has replaced it."""
        try:
            download = blob_client(self._client, name).download_blob(
                etag=etag, match_condition=MatchConditions.IfNotModified, decompress=False
            )
            for chunk in download.chunks():
                yield from (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE))
        except (ResourceModifiedError, ResourceNotFoundError):
            raise Superseded from None

    def adopt(self, name: str, fence: Fence, source_etag: str) -> None:
        """Mark an output blob as a newer version's. Raises Superseded if it is another operation's than the fence's."""
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
                continue  # another run is adopting it too
            return
        raise Superseded

    def delete(self, name: str, fence: Fence) -> None:
        """Remove an output blob of any version, if the document has not moved on. Raises Superseded."""
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
"""Codes of a write that was refused because another writer was faster, or because the container is missing."""


class Upload:
    """An output blob that is being written: in one request if it is small, else in blocks, one in memory at a time.

    Nothing of it is visible before ``commit``. If it is never committed, the service removes its blocks within a week,
    and no other upload can contain them, since each upload has block ids of its own.
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
        """Write the blob. Returns its ETag. Raises Superseded if the blob of a newer version is there."""
        missing = {"match_condition": MatchConditions.IfMissing}
        condition: dict[str, Any] = missing
        for tries in range(1, _TRIES + 1):
            try:
                return self._write(condition)
            except HttpResponseError as error:
                refusal, code = error, error_code(error)
            if code not in _LOST or tries == _TRIES:
                raise refusal
            # There is no container: this is the app's first document, or somebody deleted the container.
            if code == "ContainerNotFound":
                self._create_container()
                continue
            try:
                found = self._blob.get_blob_properties()
            except ResourceNotFoundError:
                # This upload's blocks are gone, and there is no blob: another run committed it, which discards all
                # other blocks, and a newer version's run deleted it. The step begins anew, and reads the row.
                if code == "InvalidBlockList":
                    raise refusal from None
                # There was a blob when this run wrote, and it has been deleted since. In Azurite, If-None-Match also
                # counts uncommitted blocks of another upload as a blob, unless the new blob is written in blocks too.
                self._in_blocks = code == "BlobAlreadyExists"
                condition = missing
                continue
            if all(found.metadata.get(mark) == value for mark, value in self._marks.items()):
                # This run's write was carried out but its answer was lost, or a run of the same message came first.
                return str(found.etag)
            # The row belongs to a newer version, whose run may have written the blob already.
            if not self._fence.still_ours():
                raise Superseded
            # An older version's slow run has committed, which discards this upload's blocks: a retry stages them again.
            if code == "InvalidBlockList":
                raise refusal
            # It is an older version's blob, perhaps of a slow run: replace it, if nobody writes it meanwhile.
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
        block_id = f"{self._id}-{len(self._blocks):05}"  # all block ids of a blob must have the same length
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

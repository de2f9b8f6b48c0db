"""The blob service: the SDK's own clients, over dictionaries in memory instead of their HTTP layer.

So the cutting of uploads and downloads into requests, and the conditions that these carry, are the SDK's.
"""

import re
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import md5
from types import SimpleNamespace
from typing import Any, TypeVar, overload

from azure.storage.blob import (
    BlobClient,
    BlobProperties,
    BlobServiceClient,
    ContainerClient,
    ContainerProperties,
    StorageStreamDownloader,
)

from .account import TRANSPORT_OPTIONS, Account, code_units, refuse_unknown
from .clients import GeneratedLayer, derived
from .errors import answered, refused

T = TypeVar("T")
Cls = Callable[..., T]
"""What the SDK makes of an answer: called with the response, the deserialized body and the headers."""

MAX_NAME_LENGTH = 1024
MAX_PAGE = 5000
_METADATA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HARMLESS = TRANSPORT_OPTIONS | {
    "data_stream_total",
    "upload_stream_current",
    "download_stream_current",
    "use_location",
}


@dataclass(frozen=True, slots=True)
class Blob:
    """A committed block blob. A write makes a new one, so what is being read stays as it was."""

    content: bytes
    etag: str
    last_modified: datetime
    created: datetime
    metadata: dict[str, str]
    content_headers: dict[str, str | None]
    content_md5: bytearray | None
    """Of the content, if it came in one request; of blocks the service computes none."""
    tier: str
    blocks: dict[str, bytes]


@dataclass(slots=True)
class Container:
    """Blobs by name, their names in the service's order, and the blocks not committed yet, by name and id."""

    etag: str
    last_modified: datetime
    metadata: dict[str, str]
    blobs: dict[str, Blob] = field(default_factory=dict)
    order: list[tuple[bytes, str]] = field(default_factory=list)
    staged: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def put(self, name: str, blob: Blob) -> None:
        if name not in self.blobs:
            insort(self.order, (code_units(name), name))
        self.blobs[name] = blob

    def remove(self, name: str) -> None:
        del self.blobs[name]
        del self.order[bisect_left(self.order, (code_units(name), name))]


class BlobService:
    """The containers of an account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.containers: dict[str, Container] = {}

    def container(self, name: str) -> Container:
        container = self.containers.get(name)
        if container is None:
            raise refused("ContainerNotFound")
        return container

    def new_etag(self) -> str:
        return f'"0x{self.account.next_number():015X}"'


class ContainerOperations:
    """One container's part of the SDK's generated layer: a method a REST operation."""

    def __init__(self, service: BlobService, name: str) -> None:
        self._service = service
        self._name = name

    def _request(self, verb: str, effect: Callable[[], T], target: str = "") -> T:
        return self._service.account.request("blob", verb, f"{self._name}{target}", effect)

    def create(self, cls: Cls[T], headers: dict[str, str], **options: Any) -> T:
        refuse_unknown(options)

        def create() -> Container:
            if self._name in self._service.containers:
                raise refused("ContainerAlreadyExists")
            now = self._service.account.now_on_the_wire()
            container = Container(self._service.new_etag(), now, _metadata(headers))
            self._service.containers[self._name] = container
            return container

        container = self._request("create_container", create)
        return cls(answered(201), None, {"ETag": container.etag, "Last-Modified": container.last_modified})

    def get_properties(self, cls: Cls[T] | None = None, **options: Any) -> T | None:
        refuse_unknown(options)
        service = self._service
        container = self._request("get_container_properties", lambda: service.container(self._name))
        headers = {
            "ETag": container.etag,
            "Last-Modified": container.last_modified,
            "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available",
        }
        return cls(answered(200, _metadata_headers(container.metadata)), None, headers) if cls else None

    def list_blob_flat_segment(
        self,
        cls: Cls[T],
        prefix: str | None,
        marker: str | None,
        maxresults: int | None,
        include: list[str] | None,
        **options: Any,
    ) -> T:
        """A page of the blobs. What is only staged is not among them."""
        refuse_unknown(options, _HARMLESS)
        refuse_unknown(dict.fromkeys(set(include or []) - {"metadata"}, True))
        page_size = min(maxresults or MAX_PAGE, MAX_PAGE)

        def page() -> tuple[list[BlobProperties], str | None]:
            container = self._service.container(self._name)
            start = max(code_units(prefix or ""), code_units(marker or ""))
            items: list[BlobProperties] = []
            for at in range(bisect_left(container.order, (start, "")), len(container.order)):
                name = container.order[at][1]
                if not name.startswith(prefix or ""):
                    break
                if len(items) == page_size:
                    return items, name
                items.append(_listed(name, self._name, container.blobs[name], metadata="metadata" in (include or [])))
            return items, None

        items, next_marker = self._request("list_blobs", page, f"/{prefix or ''}*")
        segment = SimpleNamespace(
            service_endpoint=None,
            prefix=prefix,
            marker=marker,
            max_results=maxresults,
            container_name=self._name,
            segment=SimpleNamespace(blob_items=items),
            next_marker=next_marker,
        )
        return cls(answered(200), segment, {})


class BlobOperations:
    """One blob's part of the SDK's generated layer: a method a REST operation."""

    def __init__(self, service: BlobService, container: str, name: str) -> None:
        self._service = service
        self._container = container
        self._name = name

    def _request(self, verb: str, effect: Callable[[], T]) -> T:
        def checked() -> T:
            _check_name(self._name)
            return effect()

        return self._service.account.request("blob", verb, f"{self._container}/{self._name}", checked)

    def _read(self, conditions: Any) -> Blob:
        """The blob, for an operation that reads it.

        Of a blob that is not there no condition is looked at, as in Azure. Azurite says 412 to an If-Match
        (github.com/Azure/Azurite/issues/2751).
        """
        blob = self._service.container(self._container).blobs.get(self._name)
        if blob is None:
            raise refused("BlobNotFound")
        match, none_match = _conditions(conditions)
        if match not in (None, "*", _unquoted(blob.etag)):
            raise refused("ConditionNotMet")
        if none_match == "*":
            raise NotImplementedError("the in-memory storage does not imitate a read of what must be missing")
        if none_match == _unquoted(blob.etag):
            raise refused("ConditionNotMet", 304)
        return blob

    def _written(self, conditions: Any, *, creates: bool) -> Blob | None:
        """The blob, for an operation that writes it, in the order in which the service checks.

        If-Match fails for a blob that is not there with 412, not 404.
        """
        blob = self._service.container(self._container).blobs.get(self._name)
        match, none_match = _conditions(conditions)
        if none_match is not None:
            if blob is not None and none_match == _unquoted(blob.etag):
                raise refused("ConditionNotMet")
            if none_match == "*" and not creates:
                raise NotImplementedError("the in-memory storage imitates If-None-Match: * for creations only")
            if none_match == "*" and blob is not None:
                raise refused("BlobAlreadyExists")
        elif match is not None and (blob is None or match not in ("*", _unquoted(blob.etag))):
            raise refused("ConditionNotMet")
        if blob is None and not creates:
            raise refused("BlobNotFound")
        return blob

    def _put(self, blob: Blob) -> Blob:
        container = self._service.container(self._container)
        container.staged.pop(self._name, None)  # in Azure; Azurite keeps what is staged when a blob is put
        container.put(self._name, blob)
        return blob

    def download(
        self,
        cls: Cls[T],
        range: str | None = None,
        modified_access_conditions: Any = None,
        **options: Any,  # noqa: A002
    ) -> T:
        refuse_unknown(options, _HARMLESS)

        def get() -> tuple[Blob, int, int]:
            blob = self._read(modified_access_conditions)
            if blob.tier == "Archive":
                raise refused("BlobArchived")
            start, end = _range(range, len(blob.content))
            return blob, start, end

        blob, start, end = self._request("get_blob", get)
        body = _Body([blob.content[start:end]])
        headers = _headers(blob)
        headers["Content-Length"] = body.content_length = end - start
        if range is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(blob.content)}"
            headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
        # The generated layer reads no tier from this answer, even where the service sends one.
        return cls(answered(200, _metadata_headers(blob.metadata)), body, headers)

    def get_properties(
        self, cls: Cls[T] | None = None, modified_access_conditions: Any = None, **options: Any
    ) -> T | None:
        refuse_unknown(options)
        blob = self._request("get_blob_properties", lambda: self._read(modified_access_conditions))
        headers = _headers(blob) | {"x-ms-access-tier": blob.tier}
        return cls(answered(200, _metadata_headers(blob.metadata)), None, headers) if cls else None

    def set_metadata(
        self, cls: Cls[T], headers: dict[str, str], modified_access_conditions: Any = None, **options: Any
    ) -> T:
        refuse_unknown(options)

        def set_metadata() -> Blob:
            blob = self._written(modified_access_conditions, creates=False)
            assert blob is not None
            now = self._service.account.now_on_the_wire()
            changed = replace(blob, metadata=_metadata(headers), etag=self._service.new_etag(), last_modified=now)
            self._service.container(self._container).put(self._name, changed)
            return changed

        return self._answer(cls, self._request("set_blob_metadata", set_metadata))

    def set_tier(self, tier: str, modified_access_conditions: Any = None, **options: Any) -> None:
        """Change the access tier, which leaves the ETag as it was."""
        refuse_unknown(options)

        def set_tier() -> None:
            blob = self._written(modified_access_conditions, creates=False)
            assert blob is not None
            self._service.container(self._container).put(self._name, replace(blob, tier=str(tier)))

        self._request("set_blob_tier", set_tier)

    def delete(self, delete_snapshots: str | None, modified_access_conditions: Any = None, **options: Any) -> None:
        refuse_unknown(options)
        if delete_snapshots not in (None, "include"):
            raise NotImplementedError("the in-memory storage has no snapshots")

        def delete() -> None:
            self._written(modified_access_conditions, creates=False)
            self._service.container(self._container).remove(self._name)

        self._request("delete_blob", delete)

    def upload(
        self,
        cls: Cls[T],
        body: bytes,
        content_length: int,
        headers: dict[str, str],
        blob_http_headers: Any = None,
        modified_access_conditions: Any = None,
        tier: str | None = None,
        **options: Any,
    ) -> T:
        """Put a whole blob."""
        refuse_unknown(options, _HARMLESS)
        assert len(body) == content_length

        def put() -> Blob:
            blob = self._written(modified_access_conditions, creates=True)
            if blob is not None and blob.tier == "Archive":
                raise refused("BlobArchived")
            digest = bytearray(md5(body, usedforsecurity=False).digest())
            return self._put(self._blob(body, headers, blob_http_headers, digest, tier, {}))

        blob = self._request("put_blob", put)
        return self._answer(cls, blob, blob.content_md5)

    def stage_block(
        self, block_id: str, content_length: int, body: Any, cls: Cls[T] | None = None, **options: Any
    ) -> T | None:
        """Upload a block. It takes no condition, and shows only once it is committed."""
        refuse_unknown({**options, "modified_access_conditions": None, "headers": None}, _HARMLESS)
        content = body if isinstance(body, bytes) else body.read(content_length)

        def stage() -> None:
            staged = self._service.container(self._container).staged.setdefault(self._name, {})
            if any(len(other) != len(block_id) for other in staged):
                raise refused("InvalidBlobOrBlock")
            staged[block_id] = content

        self._request("put_block", stage)
        return cls(answered(201), None, {"Content-MD5": None, "x-ms-request-server-encrypted": True}) if cls else None

    def commit_block_list(
        self,
        blocks: Any,
        cls: Cls[T],
        headers: dict[str, str],
        blob_http_headers: Any = None,
        modified_access_conditions: Any = None,
        tier: str | None = None,
        **options: Any,
    ) -> T:
        refuse_unknown(options, _HARMLESS)

        def commit() -> Blob:
            blob = self._written(modified_access_conditions, creates=True)
            staged = self._service.container(self._container).staged.get(self._name, {})
            chosen = _chosen(blocks, staged, blob.blocks if blob else {})
            content = b"".join(block for _, block in chosen)
            stored_md5 = blob_http_headers.blob_content_md5 if blob_http_headers else None
            return self._put(self._blob(content, headers, blob_http_headers, stored_md5, tier, dict(chosen)))

        blob = self._request("put_block_list", commit)
        # The MD5 in this answer is that of the request, a list of ids: it says nothing of the content.
        request_md5 = md5("".join(blob.blocks).encode(), usedforsecurity=False)
        return self._answer(cls, blob, bytearray(request_md5.digest()))

    def _blob(
        self,
        content: bytes,
        headers: dict[str, str],
        http_headers: Any,
        content_md5: bytearray | None,
        tier: str | None,
        blocks: dict[str, bytes],
    ) -> Blob:
        now = self._service.account.now_on_the_wire()
        given = {name: getattr(http_headers, field, None) for name, field in _CONTENT_HEADERS.items()}
        return Blob(
            content=content,
            etag=self._service.new_etag(),
            last_modified=now,
            created=now,
            metadata=_metadata(headers),
            content_headers=given | {"Content-Type": given["Content-Type"] or "application/octet-stream"},
            content_md5=content_md5,
            tier=tier or "Hot",
            blocks=blocks,
        )

    def _answer(self, cls: Cls[T], blob: Blob, content_md5: bytearray | None = None) -> T:
        """What the client makes of the answer to a write."""
        headers = {
            "ETag": blob.etag,
            "Last-Modified": blob.last_modified,
            "Content-MD5": content_md5,
            "x-ms-request-server-encrypted": True,
        }
        return cls(answered(201), None, headers)


class _Body(list[bytes]):
    """A downloaded body, as the SDK's downloader takes it."""

    content_length: int
    properties: BlobProperties
    response = SimpleNamespace(headers={})


_CONTENT_HEADERS = {
    "Content-Type": "blob_content_type",
    "Content-Encoding": "blob_content_encoding",
    "Content-Language": "blob_content_language",
    "Content-Disposition": "blob_content_disposition",
    "Cache-Control": "blob_cache_control",
}


def _headers(blob: Blob) -> dict[str, Any]:
    """The headers of an answer that describes a blob, as the generated layer deserializes them."""
    return blob.content_headers | {
        "Content-Length": len(blob.content),
        "Content-MD5": blob.content_md5,
        "ETag": blob.etag,
        "Last-Modified": blob.last_modified,
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": blob.created,
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": True,
    }


def _listed(name: str, container: str, blob: Blob, *, metadata: bool) -> BlobProperties:
    """A blob in a listing. Here alone, the ETag has no quotes (github.com/Azure/azure-sdk-for-net/issues/16920)."""
    listed = BlobProperties(
        name=name, metadata=blob.metadata if metadata else {}, **_headers(blob), **{"x-ms-access-tier": blob.tier}
    )
    listed.container = container
    listed.etag = _unquoted(blob.etag)
    return listed


def _chosen(blocks: Any, staged: dict[str, bytes], committed: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """The blocks of a list, in the order in which the SDK writes them: by where they are looked for."""
    chosen = []
    for ids, places in (
        (blocks.committed, (committed,)),
        (blocks.uncommitted, (staged,)),
        (blocks.latest, (staged, committed)),
    ):
        for block_id in ids or []:
            found = next((place[block_id] for place in places if block_id in place), None)
            if found is None:
                raise refused("InvalidBlockList")
            chosen.append((block_id, found))
    return chosen


def _range(header: str | None, size: int) -> tuple[int, int]:
    """The first byte wanted and the one behind the last.

    Azurite answers a range that starts just behind the end with no bytes; Azure refuses it.
    """
    if header is None:
        return 0, size
    first, last = header.removeprefix("bytes=").split("-")
    if int(first) >= size:
        raise refused("InvalidRange")
    return int(first), min(int(last) + 1, size) if last else size


def _conditions(conditions: Any) -> tuple[str | None, str | None]:
    """If-Match and If-None-Match. Both are taken with quotes or without."""
    if conditions is None:
        return None, None
    refuse_unknown(
        {name: getattr(conditions, name) for name in ("if_modified_since", "if_unmodified_since", "if_tags")}
    )
    return _unquoted(conditions.if_match), _unquoted(conditions.if_none_match)


@overload
def _unquoted(etag: str) -> str: ...


@overload
def _unquoted(etag: str | None) -> str | None: ...


def _unquoted(etag: str | None) -> str | None:
    return etag.strip('"') if etag else None


def _metadata(headers: dict[str, str]) -> dict[str, str]:
    """The metadata that a request sets.

    Raises:
        UnicodeEncodeError: it is not Latin-1, so that no request could carry it.
    """
    metadata = {name.removeprefix("x-ms-meta-"): value for name, value in headers.items() if "x-ms-meta-" in name}
    for name, value in metadata.items():
        name.encode("ascii")
        value.encode("latin-1")
        if not _METADATA_NAME.fullmatch(name):
            raise refused("InvalidMetadata")
    return metadata


def _metadata_headers(metadata: dict[str, str]) -> dict[str, str]:
    return {f"x-ms-meta-{name}": value for name, value in metadata.items()}


def _check_name(name: str) -> None:
    """Refuse a blob name that no request can carry to its blob.

    The HTTP client resolves `.` and `..` before it sends, so that the signature is not that of the path; under
    a SAS, which signs no path, such a name would reach another blob.
    """
    if {".", ".."} & set(name.split("/")):
        raise refused("AuthorizationFailure")
    if len(name) > MAX_NAME_LENGTH:
        raise refused("OutOfRangeInput")  # in Azure; Azurite takes any length


@lru_cache
def _prototype(**sizes: int) -> BlobServiceClient:
    options: dict[str, Any] = {**sizes}
    return BlobServiceClient("https://memory.blob.core.windows.net", credential="a2V5", **options)


class MemoryBlobServiceClient(BlobServiceClient):
    """The SDK's client of the blob service, whose clients of containers and blobs speak to the account in memory."""

    _service: BlobService

    @classmethod
    def of(cls, service: BlobService, **sizes: int) -> "MemoryBlobServiceClient":
        """With `max_single_get_size`, `max_chunk_get_size`, `max_single_put_size`, `max_block_size`, in bytes."""
        return derived(cls, _prototype(**sizes), _service=service, _client=GeneratedLayer())

    def get_container_client(self, container: ContainerProperties | str) -> ContainerClient:
        name = container if isinstance(container, str) else container.name
        operations = ContainerOperations(self._service, name)
        return derived(
            _MemoryContainerClient,
            self,
            container_name=name,
            _of=self,
            _client=GeneratedLayer(container=operations),
        )

    def get_blob_client(
        self, container: ContainerProperties | str, blob: str, snapshot: Any = None, *, version_id: str | None = None
    ) -> BlobClient:
        refuse_unknown({"snapshot": snapshot, "version_id": version_id})
        name = container if isinstance(container, str) else container.name
        # Both Azure and Azurite read a backslash as a slash.
        operations = BlobOperations(self._service, name, blob.replace("\\", "/"))
        return derived(
            _MemoryBlobClient,
            self,
            container_name=name,
            blob_name=blob,
            snapshot=None,
            version_id=None,
            _client=GeneratedLayer(blob=operations, block_blob=operations),
        )


class _MemoryContainerClient(ContainerClient):
    _of: MemoryBlobServiceClient

    def get_blob_client(self, blob: str, snapshot: str | None = None, *, version_id: str | None = None) -> BlobClient:
        return self._of.get_blob_client(self.container_name, blob, snapshot, version_id=version_id)


class _MemoryBlobClient(BlobClient):
    """One request at a time, whatever is asked for, so that runs replay."""

    def download_blob(self, *args: Any, **options: Any) -> StorageStreamDownloader[Any]:
        return super().download_blob(*args, **{**options, "max_concurrency": 1})

    def upload_blob(self, *args: Any, **options: Any) -> dict[str, Any]:
        return super().upload_blob(*args, **{**options, "max_concurrency": 1})

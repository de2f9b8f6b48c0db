"""The SDK's own clients of the blob service, with the operations below in place of their generated HTTP layer.

So it is the SDK's own code that cuts uploads and downloads into requests, sets their conditions, and handles errors.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import md5
from types import SimpleNamespace
from typing import Any, TypeVar

from azure.storage.blob import (
    BlobClient,
    BlobProperties,
    BlobServiceClient,
    ContainerClient,
    ContainerProperties,
    StorageStreamDownloader,
)

from .account import TRANSPORT_OPTIONS, refuse_unknown
from .blobs import Attributes, Blob, BlobService, Conditions
from .clients import GeneratedLayer, derived
from .errors import answered

T = TypeVar("T")
Cls = Callable[..., T]
"""What the SDK makes of an answer: called with the response, the deserialized body and the headers."""

MAX_PAGE = 5000
_HARMLESS = TRANSPORT_OPTIONS | {
    "data_stream_total",
    "download_stream_current",
    "upload_stream_current",
    "use_location",
}
_CONTENT_HEADERS = {
    "Content-Type": "blob_content_type",
    "Content-Encoding": "blob_content_encoding",
    "Content-Language": "blob_content_language",
    "Content-Disposition": "blob_content_disposition",
    "Cache-Control": "blob_cache_control",
}


class ContainerOperations:
    """The generated layer of one container: one method per REST operation."""

    def __init__(self, service: BlobService, container: str) -> None:
        self._service = service
        self._container = container

    def _request(self, verb: str, effect: Callable[[], T], within: str = "") -> T:
        return self._service.account.request("blob", verb, self._container + within, effect)

    def create(self, cls: Cls[T], headers: Mapping[str, str], **options: Any) -> T:
        refuse_unknown(options)
        create = self._service.create_container
        container = self._request("create_container", lambda: create(self._container, _metadata(headers)))
        return cls(answered(201), None, {"ETag": container.etag, "Last-Modified": container.last_modified})

    def get_properties(self, cls: Cls[T | None] = lambda *_: None, **options: Any) -> T | None:
        refuse_unknown(options)
        container = self._request("get_container_properties", lambda: self._service.container(self._container))
        headers = {"ETag": container.etag, "Last-Modified": container.last_modified, **_NOT_LEASED}
        return cls(answered(200, _metadata_headers(container.metadata)), None, headers)

    def list_blob_flat_segment(
        self,
        cls: Cls[T],
        prefix: str | None,
        marker: str | None,
        maxresults: int | None,
        include: list[str] | None,
        **options: Any,
    ) -> T:
        """A page of the container's blobs, without those that have staged blocks and no committed one."""
        refuse_unknown(options, _HARMLESS)
        refuse_unknown({"include": set(include or []) - {"metadata"} or None})
        size = min(maxresults or MAX_PAGE, MAX_PAGE)
        blobs, next_marker = self._request(
            "list_blobs",
            lambda: self._service.container(self._container).page(prefix or "", marker or "", size),
            f"/{prefix or ''}*",
        )
        page = SimpleNamespace(
            service_endpoint=None,
            prefix=prefix,
            marker=marker,
            max_results=maxresults,
            container_name=self._container,
            segment=SimpleNamespace(blob_items=[self._listed(*blob, include or []) for blob in blobs]),
            next_marker=next_marker,
        )
        return cls(answered(200), page, {})

    def _listed(self, name: str, blob: Blob, include: list[str]) -> BlobProperties:
        """Only in a listing, the ETag has no quotes (github.com/Azure/azure-sdk-for-net/issues/16920)."""
        metadata = dict(blob.attributes.metadata) if "metadata" in include else {}
        listed = BlobProperties(name=name, metadata=metadata, **_headers(blob), **{"x-ms-access-tier": blob.tier})
        listed.container = self._container
        listed.etag = blob.etag.strip('"')
        return listed


class BlobOperations:
    """The generated layer of one blob: one method per REST operation."""

    def __init__(self, service: BlobService, container: str, name: str) -> None:
        self._service = service
        self._path = container, name

    def _request(self, verb: str, effect: Callable[[], T]) -> T:
        return self._service.account.request("blob", verb, "/".join(self._path), effect)

    def download(self, cls: Cls[T], range: str | None = None, **options: Any) -> T:  # noqa: A002 - the SDK's name
        conditions = _conditions(options)
        blob, start, end = self._request("get_blob", lambda: self._service.get(*self._path, conditions, range))
        body = _Body([blob.content[start:end]])
        headers = _headers(blob)
        headers["Content-Length"] = body.content_length = end - start
        if range is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(blob.content)}"
            headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
        # The service sends the access tier, but the SDK's layer drops it here.
        return cls(answered(200, _metadata_headers(blob.attributes.metadata)), body, headers)

    def get_properties(self, cls: Cls[T | None] = lambda *_: None, **options: Any) -> T | None:
        conditions = _conditions(options)
        blob = self._request("get_blob_properties", lambda: self._service.properties(*self._path, conditions))
        headers = {**_headers(blob), "x-ms-access-tier": blob.tier}
        return cls(answered(200, _metadata_headers(blob.attributes.metadata)), None, headers)

    def set_metadata(self, cls: Cls[T], headers: Mapping[str, str], **options: Any) -> T:
        conditions, metadata = _conditions(options), _metadata(headers)
        set_metadata = self._service.set_metadata
        return _written(
            cls, self._request("set_blob_metadata", lambda: set_metadata(*self._path, metadata, conditions))
        )

    def set_tier(self, tier: str, **options: Any) -> None:
        conditions = _conditions(options)
        self._request("set_blob_tier", lambda: self._service.set_tier(*self._path, str(tier), conditions))

    def delete(self, delete_snapshots: str | None, **options: Any) -> None:
        refuse_unknown({"delete_snapshots": delete_snapshots if delete_snapshots != "include" else None})
        conditions = _conditions(options)
        self._request("delete_blob", lambda: self._service.delete(*self._path, conditions))

    def upload(
        self,
        cls: Cls[T],
        body: bytes,
        content_length: int,
        headers: Mapping[str, str],
        blob_http_headers: Any = None,
        tier: str | None = None,
        **options: Any,
    ) -> T:
        """Put a whole blob; the service computes its MD5."""
        conditions = _conditions(options)
        refuse_unknown({"content_md5": blob_http_headers and blob_http_headers.blob_content_md5})
        if len(body) != content_length:
            raise NotImplementedError("the in-memory storage does not imitate a body of another length than announced")
        content_md5 = bytearray(md5(body, usedforsecurity=False).digest())
        attributes = Attributes(_metadata(headers), _content_headers(blob_http_headers), content_md5, tier)
        put = self._service.put
        blob = self._request("put_blob", lambda: put(*self._path, body, attributes, conditions))
        return _written(cls, blob, content_md5)

    def stage_block(
        self, block_id: str, content_length: int, body: Any, cls: Cls[T | None] = lambda *_: None, **options: Any
    ) -> T | None:
        """Upload a block, without conditions: those of an upload in blocks are checked when it is committed."""
        refuse_unknown(options, _HARMLESS | {"headers", "modified_access_conditions"})
        block = body if isinstance(body, bytes) else body.read(content_length)
        self._request("put_block", lambda: self._service.stage(*self._path, block_id, block))
        return cls(answered(201), None, {"Content-MD5": None})

    def commit_block_list(
        self,
        blocks: Any,
        cls: Cls[T],
        headers: Mapping[str, str],
        blob_http_headers: Any = None,
        tier: str | None = None,
        **options: Any,
    ) -> T:
        """Make a blob from blocks. Its MD5 is what the request says; the service computes none."""
        conditions = _conditions(options)
        kinds = ("committed", "uncommitted", "latest")
        block_ids = [(kind, block_id) for kind in kinds for block_id in getattr(blocks, kind) or ()]
        content_md5 = blob_http_headers.blob_content_md5 if blob_http_headers else None
        attributes = Attributes(_metadata(headers), _content_headers(blob_http_headers), content_md5, tier)
        commit = self._service.commit
        blob = self._request("put_block_list", lambda: commit(*self._path, block_ids, attributes, conditions))
        # The MD5 in this answer is that of the request's body, the list of blocks.
        return _written(cls, blob, bytearray(md5(repr(block_ids).encode(), usedforsecurity=False).digest()))


class _Body(list[bytes]):
    """A downloaded body, as the SDK's downloader takes it."""

    content_length: int
    properties: BlobProperties
    response = SimpleNamespace(headers={})


_NOT_LEASED = {"x-ms-lease-status": "unlocked", "x-ms-lease-state": "available"}


def _headers(blob: Blob) -> dict[str, Any]:
    """The headers of an answer that describes a blob, as the generated layer deserializes them."""
    return {
        **blob.attributes.content_headers,
        **_NOT_LEASED,
        "Content-Length": len(blob.content),
        "Content-MD5": blob.attributes.content_md5,
        "ETag": blob.etag,
        "Last-Modified": blob.last_modified,
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": blob.created,
        "x-ms-server-encrypted": True,
    }


def _written(cls: Cls[T], blob: Blob, content_md5: bytearray | None = None) -> T:
    """What the SDK makes of the answer to a write."""
    headers = {"ETag": blob.etag, "Last-Modified": blob.last_modified, "Content-MD5": content_md5}
    return cls(answered(201), None, headers)


def _conditions(options: dict[str, Any]) -> Conditions:
    """The conditions among the options of a call. Other options that would change its effect are refused."""
    given = options.pop("modified_access_conditions", None)
    refuse_unknown(options, _HARMLESS)
    if given is None:
        return Conditions()
    refuse_unknown({name: getattr(given, name) for name in ("if_modified_since", "if_unmodified_since", "if_tags")})
    return Conditions(*(etag and etag.strip('"') for etag in (given.if_match, given.if_none_match)))


def _metadata(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.removeprefix("x-ms-meta-"): value for name, value in headers.items() if "x-ms-meta-" in name}


def _metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    return {f"x-ms-meta-{name}": value for name, value in metadata.items()}


def _content_headers(blob_http_headers: Any) -> dict[str, str | None]:
    given = {name: getattr(blob_http_headers, field, None) for name, field in _CONTENT_HEADERS.items()}
    return {**given, "Content-Type": given["Content-Type"] or "application/octet-stream"}


@lru_cache
def _prototype(**sizes: Any) -> BlobServiceClient:
    return BlobServiceClient("https://memory.blob.core.windows.net", credential="a2V5", **sizes)


class MemoryBlobServiceClient(BlobServiceClient):
    """Gives clients of containers and blobs that speak to the account in memory."""

    _service: BlobService

    @classmethod
    def of(cls, service: BlobService, **sizes: int) -> "MemoryBlobServiceClient":
        return derived(cls, _prototype(**sizes), _service=service, _client=GeneratedLayer())

    def get_container_client(self, container: ContainerProperties | str) -> ContainerClient:
        name = container if isinstance(container, str) else container.name
        layer = GeneratedLayer(container=ContainerOperations(self._service, name))
        return derived(_MemoryContainerClient, self, container_name=name, _blobs=self, _client=layer)

    def get_blob_client(
        self, container: ContainerProperties | str, blob: str, snapshot: Any = None, *, version_id: str | None = None
    ) -> BlobClient:
        refuse_unknown({"snapshot": snapshot, "version_id": version_id})
        name = container if isinstance(container, str) else container.name
        operations = BlobOperations(self._service, name, blob.replace("\\", "/"))  # as both Azure and Azurite read it
        names = {"container_name": name, "blob_name": blob, "snapshot": None, "version_id": None}
        layer = GeneratedLayer(blob=operations, block_blob=operations)
        return derived(_MemoryBlobClient, self, _client=layer, **names)


class _MemoryContainerClient(ContainerClient):
    _blobs: MemoryBlobServiceClient

    def get_blob_client(self, blob: str, snapshot: str | None = None, *, version_id: str | None = None) -> BlobClient:
        return self._blobs.get_blob_client(self.container_name, blob, snapshot, version_id=version_id)


class _MemoryBlobClient(BlobClient):
    """Sends one request at a time, whatever concurrency is requested, so that runs are repeatable."""

    def download_blob(self, *args: Any, **options: Any) -> StorageStreamDownloader[Any]:
        return super().download_blob(*args, **{**options, "max_concurrency": 1})

    def upload_blob(self, *args: Any, **options: Any) -> dict[str, Any]:
        return super().upload_blob(*args, **{**options, "max_concurrency": 1})

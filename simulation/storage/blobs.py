"""The blob service: containers, block blobs, conditions."""

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, overload

from .account import Account, code_units
from .errors import Refusal

MAX_NAME_LENGTH = 1024
_METADATA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Conditions(NamedTuple):
    """If-Match and If-None-Match of a request, with or without quotes."""

    match: str | None = None
    none_match: str | None = None


class Attributes(NamedTuple):
    """What a write sets besides the content. A blob loses what the write does not set."""

    metadata: Mapping[str, str]
    content_headers: Mapping[str, str | None]
    content_md5: bytearray | None
    tier: str | None


@dataclass(frozen=True, slots=True)
class Blob:
    """A committed block blob. A write creates a new one, so readers of the old one see it unchanged."""

    content: bytes
    attributes: Attributes
    blocks: Mapping[str, bytes]
    etag: str
    created: datetime
    last_modified: datetime

    @property
    def tier(self) -> str:
        return self.attributes.tier or "Hot"


@dataclass(slots=True)
class Container:
    """Blobs by name, their names in the service's order, and by name and id the blocks that are not committed yet."""

    metadata: Mapping[str, str]
    etag: str
    last_modified: datetime
    blobs: dict[str, Blob] = field(default_factory=dict)
    order: list[tuple[bytes, str]] = field(default_factory=list)
    staged: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def put(self, name: str, blob: Blob) -> Blob:
        if name not in self.blobs:
            insort(self.order, (code_units(name), name))
        self.blobs[name] = blob
        return blob

    def remove(self, name: str) -> None:
        del self.blobs[name]
        del self.order[bisect_left(self.order, (code_units(name), name))]

    def page(self, prefix: str, marker: str, size: int) -> tuple[list[tuple[str, Blob]], str | None]:
        """Up to `size` blobs whose names start with `prefix`, from `marker` on, and the name of the next, if any."""
        start = max(code_units(prefix), code_units(marker))
        found: list[tuple[str, Blob]] = []
        for at in range(bisect_left(self.order, (start, "")), len(self.order)):
            name = self.order[at][1]
            if not name.startswith(prefix):
                break
            if len(found) == size:
                return found, name
            found.append((name, self.blobs[name]))
        return found, None


class BlobService:
    """The containers of an account, and what the service does to their blobs."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._containers: dict[str, Container] = {}

    def create_container(self, name: str, metadata: Mapping[str, str]) -> Container:
        if name in self._containers:
            raise Refusal("ContainerAlreadyExists")
        container = Container(checked_metadata(metadata), self._new_etag(), self.account.now_on_the_wire())
        self._containers[name] = container
        return container

    def container(self, name: str) -> Container:
        if name not in self._containers:
            raise Refusal("ContainerNotFound")
        return self._containers[name]

    def blobs_in(self, container: str) -> dict[str, Blob]:
        return dict(self._containers[container].blobs) if container in self._containers else {}

    def properties(self, container: str, name: str, conditions: Conditions) -> Blob:
        """The blob, if the conditions of a read hold.

        Azure checks no condition where there is no blob; Azurite says 412 to If-Match
        (github.com/Azure/Azurite/issues/2751).
        """
        blob = self._container_for(container, name).blobs.get(name)
        if blob is None:
            raise Refusal("BlobNotFound")
        if conditions.match not in (None, "*", _unquoted(blob.etag)):
            raise Refusal("ConditionNotMet")
        if conditions.none_match == "*":
            raise NotImplementedError("the in-memory storage does not imitate a read on If-None-Match: *")
        if conditions.none_match == _unquoted(blob.etag):
            raise Refusal("ConditionNotMet", status=304)
        return blob

    def get(self, container: str, name: str, conditions: Conditions, header: str | None) -> tuple[Blob, int, int]:
        """The blob, and the start and end of a Range header's range in it."""
        blob = self.properties(container, name, conditions)
        if blob.tier == "Archive":
            raise Refusal("BlobArchived")
        return blob, *_range(header, len(blob.content))

    def put(self, container: str, name: str, content: bytes, attributes: Attributes, conditions: Conditions) -> Blob:
        blob = self._writable(container, name, conditions, creates=True)
        if blob is not None and blob.tier == "Archive":
            raise Refusal("BlobArchived")
        return self._put(container, name, content, attributes, {})

    def stage(self, container: str, name: str, block_id: str, block: bytes) -> None:
        """Keep a block until it is committed. The ids of a blob's blocks all have the same length."""
        staged = self._container_for(container, name).staged.setdefault(name, {})
        if any(len(other) != len(block_id) for other in staged):
            raise Refusal("InvalidBlobOrBlock")
        staged[block_id] = block

    def commit(
        self,
        container: str,
        name: str,
        block_ids: Iterable[tuple[str, str]],
        attributes: Attributes,
        conditions: Conditions,
    ) -> Blob:
        """Make a blob from blocks, each given by its list (committed, uncommitted, latest) and its id."""
        blob = self._writable(container, name, conditions, creates=True)
        committed = blob.blocks if blob else {}
        staged = self._container_for(container, name).staged.get(name, {})
        places = {"committed": (committed,), "uncommitted": (staged,), "latest": (staged, committed)}
        chosen = []
        for kind, block_id in block_ids:
            block = next((place[block_id] for place in places[kind] if block_id in place), None)
            if block is None:
                raise Refusal("InvalidBlockList")
            chosen.append((block_id, block))
        return self._put(container, name, b"".join(block for _, block in chosen), attributes, dict(chosen))

    def set_metadata(self, container: str, name: str, metadata: Mapping[str, str], conditions: Conditions) -> Blob:
        blob = self._writable(container, name, conditions)
        changed = replace(
            blob,
            attributes=blob.attributes._replace(metadata=checked_metadata(metadata)),
            etag=self._new_etag(),
            last_modified=self.account.now_on_the_wire(),
        )
        return self.container(container).put(name, changed)

    def set_tier(self, container: str, name: str, tier: str, conditions: Conditions) -> None:
        """Change the access tier. The ETag stays."""
        blob = self._writable(container, name, conditions)
        self.container(container).put(name, replace(blob, attributes=blob.attributes._replace(tier=tier)))

    def delete(self, container: str, name: str, conditions: Conditions) -> None:
        self._writable(container, name, conditions)
        self.container(container).remove(name)

    def _container_for(self, container: str, name: str) -> Container:
        """The container, if `name` can be a blob's in it.

        `.` and `..` are resolved before a request is sent, so that its signature is not that of its path; under a SAS,
        which signs no path, such a name would reach another blob.
        """
        if {".", ".."} & set(name.split("/")):
            raise Refusal("AuthorizationFailure")
        if len(name) > MAX_NAME_LENGTH:
            raise Refusal("OutOfRangeInput")  # in Azure; Azurite takes any length
        return self.container(container)

    @overload
    def _writable(self, container: str, name: str, conditions: Conditions) -> Blob: ...

    @overload
    def _writable(self, container: str, name: str, conditions: Conditions, *, creates: bool) -> Blob | None: ...

    def _writable(self, container: str, name: str, conditions: Conditions, *, creates: bool = False) -> Blob | None:
        """The blob to be written, or None if a new one may be created.

        If-Match of a missing blob fails with 412, not 404 (github.com/Azure/Azurite/issues/337, for creations).
        """
        blob = self._container_for(container, name).blobs.get(name)
        etag = _unquoted(blob.etag) if blob else None
        if conditions.none_match == "*" and not creates:
            raise NotImplementedError("the in-memory storage imitates If-None-Match: * only where a blob is created")
        if conditions.none_match == "*" and blob is not None:
            raise Refusal("BlobAlreadyExists")
        if conditions.none_match is not None and conditions.none_match == etag:
            raise Refusal("ConditionNotMet")
        if conditions.match is not None and (blob is None or conditions.match not in ("*", etag)):
            raise Refusal("ConditionNotMet")
        if blob is None and not creates:
            raise Refusal("BlobNotFound")
        return blob

    def _put(
        self, container: str, name: str, content: bytes, attributes: Attributes, blocks: Mapping[str, bytes]
    ) -> Blob:
        checked = attributes._replace(metadata=checked_metadata(attributes.metadata))
        stored, now = self.container(container), self.account.now_on_the_wire()
        stored.staged.pop(name, None)  # in Azure; in Azurite, blocks outlive a blob that is put whole
        return stored.put(name, Blob(content, checked, blocks, self._new_etag(), created=now, last_modified=now))

    def _new_etag(self) -> str:
        return f'"0x{self.account.next_number():015X}"'


def checked_metadata(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """`metadata`, if the service accepts its names and a request can carry its values.

    Raises:
        UnicodeEncodeError: as the HTTP client does.
    """
    for name, value in metadata.items():
        name.encode("ascii")
        value.encode("latin-1")
        if not _METADATA_NAME.fullmatch(name):
            raise Refusal("InvalidMetadata")
    return metadata


def _range(header: str | None, size: int) -> tuple[int, int]:
    """The offset of the first byte, and the offset after the last.

    Azurite returns no bytes for a range that starts just beyond the end; Azure refuses it.
    """
    if header is None:
        return 0, size
    first, last = header.removeprefix("bytes=").split("-")
    if int(first) >= size:
        raise Refusal("InvalidRange")
    return int(first), min(int(last) + 1, size) if last else size


def _unquoted(etag: str) -> str:
    return etag.strip('"')

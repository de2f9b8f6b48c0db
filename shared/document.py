"""The document: one row a file in the documents table, its keys, and its worklist entry."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args

TEXT_LIMIT = 32_000
"""UTF-16 units of a text column: Azure's table service stores 32 Ki a string, which it counts so."""

_KEY_LIMIT = 511
_CUT_AT = 446
_ESCAPED = re.compile(r"[:=%\\#?!~\x00-\x1f\x7f-\x9f]")

_JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


class Status(StrEnum):
    """Where a document stands."""

    SUBMITTING = "submitting"
    READING = "reading"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    IGNORED = "ignored"

    @property
    def final(self) -> bool:
        """Nothing more happens to this version of the file."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.IGNORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One row: what is known of a file's newest version. Columns are these fields, in CamelCase."""

    name: str
    status: Status
    text: str | None = None
    text_truncated: bool | None = None
    text_blob: str | None = None
    result_blob: str | None = None
    lines_key: str | None = None
    page_count: int | None = None
    line_count: int | None = None
    word_count: int | None = None
    pages_in_file: int | None = None
    warning: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    advice: str | None = None
    language: str | None = None
    requested_language: str | None = None
    requested_pages: str | None = None
    requested_model_version: str | None = None
    requested_reading_order: str | None = None
    api_version: str | None = None
    model_version: str | None = None
    source_etag: str | None = None
    content_md5: str | None = None
    content_length: int | None = None
    uploaded_at: datetime | None = None
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    operation_url: str | None = None
    submits: int = 0
    """How often this version may have been paid for: Read's 202s, and attempts whose answer was lost."""
    lost_answers: int = 0
    """How many of the latest attempts to submit ended without an answer."""
    resubmits: int = 0
    """How often Read had lost the operation, so that the file was submitted anew."""
    attempts: int = 0
    """Steps in a row that Read put off; they make the waiting times grow."""
    server_errors: int = 0
    """How often Read answered HTTP 500 to this version."""
    not_found_polls: int = 0
    """Polls in a row that found no such operation."""
    polls: int = 0
    due_at: datetime | None = None
    clean_up_at: datetime | None = None
    """Set if an older version may have left outputs; until that time its writer may still be at work."""
    requested_by_name: bool | None = None
    """A person asked for it by name: no rule of names or dates keeps it from being read."""
    forgotten: bool | None = None
    """A person had it forgotten: the row goes too, once no slow writer can be left."""
    notification_pending: bool | None = None
    """Whoever waits at DONE_QUEUE has not been told yet."""
    write_id: str | None = None
    app_version: str | None = None
    row_etag: str | None = None
    """The row's own ETag, for the next conditional write. Not a column."""

    def evolve(self, **changes: Any) -> "Document":
        """A copy with some fields changed."""
        return replace(self, **changes)

    @property
    def operation_id(self) -> str:
        """The last segment of the operation's path: what outputs are fenced by."""
        return (self.operation_url or "").split("?", 1)[0].rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a file: what storage says of it at the moment of opening."""

    etag: str
    length: int
    md5: str | None
    uploaded_at: datetime
    metadata: Mapping[str, str]
    unreadable: str | None = None
    """An error code, if storage does not give this blob's content."""


def is_junk(name: str) -> bool:
    """Whether operating systems and offices leave files of this name behind that nobody wants read."""
    last = name.rsplit("/", 1)[-1]
    return not last or last.casefold() in _JUNK_NAMES or last.startswith(("._", "~$"))


def is_unsafe(name: str) -> bool:
    """Whether a path segment is ``.`` or ``..``, which HTTP clients resolve, under a SAS into another container."""
    return any(segment in (".", "..") for segment in re.split(r"[/\\]", name))


def document_key(name: str) -> str:
    """The document's RowKey: readable, legal, and shared by no two names; a folder is a range of keys.

    ``/`` becomes ``:``; what table keys cannot hold, and the marks used here, become ``=XX`` a UTF-8 byte.
    """
    return _fit(_tokens(name), name)


def worklist_key(name: str) -> str:
    """The RowKey of the document's worklist entry."""
    return "!" + document_key(name)


def lines_key(container: str, name: str) -> str:
    """The PartitionKey of the document's lines."""
    return _fit([container, ":", *_tokens(name)], name)


def output_name(name: str, extension: str, limit: int = 1024) -> str:
    """The name of an output blob: the file's name and ``.json`` or ``.txt``, cut and hashed where that is too long."""
    # A name that looks as if it were cut is cut too: it must not be the output of another, longer one.
    if _units(name) + len(extension) <= limit and not re.search(r"~[0-9a-f]{64}\Z", name):
        return name + extension
    return _cut(list(name), limit - len(extension) - 65) + _digest(name) + extension


def truncate(text: str, limit: int = TEXT_LIMIT) -> str:
    """The start of a text, at most ``limit`` UTF-16 units and never half of a surrogate pair."""
    if _units(text) <= limit:
        return text
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")


def to_row(document: Document, container: str) -> dict[str, Any]:
    """The entity to store. Columns without a value are left out."""
    row: dict[str, Any] = {"PartitionKey": container, "RowKey": document_key(document.name)}
    for field, column in _COLUMNS.items():
        value = getattr(document, field)
        if value is not None:
            row[column] = str(value) if isinstance(value, Status) else value
    return row


def from_row(row: Mapping[str, Any], etag: str | None) -> Document:
    """The document of a stored entity. Columns that this version does not know are passed over.

    Raises ValueError if the row is not one of ours.
    """
    values: dict[str, Any] = {field: row[column] for field, column in _COLUMNS.items() if row.get(column) is not None}
    for field, value in values.items():
        if type(value) is not _TYPES[field] and not (_TYPES[field] is datetime and isinstance(value, datetime)):
            raise ValueError(f"the column {_COLUMNS[field]} of a row of the documents table is not of its type")
        if isinstance(value, datetime):
            # The SDK's own subclass of datetime would be written back with the digits that it was read with.
            values[field] = datetime.combine(value.date(), value.time(), UTC)
    try:
        values["status"] = Status(values["status"])
        document = Document(**values, row_etag=etag)
    except (KeyError, TypeError, ValueError):
        raise ValueError("a row of the documents table has no Name or no known Status") from None
    if "RowKey" in row and row["RowKey"] != document_key(document.name):
        raise ValueError("a row of the documents table has another document's Name")
    return document


def to_worklist_entry(document: Document, container: str) -> dict[str, Any]:
    """The worklist entry of a document that is in flight or failed."""
    entry = {
        "PartitionKey": container,
        "RowKey": worklist_key(document.name),
        "Name": document.name,
        "Status": str(document.status),
        "Since": document.uploaded_at,
        "DueAt": document.due_at,
        "ErrorCode": document.error_code,
        "Advice": document.advice,
    }
    return {column: value for column, value in entry.items() if value is not None}


def _column(field: str) -> str:
    special = {"source_etag": "SourceETag", "content_md5": "ContentMD5"}
    return special.get(field) or "".join(part.capitalize() for part in field.split("_"))


def _type(annotation: Any) -> type:
    """The type of a column: of the field without None, and of a status its text."""
    kind = next(kind for kind in get_args(annotation) or (annotation,) if kind is not type(None))
    return str if kind is Status else kind


_TYPES = {field.name: _type(field.type) for field in fields(Document)}
_COLUMNS = {field.name: _column(field.name) for field in fields(Document) if field.name != "row_etag"}


def _tokens(name: str) -> list[str]:
    return [":" if c == "/" else _ESCAPED.sub(_escape, c) for c in name]


def _escape(match: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in match[0].encode())


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fit(tokens: list[str], name: str) -> str:
    key = "".join(tokens)
    return key if _units(key) <= _KEY_LIMIT else _cut(tokens, _CUT_AT) + _digest(name)


def _cut(tokens: Iterable[str], limit: int) -> str:
    kept: list[str] = []
    units = 0
    for token in tokens:
        units += _units(token)
        if units > limit:
            break
        kept.append(token)
    return "".join(kept)


def _digest(name: str) -> str:
    return "~" + hashlib.sha256(name.encode()).hexdigest()

"""The document: one row a file in the documents table, and its worklist entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args

from shared.keys import document_key, worklist_key
from shared.text import TEXT_LIMIT, truncate

ROW_EDITED = (
    "A person or a program has changed this row of the documents table. Correct the columns that the message names, or"
    " delete the row and read the file again."
)
"""The advice for RowEdited."""


class Status(StrEnum):
    """The status of a document: what has been done, and what comes next."""

    SUBMITTING = "submitting"
    READING = "reading"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    IGNORED = "ignored"

    @property
    def final(self) -> bool:
        """Whether this version of the file is done: read, failed or left alone."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.IGNORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One row: what is known about a file's newest version. Columns are these fields, in CamelCase."""

    name: str
    status: Status
    text: str | None = None
    text_truncated: bool | None = None
    text_blob: str | None = None
    result_blob: str | None = None
    pages_blob: str | None = None
    output_container: str | None = None
    lines_table: str | None = None
    lines_key: str | None = None
    page_count: int | None = None
    line_count: int | None = None
    word_count: int | None = None
    pages_in_file: int | None = None
    file_type: str | None = None
    """The file's format by its first bytes, whatever its name says."""
    warning: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    advice: str | None = None
    language: str | None = None
    requested_language: str | None = None
    requested_pages: str | None = None
    requested_model_version: str | None = None
    requested_reading_order: str | None = None
    requested_features: str | None = None
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
    """How many of the latest attempts in a row to submit the file ended without an answer."""
    resubmits: int = 0
    """How often the file was submitted again because Read no longer knew the operation."""
    attempts: int = 0
    """Steps in a row that had to wait; they make the waiting times grow."""
    server_errors: int = 0
    """How often Read answered HTTP 500 to this version."""
    not_found_polls: int = 0
    """Polls in a row that found no such operation."""
    polls: int = 0
    due_at: datetime | None = None
    clean_up_at: datetime | None = None
    """Set if an older version may have left outputs: a slow run may still be writing them until this time."""
    requested_by_name: bool | None = None
    """A person asked for the file by name, so it is read whatever its name and its date are."""
    forgotten: bool | None = None
    """A person had the document forgotten. The row is removed too, when no slow run can be left."""
    notification_pending: bool | None = None
    """The message to DONE_QUEUE is still to be sent."""
    write_id: str | None = None
    app_version: str | None = None
    trace_id: str | None = None
    """Made at the first claim of a version. Each of its messages and log lines has it."""
    row_etag: str | None = None
    """The row's own ETag, for the next conditional write. Not a column."""
    others: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Columns of the user's own, or of a newer version of the app. Every write keeps them."""

    def evolve(self, **changes: Any) -> "Document":
        """A copy with some fields changed."""
        return replace(self, **changes)

    @property
    def operation_id(self) -> str:
        """The last segment of the operation's path, by which the fence knows whose outputs are stored."""
        return (self.operation_url or "").split("?", 1)[0].rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a file, as storage described it when the file was opened."""

    etag: str
    length: int
    md5: str | None
    uploaded_at: datetime
    metadata: Mapping[str, str]
    unreadable: str | None = None
    """An ErrorCode, if the content of this blob cannot be read."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The worklist entry that a forgotten document leaves, so that slow runs do not bring the document back.

    ``due_at`` is the time from which no slow run can be left.
    """

    etag: str
    due_at: datetime | None

    def passed_on_to(self, document: Document) -> Document:
        """A row that replaces the tombstone. It takes over the cleaning up that the tombstone was kept for."""
        if self.due_at is None or (document.clean_up_at and document.clean_up_at >= self.due_at):
            return document
        due_at = self.due_at if document.status.final and document.due_at is None else document.due_at
        return document.evolve(clean_up_at=self.due_at, due_at=due_at)


def in_utc(time: datetime) -> datetime:
    """A stored time as a plain datetime in UTC.

    The SDK's own subclass of datetime would be written back with the digits that it was read with.
    """
    time = time.astimezone(UTC) if time.tzinfo else time
    return datetime.combine(time.date(), time.time(), UTC)


def to_row(document: Document, container: str) -> dict[str, Any]:
    """The entity to store. Columns without a value are left out."""
    row: dict[str, Any] = {
        **document.others,
        "PartitionKey": container,
        "RowKey": document_key(document.name),
    }
    for name, column in _COLUMNS.items():
        value = getattr(document, name)
        if isinstance(value, str):
            # Read decides how long its texts are, and storage refuses a whole batch for one column that is too long.
            value = truncate(str(value), TEXT_LIMIT if name == "text" else _LONGEST_COLUMN)
        if value is not None:
            row[column] = value
    return row


def from_row(row: Mapping[str, Any], etag: str | None, name: str | None = None) -> Document:
    """The document of a stored entity. Its values may be the SDK's pairs of value and type.

    Columns that this version of the app does not know are kept in ``others``. A number or a time that a tool has
    stored as a text is read as a number or a time. If a row was edited so that it cannot be read, the document is
    ``failed`` with the code ``RowEdited``, and the file's next version replaces it. ``name`` is the name by which the
    caller found the row.

    Raises ValueError if neither the row nor the caller names the document.
    """
    known = _COLUMNS.values()
    others = {column: value for column, value in row.items() if column not in {*known, *_KEYS} and value is not None}
    values: dict[str, Any] = {}
    problems = []
    for each, column in _COLUMNS.items():
        value = row.get(column)
        if (value := getattr(value, "value", value)) is not None:
            try:
                values[each] = _READERS[_TYPES[each]](value)
            except (ValueError, TypeError, OverflowError):
                problems.append(column)
    said = values.pop("name", None)
    if said is None and name is None:
        raise ValueError("a row of the documents table has no Name")
    if "RowKey" in row and said is not None and row["RowKey"] != document_key(said):
        problems.append("Name")
        said = None
    name = said or name
    if name is None:
        raise ValueError("a row of the documents table has another document's Name")
    if (status := values.pop("status", None)) in set(Status) and not problems:
        return Document(name=name, status=Status(status), **values, row_etag=etag, others=others)
    if status not in set(Status):
        problems.append("Status")
    message = f"The row has been edited: {', '.join(problems)} cannot be read."
    values |= {"error_code": "RowEdited", "error_message": message, "advice": ROW_EDITED}
    return Document(name=name, status=Status.FAILED, **values, row_etag=etag, others=others)


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


def _column(name: str) -> str:
    special = {"source_etag": "SourceETag", "content_md5": "ContentMD5"}
    return special.get(name) or "".join(part.capitalize() for part in name.split("_"))


def _type(annotation: Any) -> type:
    """The type of a column: that of its field without None. A status is stored as text."""
    kind = next(kind for kind in get_args(annotation) or (annotation,) if kind is not type(None))
    return str if kind is Status else kind


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.casefold())
    if not isinstance(value, bool):
        raise TypeError
    return value


def _time(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise TypeError
    return in_utc(value)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    return str(value)


_READERS: Mapping[type, Callable[[Any], Any]] = {int: _number, bool: _flag, datetime: _time, str: _text}
_KEYS = ("PartitionKey", "RowKey", "Timestamp")
_LONGEST_COLUMN = 4_096
"""UTF-16 units of every column but the text, since a row holds 1 MiB."""
_NO_COLUMNS = ("row_etag", "others")
_TYPES = {each.name: _type(each.type) for each in fields(Document) if each.name not in _NO_COLUMNS}
_COLUMNS = {name: _column(name) for name in _TYPES}
COLUMNS = tuple(_COLUMNS.values())
"""The columns of a row, without its keys."""

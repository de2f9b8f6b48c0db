"""The read side: one document, its text, lines and pages; documents by prefix and status; counts.

Nothing here writes. A row that a person or a tool has made unreadable is a value too: its status is ``trouble``, and
its advice says what to do. Callers see no types of the storage SDKs, only their errors.
"""

import base64
import binascii
import codecs
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import EntityProperty, TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.document import COLUMNS, Document, Status, from_row
from shared.keys import document_key
from shared.settings import Settings
from shared.storage.codes import error_code
from shared.storage.rows import rows_of, stored_time

TROUBLE = "trouble"
"""The status of a row that the app cannot read."""

MOST_ENTRIES = 1000
"""Entries of one part of a listing, at most: the table service sends no more in one answer."""

_LONGEST_PREFIX = 48
"""Characters of a prefix that are compared by key. Keys are cut at 446 units, and a character may take nine."""

_WORKLIST = frozenset({Status.SUBMITTING, Status.READING, Status.WAITING, Status.FAILED})
"""The statuses with a worklist entry: these are found without reading the rows of all that succeeded."""

T = TypeVar("T")


class InvalidContinuation(ValueError):
    """The continuation does not belong to this request."""


class OutputMissing(Exception):
    """An output that a row names does not exist. The text names the output and says what to do."""


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Some of the entries, from one request to storage: perhaps fewer than ``limit``, perhaps none.

    If ``continuation`` is set, there may be more: call again with it and with the same other arguments.
    """

    entries: tuple[T, ...]
    continuation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A document's row that the app cannot read, because a person or another program has edited it."""

    name: str
    error_code: str
    error_message: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A document in a listing. ``status`` is a Status, or TROUBLE.

    A listing of one status comes from the worklist (but for succeeded and ignored). It has only the name, the status,
    ``uploaded_at``, ``due_at``, the code and the advice.
    """

    name: str
    status: str
    page_count: int | None = None
    line_count: int | None = None
    word_count: int | None = None
    uploaded_at: datetime | None = None
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    due_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    advice: str | None = None
    warning: str | None = None
    language: str | None = None

    @classmethod
    def of(cls, document: "Document | Trouble") -> "Summary":
        """The summary of a document whose whole row was read."""
        if isinstance(document, Trouble):
            return cls(
                name=document.name,
                status=TROUBLE,
                error_code=document.error_code,
                error_message=document.error_message,
                advice=document.advice,
            )
        return cls(**{field.name: getattr(document, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many documents have which status."""

    by_status: Mapping[str, int]
    """For every Status, and for TROUBLE, which counts rows without a known status. Listings check the other columns."""
    waiting: Mapping[str, int]
    """How many documents wait for which ErrorCode; "" if a row has none."""
    due_at: datetime | None
    """When the next of the waiting documents is tried again."""
    complete: bool = True
    """False if counting stopped at ``most`` documents."""

    @property
    def files(self) -> int:
        """The number of all documents."""
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """A row of the lines table. ``bounding_box`` is x1, y1 … x4, y4 in ``unit``."""

    page: int
    line: int
    text: str
    bounding_box: tuple[float, ...] | None = None
    unit: str | None = None
    confidence: float | None = None
    handwritten: bool | None = None
    language: str | None = None


class Library:
    """What the app has stored, in the places that its settings name. Methods raise the storage SDKs' errors, too."""

    def __init__(self, settings: Settings, blobs: BlobServiceClient, tables: TableServiceClient) -> None:
        self._container = settings.input_container
        self._output_container = settings.output_container
        self._lines_table = settings.lines_table
        self._blobs = blobs
        self._tables = tables
        self._documents = tables.get_table_client(settings.documents_table)

    def document(self, name: str) -> Document | Trouble | None:
        """A document's whole row; None if there is none."""
        row = self._row(name, None)
        return None if row is None else _read(row)

    def summary(self, name: str) -> Summary | None:
        """A document as in a listing, without its text; None if there is none."""
        row = self._row(name, _SUMMARY_COLUMNS)
        return None if row is None else Summary.of(_read(row))

    def documents(
        self,
        prefix: str = "",
        status: str | None = None,
        *,
        limit: int = MOST_ENTRIES,
        continuation: str | None = None,
    ) -> Part[Summary]:
        """Documents whose name begins with ``prefix``, of one status (or TROUBLE) or any, in the order of their keys.

        One request to storage. If few documents have the status, a part may have no entry and yet a continuation.
        Raises InvalidContinuation.
        """
        by_worklist = status in _WORKLIST
        query, parameters = self._query(prefix, status, "!" if by_worklist else "")
        columns = _WORKLIST_COLUMNS if by_worklist else _SUMMARY_COLUMNS
        rows, after = _some(self._documents, query, parameters, columns, limit, continuation)
        entries = (_entry(row) if by_worklist else Summary.of(_read(row)) for row in rows if _has_prefix(row, prefix))
        return Part(tuple(entry for entry in entries if status in (None, entry.status)), after)

    def each_document(self, prefix: str = "", status: str | None = None) -> Iterator[Summary]:
        """All documents that ``documents`` lists, with as many requests as that takes."""
        return _each(lambda continuation: self.documents(prefix, status, continuation=continuation))

    def counts(self, prefix: str = "", *, most: int | None = None) -> Counts:
        """Count documents whose name begins with ``prefix``: one request for each thousand of them.

        With ``most``, counting stops after about that many documents.
        """
        by_status: Counter[str] = Counter(dict.fromkeys([*Status, TROUBLE], 0))
        waiting: Counter[str] = Counter()
        due: list[datetime] = []
        query, parameters = self._query(prefix, None, "")
        continuation = None
        while True:
            columns = ["RowKey", "Name", "Status", "ErrorCode", "DueAt"]
            rows, continuation = _some(self._documents, query, parameters, columns, MOST_ENTRIES, continuation)
            for row in rows:
                if not _has_prefix(row, prefix):
                    continue
                status = row.get("Status")
                by_status[status if status in _STATUSES else TROUBLE] += 1
                if status == Status.WAITING:
                    code, due_at = row.get("ErrorCode"), stored_time(row.get("DueAt"))
                    waiting[code if isinstance(code, str) else ""] += 1
                    due = [min([*due, due_at])] if due_at else due
            if not continuation or (most is not None and by_status.total() >= most):
                break
        return Counts(
            by_status=by_status, waiting=waiting, due_at=due[0] if due else None, complete=continuation is None
        )

    def lines(
        self, document: Document, page: int | None = None, *, limit: int = MOST_ENTRIES, continuation: str | None = None
    ) -> Part[StoredLine]:
        """The lines of a document that succeeded, of one page or of all, in order. One request to storage.

        Any other document has no lines, since what is stored for it is not valid. Raises InvalidContinuation.
        """
        if document.status is not Status.SUCCEEDED or not document.lines_key:
            return Part(())
        rows, after = self._rows_of_lines(document, page, _LINE_COLUMNS, limit, continuation)
        return Part(tuple(_line(row) for row in rows if not _is_page(row)), after)

    def each_line(self, document: Document, page: int | None = None) -> Iterator[StoredLine]:
        """All lines that ``lines`` lists, with as many requests as that takes."""
        return _each(lambda continuation: self.lines(document, page, continuation=continuation))

    def text(self, document: Document) -> Iterator[str]:
        """All text of a document that succeeded, in pieces. Lines end with a line feed, and form feeds separate pages.

        Raises OutputMissing.
        """
        if document.status is not Status.SUCCEEDED or not document.text_blob:
            return
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        for piece in self._download(document, document.text_blob):
            yield decode(piece)
        yield decode(b"", True)

    def changed_since(self, moment: datetime) -> Iterator[tuple[Document | Trouble, datetime]]:
        """Documents whose row was written at ``moment`` or later, by storage's clock, each with the time of the write.

        One query, for any number of documents. It is not for large tables in Azure, which have no index on that time.
        """
        found = self._documents.query_entities(
            "PartitionKey eq @container and Timestamp ge @moment and (RowKey lt '!' or RowKey ge '\"')",
            parameters={"container": self._container, "moment": moment},
        )
        row: Any
        for row in rows_of(found):
            yield _read(_plain_row(row)), stored_time(row.metadata["timestamp"]) or moment

    def has_page(self, document: Document, number: int) -> bool:
        """Whether a document that succeeded has a page of this number. READ_PAGES may have left some pages out."""
        if document.status is not Status.SUCCEEDED or not document.lines_key:
            return False
        rows, _ = self._rows_of_lines(document, number, ["RowKey"], 1, None)
        return bool(rows)

    def page_text(self, document: Document, number: int) -> Iterator[str]:
        """The text of one page of a document that succeeded, in pieces. Each line ends with a line feed.

        Raises OutputMissing.
        """
        if page := self.page(document, number):
            yield str(json.loads(page).get("text", ""))
        else:  # the document was read by a version of the app that wrote no pages blobs
            yield from (f"{line.text}\n" for line in self.each_line(document, number))

    def missing_outputs(self, document: Document) -> Iterator[str]:
        """Outputs that a document's row names but that do not exist, such as ``text (blob a.pdf.txt in …)``."""
        container = self._container_of(document)
        for kind, blob in (
            ("text", document.text_blob),
            ("JSON", document.result_blob),
            ("pages", document.pages_blob),
        ):
            if blob and not self._blobs.get_blob_client(container, blob).exists():
                yield f"{kind} (blob {blob} in the container {container})"

    def page(self, document: Document, number: int) -> bytes | None:
        """One page of a document that succeeded: its line of the pages blob, a JSON object in UTF-8.

        One row and one range of the blob are read. None if the document has no such page, or no pages blob, since an
        early version of the app wrote none. Raises OutputMissing if the blob does not exist or has another result.
        """
        if document.status is not Status.SUCCEEDED or not document.lines_key or not document.pages_blob:
            return None
        try:
            row = self._lines_of(document).get_entity(document.lines_key, f"{number:05}-00000")
        except ResourceNotFoundError:
            return None
        offset, length = _plain(row.get("Offset")), _plain(row.get("Length"))
        if not (isinstance(offset, int) and isinstance(length, int) and offset >= 0 and length > 0):
            raise OutputMissing(
                f"The row of page {number} of {document.name!r} in the table {self._table_of(document)} does not say"
                f" where its text is. {_READ_AGAIN}"
            )
        content = b"".join(self._download(document, document.pages_blob, offset, length))
        if not content.startswith(b"{") or not content.rstrip().endswith(b"}"):
            raise OutputMissing(
                f"{self._where(document, document.pages_blob)} does not hold page {number} any more. {_READ_AGAIN}"
            )
        return content

    def _rows_of_lines(
        self, document: Document, page: int | None, columns: list[str], limit: int, continuation: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Rows of pages and lines, of one page or of all. A page's own row comes before the rows of its lines."""
        query = "PartitionKey eq @key and RowKey ge @first and RowKey lt @last"
        first, last = ("0", ":") if page is None else (f"{page:05}-", f"{page:05}.")
        parameters = {"key": document.lines_key, "first": first, "last": last}
        return _some(self._lines_of(document), query, parameters, columns, limit, continuation)

    def _row(self, name: str, columns: list[str] | None) -> dict[str, Any] | None:
        try:
            row = self._documents.get_entity(self._container, document_key(name), select=columns)
        except ResourceNotFoundError:
            return None
        return {**_plain_row(row), "etag": row.metadata.get("etag")}

    def _query(self, prefix: str, status: str | None, mark: str) -> tuple[str, dict[str, Any]]:
        """The filter for rows, or with ``mark`` for worklist entries, and its parameters."""
        query, parameters = "PartitionKey eq @container", {"container": self._container}
        # A worklist entry's key begins with "!"; a name may sort before it, and after it.
        query += " and RowKey ge '!' and RowKey lt '\"'" if mark else " and (RowKey lt '!' or RowKey ge '\"')"
        if prefix:
            first = mark + document_key(prefix[:_LONGEST_PREFIX])
            query += " and RowKey ge @first"
            parameters["first"] = first
            if last := _after(first):
                query += " and RowKey lt @last"
                parameters["last"] = last
        if status in _STATUSES:
            query += " and Status eq @status"
            parameters["status"] = str(status)
        return query, parameters

    def _table_of(self, document: Document) -> str:
        return document.lines_table or self._lines_table

    def _lines_of(self, document: Document) -> TableClient:
        return self._tables.get_table_client(self._table_of(document))

    def _container_of(self, document: Document) -> str:
        return document.output_container or self._output_container

    def _where(self, document: Document, blob: str) -> str:
        return f"The blob {blob!r} in the container {self._container_of(document)!r}"

    def _download(
        self, document: Document, blob: str, offset: int | None = None, length: int | None = None
    ) -> Iterator[bytes]:
        """An output blob, or a range of it, in pieces. Raises OutputMissing."""
        client = self._blobs.get_blob_client(self._container_of(document), blob)
        try:
            download = client.download_blob(offset=offset, length=length, decompress=False)
        except HttpResponseError as error:
            if error.status_code not in (404, 416):
                raise
            how = "is not there" if error.status_code == 404 else "is of another result by now"  # 416: it is shorter
            raise OutputMissing(f"{self._where(document, blob)} {how}. {_READ_AGAIN}") from None
        if offset is not None and download.properties.metadata.get("operation_id") != document.operation_id:
            raise OutputMissing(f"{self._where(document, blob)} is of another result by now. {_READ_AGAIN}")
        yield from download.chunks()


_READ_AGAIN = (
    "If settings have changed since the file was read, set them back. Otherwise the file has just been read again, or"
    " the output was deleted: `again` has the file read once more."
)

_STATUSES = frozenset(map(str, Status))
_SUMMARY_COLUMNS = ["RowKey", *(column for column in COLUMNS if column != "Text")]
"""All columns but the text, which is most of a row. Each of them may make the row unreadable."""
_WORKLIST_COLUMNS = ["RowKey", "Name", "Status", "Since", "DueAt", "ErrorCode", "Advice"]
_LINE_COLUMNS = ["RowKey", "Page", "Line", "Text", "BoundingBox", "Unit", "Confidence", "Handwritten", "Language"]


def _each(part_after: Callable[[str | None], Part[T]]) -> Iterator[T]:
    part = part_after(None)
    yield from part.entries
    while part.continuation:
        part = part_after(part.continuation)
        yield from part.entries


def _some(
    table: TableClient,
    query: str,
    parameters: Mapping[str, Any],
    columns: Sequence[str],
    limit: int,
    continuation: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """One answer of the table service to a query, and its continuation. A table that does not exist yet has no rows."""
    pages = table.query_entities(
        query, parameters=dict(parameters), select=list(columns), results_per_page=min(max(limit, 1), MOST_ENTRIES)
    ).by_page(continuation_token=_unpacked(continuation))
    try:
        rows = [_plain_row(row) for row in next(pages)]
    except StopIteration:
        return [], None
    except ResourceNotFoundError as error:
        if error_code(error) != "TableNotFound":
            raise
        return [], None
    except HttpResponseError as error:
        if continuation and error.status_code == 400:
            raise InvalidContinuation("Storage no longer takes this continuation. Begin the listing anew.") from None
        raise
    return rows, _packed(getattr(pages, "continuation_token", None))


def _packed(token: Any) -> str | None:
    """Storage's continuation, as a text for a URL."""
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=") if token else None


def _unpacked(continuation: str | None) -> Any:
    if not continuation:
        return None
    try:
        padded = continuation + "=" * (-len(continuation) % 4)
        token = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        token = None
    keys = {"PartitionKey", "RowKey"}
    if not isinstance(token, dict) or set(token) != keys or not all(isinstance(v, str | None) for v in token.values()):
        raise InvalidContinuation("This is not the continuation of a listing. Begin the listing anew.")
    return token


def _plain(value: Any) -> Any:
    """A value without the SDK's types, which gives an Int64 as a pair of value and type."""
    value = value.value if isinstance(value, EntityProperty) else value
    return stored_time(value) if isinstance(value, datetime) else value


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _read(row: Mapping[str, Any]) -> Document | Trouble:
    """The document of a row, or what is wrong with it."""
    document = from_row(row, row.get("etag"), _name(row))
    if document.error_code != "RowEdited":
        return document
    return Trouble(
        name=document.name,
        error_code=document.error_code,
        error_message=document.error_message or "",
        advice=document.advice or "",
    )


def _entry(entry: Mapping[str, Any]) -> Summary:
    """The summary of a worklist entry. Only its key is needed, so a damaged entry has a summary too."""

    def text(column: str) -> str | None:
        return value if isinstance(value := entry.get(column), str) else None

    return Summary(
        name=_name(entry),
        status=text("Status") or TROUBLE,
        uploaded_at=stored_time(entry.get("Since")),
        due_at=stored_time(entry.get("DueAt")),
        error_code=text("ErrorCode"),
        advice=text("Advice"),
    )


def _name(row: Mapping[str, Any]) -> str:
    """The document's name. If the column was edited, it comes from the key, unless the key was cut."""
    key = str(row["RowKey"]).removeprefix("!")
    name = row.get("Name")
    if isinstance(name, str) and document_key(name) == key:
        return name
    return key if re.search(r"~[0-9a-f]{64}\Z", key) else unquote(key.replace(":", "/").replace("=", "%"))


def _has_prefix(row: Mapping[str, Any], prefix: str) -> bool:
    """Whether a name begins with a prefix. Keys are compared as far as none is cut, and names beyond that."""
    key = str(row["RowKey"]).removeprefix("!")
    return key.startswith(document_key(prefix[:_LONGEST_PREFIX])) and (
        len(prefix) <= _LONGEST_PREFIX or _name(row).startswith(prefix)
    )


def _after(key: str) -> str | None:
    """The first key that sorts after all keys with this beginning; None if there is none."""
    # Keys are compared by UTF-16 units; a lone surrogate is no text, and no character follows U+10FFFF.
    for end in range(len(key), 0, -1):
        follows = ord(key[end - 1]) + 1
        if follows not in (0xD800, 0xFFFF, 0x10000, 0x110000):
            return key[: end - 1] + chr(follows)
    return None


def _line(row: Mapping[str, Any]) -> StoredLine:
    page, _, line = row["RowKey"].partition("-")
    return StoredLine(
        page=int(page),
        line=int(line),
        text=str(row.get("Text", "")),
        bounding_box=_box(row.get("BoundingBox")),
        unit=row.get("Unit"),
        confidence=row.get("Confidence"),
        handwritten=row.get("Handwritten"),
        language=row.get("Language"),
    )


def _is_page(row: Mapping[str, Any]) -> bool:
    """Whether a row is not a line's: it is a page's, or its key is not of the app's form."""
    page, _, line = row["RowKey"].partition("-")
    return not (page.isdecimal() and line.isdecimal() and int(line))


def _box(text: object) -> tuple[float, ...] | None:
    try:
        values = json.loads(text) if isinstance(text, str) else None
        return tuple(float(value) for value in values) if values else None
    except (ValueError, TypeError):
        return None

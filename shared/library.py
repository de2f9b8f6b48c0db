"""The read side: one document, its text, lines and pages; documents by prefix and status; counts.

Nothing here writes. A row that a person or a tool has made unreadable is a value too: its status is ``trouble``, and
its advice says what to do. Callers see no types of the storage SDKs, only their errors.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.document import COLUMNS, Document, Status
from shared.entries import (
    TROUBLE,
    Counts,
    StoredLine,
    Summary,
    Trouble,
    document_of,
    is_page,
    line_of,
    name_of,
    worklist_entry,
)
from shared.keys import document_key
from shared.settings import Settings
from shared.storage.listing import MOST_ENTRIES, Part, each_entry, plain, plain_row, query_part
from shared.storage.rows import rows_of, stored_time

_LONGEST_PREFIX = 48
"""Characters of a prefix that are compared by key. Keys are cut at 446 units, and a character may take nine."""

_WORKLIST = frozenset({Status.SUBMITTING, Status.READING, Status.WAITING, Status.FAILED})
"""The statuses with a worklist entry: these are found without reading the rows of all that succeeded."""


class OutputMissing(Exception):
    """An output that a row names does not exist. The text names the output and says what to do."""


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
        return None if row is None else document_of(row)

    def summary(self, name: str) -> Summary | None:
        """A document as in a listing, without its text; None if there is none."""
        row = self._row(name, _SUMMARY_COLUMNS)
        return None if row is None else Summary.of(document_of(row))

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
        rows, after = query_part(self._documents, query, parameters, columns, limit, continuation)
        entries = (
            worklist_entry(row) if by_worklist else Summary.of(document_of(row))
            for row in rows
            if _has_prefix(row, prefix)
        )
        return Part(tuple(entry for entry in entries if status in (None, entry.status)), after)

    def each_document(self, prefix: str = "", status: str | None = None) -> Iterator[Summary]:
        """All documents that ``documents`` lists, with as many requests as that takes."""
        return each_entry(lambda continuation: self.documents(prefix, status, continuation=continuation))

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
            rows, continuation = query_part(self._documents, query, parameters, columns, MOST_ENTRIES, continuation)
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
        return Part(tuple(line_of(row) for row in rows if not is_page(row)), after)

    def each_line(self, document: Document, page: int | None = None) -> Iterator[StoredLine]:
        """All lines that ``lines`` lists, with as many requests as that takes."""
        return each_entry(lambda continuation: self.lines(document, page, continuation=continuation))

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
            yield document_of(plain_row(row)), stored_time(row.metadata["timestamp"]) or moment

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
        offset, length = plain(row.get("Offset")), plain(row.get("Length"))
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
        return query_part(self._lines_of(document), query, parameters, columns, limit, continuation)

    def _row(self, name: str, columns: list[str] | None) -> dict[str, Any] | None:
        try:
            row = self._documents.get_entity(self._container, document_key(name), select=columns)
        except ResourceNotFoundError:
            return None
        return {**plain_row(row), "etag": row.metadata.get("etag")}

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


def _has_prefix(row: Mapping[str, Any], prefix: str) -> bool:
    """Whether a name begins with a prefix. Keys are compared as far as none is cut, and names beyond that."""
    key = str(row["RowKey"]).removeprefix("!")
    return key.startswith(document_key(prefix[:_LONGEST_PREFIX])) and (
        len(prefix) <= _LONGEST_PREFIX or name_of(row).startswith(prefix)
    )


def _after(key: str) -> str | None:
    """The first key that sorts after all keys with this beginning; None if there is none."""
    # Keys are compared by UTF-16 units; a lone surrogate is no text, and no character follows U+10FFFF.
    for end in range(len(key), 0, -1):
        follows = ord(key[end - 1]) + 1
        if follows not in (0xD800, 0xFFFF, 0x10000, 0x110000):
            return key[: end - 1] + chr(follows)
    return None

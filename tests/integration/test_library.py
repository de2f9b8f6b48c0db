"""The read side on Azurite: every row, whatever is in it, is returned as a value."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty, TableClient, UpdateMode

from local.processes import Azurite
from shared.assembly import build_library
from shared.document import Document, Status, to_row, to_worklist_entry
from shared.entries import TROUBLE, StoredLine, Summary, Trouble
from shared.keys import document_key, lines_key
from shared.library import Library, OutputMissing
from shared.settings import Settings
from shared.storage.connection import blob_service, table_service
from shared.storage.listing import InvalidContinuation
from simulation.app import App, settings_for

NAMES = ("2024/a.pdf", "2024/b.pdf", "2024-old.pdf", " spaced.pdf", "!loud.pdf", "2023/z.pdf")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def settings(azurite: Azurite) -> Settings:
    return settings_for(azurite.connection_string, "http://127.0.0.1:5000")


@pytest.fixture
def library(settings: Settings) -> Library:
    return build_library(settings)


class Table:
    """The documents table, which others can write too."""

    def __init__(self, client: TableClient, container: str) -> None:
        self.client = client
        self.container = container

    def put(self, name: str, status: Status = Status.SUCCEEDED, **fields: Any) -> Document:
        """A document's row, and the worklist entry that goes with it."""
        document = Document(name=name, status=status, **fields)
        self.client.upsert_entity(to_row(document, self.container))
        if status not in (Status.SUCCEEDED, Status.IGNORED):
            self.client.upsert_entity(to_worklist_entry(document, self.container))
        return document

    def edit(self, name: str, **columns: Any) -> None:
        """What a person does in a storage tool."""
        keys = {"PartitionKey": self.container, "RowKey": document_key(name)}
        self.client.update_entity({**keys, **columns}, mode=UpdateMode.MERGE)


@pytest.fixture
def table(settings: Settings) -> Table:
    client = table_service(settings.storage).create_table(settings.documents_table)
    return Table(client, settings.input_container)


@pytest.fixture
def six(table: Table) -> Table:
    """Six documents; the first of them failed."""
    table.put(NAMES[0], Status.FAILED, error_code="EmptyFile", advice="Upload it again.")
    for name in NAMES[1:]:
        table.put(name)
    return table


def _names(entries: Iterator[Summary]) -> list[str]:
    return [entry.name for entry in entries]


# Documents


@pytest.mark.usefixtures("six")
def test_each_document_is_listed_once_and_no_worklist_entry(library: Library) -> None:
    assert sorted(_names(library.each_document())) == sorted(NAMES)


@pytest.mark.usefixtures("six")
@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("2024/", {"2024/a.pdf", "2024/b.pdf"}),
        ("2024", {"2024/a.pdf", "2024/b.pdf", "2024-old.pdf"}),
        ("2024/a.pdf", {"2024/a.pdf"}),
        (" ", {" spaced.pdf"}),
        ("!", {"!loud.pdf"}),
        ("none", set()),
    ],
)
def test_a_prefix_is_matched_with_names_not_keys(library: Library, prefix: str, names: set[str]) -> None:
    assert set(_names(library.each_document(prefix))) == names


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("x" * 600 + "/a.pdf", "x" * 500),
        ("=" * 300, "=" * 60),
        ("\ud7ff.pdf", "\ud7ff"),
        ("\U0001f600.pdf", "\U0001f600"),
        ("\U0010ffff.pdf", "\U0010ffff"),
        ("\ufffd\U00010000", "\ufffd"),
        ("O'Brien's/it''s 100%.jpg", "O'Brien's/"),
    ],
)
def test_a_prefix_of_any_characters_and_length_finds_its_names(
    library: Library, six: Table, name: str, prefix: str
) -> None:
    six.put(name)
    six.put("y" * 600)
    assert _names(library.each_document(prefix)) == [name]


def test_a_long_prefix_is_compared_in_full(library: Library, table: Table) -> None:
    table.put("x" * 100 + "a")
    table.put("x" * 100 + "b")
    assert _names(library.each_document("x" * 100 + "b")) == ["x" * 100 + "b"]


def test_documents_of_one_status_are_listed(library: Library, six: Table) -> None:
    six.put("w.pdf", Status.WAITING)
    six.put("i.pdf", Status.IGNORED)
    assert _names(library.each_document(status="waiting")) == ["w.pdf"]
    assert _names(library.each_document(status="ignored")) == ["i.pdf"]
    assert len(_names(library.each_document(status="succeeded"))) == 5


def test_a_failed_document_is_found_by_its_worklist_entry(library: Library, six: Table) -> None:
    six.client.delete_entity(six.container, document_key(NAMES[0]))  # so that the entry alone is there

    assert list(library.each_document(status="failed")) == [
        Summary(name="2024/a.pdf", status="failed", error_code="EmptyFile", advice="Upload it again.")
    ]
    assert _names(library.each_document("2024/", "failed")) == ["2024/a.pdf"]
    assert not list(library.each_document("2023/", "failed"))


@pytest.mark.usefixtures("six")
def test_a_listing_continues_where_it_stopped(library: Library) -> None:
    found, continuation, parts = [], None, 0
    while parts == 0 or continuation:
        part = library.documents(limit=2, continuation=continuation)
        assert len(part.entries) <= 2
        found += [entry.name for entry in part.entries]
        continuation, parts = part.continuation, parts + 1
    assert sorted(found) == sorted(NAMES)
    assert parts >= 3


@pytest.mark.usefixtures("six")
@pytest.mark.parametrize(
    "continuation", ["x", "%%", "bnVsbA", "W10", "eyJhIjogMX0", "é", "eyJQYXJ0aXRpb25LZXkiOiAxLCAiUm93S2V5IjogMn0"]
)
def test_a_made_up_continuation_is_refused(library: Library, continuation: str) -> None:
    with pytest.raises(InvalidContinuation):
        library.documents(continuation=continuation)


def test_before_anything_was_dropped_there_is_nothing(library: Library) -> None:
    assert not list(library.each_document())
    assert not list(library.each_document(status="failed"))
    assert library.document("a.pdf") is None
    assert library.summary("a.pdf") is None
    assert library.counts().files == 0


def test_a_document_has_the_values_of_its_row(library: Library, table: Table) -> None:
    stored = table.put("a.pdf", text="one", page_count=1, uploaded_at=NOON)
    table.edit("a.pdf", ContentLength=EntityProperty(7, EdmType.INT64))

    document = library.document("a.pdf")

    assert isinstance(document, Document)
    assert document.row_etag
    assert document.evolve(row_etag=None) == stored.evolve(content_length=7)
    assert type(document.uploaded_at) is datetime
    assert library.summary("a.pdf") == Summary(name="a.pdf", status="succeeded", page_count=1, uploaded_at=NOON)


# Rows that somebody edited

EDITS: list[dict[str, Any]] = [
    {"Status": "done"},
    {"Status": 3},
    {"Name": "b.pdf"},
    {"Name": 3},
    {"PageCount": "many"},
    {"Polls": "many"},
    {"DueAt": "soon"},
    {"Warning": True},
]


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_an_edited_row_is_trouble_and_stops_nothing(library: Library, table: Table, edit: dict[str, Any]) -> None:
    for name in ("2024/a.pdf", "2024/x.pdf", "2024/z.pdf"):
        table.put(name)
    table.edit("2024/x.pdf", **edit)

    listed = {entry.name: entry for entry in library.each_document("2024/")}

    assert [name for name, entry in listed.items() if entry.status == "succeeded"] == ["2024/a.pdf", "2024/z.pdf"]
    trouble = listed["2024/x.pdf"]
    assert (trouble.status, trouble.error_code) == (TROUBLE, "RowEdited")
    assert trouble.error_message
    assert trouble.advice
    assert isinstance(library.document("2024/x.pdf"), Trouble)
    assert library.summary("2024/x.pdf") == trouble
    assert library.counts("2024/").files == 3


def test_rows_in_trouble_are_listed_by_that_status(library: Library, six: Table) -> None:
    six.edit("2024/b.pdf", Status="done")
    assert _names(library.each_document(status=TROUBLE)) == ["2024/b.pdf"]


@pytest.mark.parametrize(
    "edit", [{"Since": "x"}, {"DueAt": 3}, {"ErrorCode": 7}, {"Advice": 1.5}, {"Name": 2}], ids=str
)
def test_an_edited_worklist_entry_stops_nothing(library: Library, six: Table, edit: dict[str, Any]) -> None:
    keys = {"PartitionKey": six.container, "RowKey": "!" + document_key(NAMES[0])}
    six.client.update_entity({**keys, **edit}, mode=UpdateMode.MERGE)
    assert _names(library.each_document(status="failed")) == [NAMES[0]]


def test_the_users_own_columns_are_ignored(library: Library, table: Table) -> None:
    table.put("a.pdf")
    table.edit("a.pdf", Reviewed="by me")
    assert isinstance(library.document("a.pdf"), Document)


# Counts


def test_documents_are_counted_by_status(library: Library, six: Table) -> None:
    for name, code, due in (("1.pdf", "Throttled", 2), ("2.pdf", "Throttled", 1), ("3.pdf", "ReadUnavailable", 3)):
        six.put(name, Status.WAITING, error_code=code, due_at=NOON + timedelta(minutes=due))
    six.edit("2024/b.pdf", Status="done")

    counts = library.counts()

    assert counts.by_status == {
        "submitting": 0, "reading": 0, "waiting": 3, "succeeded": 4, "failed": 1, "ignored": 0, "trouble": 1,
    }  # fmt: skip
    assert (counts.files, counts.complete) == (9, True)
    assert counts.waiting == {"Throttled": 2, "ReadUnavailable": 1}
    assert counts.due_at == NOON + timedelta(minutes=1)
    assert library.counts("2024/").files == 2


def test_counting_can_stop_early_and_says_so(library: Library, table: Table) -> None:
    batch = [("upsert", to_row(Document(name=f"{n:04}", status=Status.IGNORED), table.container)) for n in range(1100)]
    for at in range(0, 1100, 100):
        table.client.submit_transaction(batch[at : at + 100])
    assert library.counts().files == 1100
    assert library.counts(most=10).files == 1000
    assert not library.counts(most=10).complete


# Lines, text, pages


@pytest.fixture
def book(settings: Settings) -> Document:
    """A document of three pages as the app leaves it: lines, rows of pages, text and pages blob."""
    blobs, tables = blob_service(settings.storage), table_service(settings.storage)
    outputs = blobs.create_container(settings.output_container)
    lines = tables.create_table(settings.lines_table)
    key = lines_key(settings.input_container, "book.pdf")
    lines.upsert_entity({"PartitionKey": key, "RowKey": "!head", "SourceETag": "e", "Operation": "op-1"})
    offset, pages = 0, b""
    for page in (1, 2, 3):
        texts = [f"page {page} line {line} é" for line in (1, 2)]
        line = json.dumps({"page": page, "text": "\n".join(texts)}, ensure_ascii=False).encode() + b"\n"
        row = {"PartitionKey": key, "RowKey": f"{page:05}-00000", "Name": "book.pdf", "Page": page, "Width": 8.5}
        lines.upsert_entity({**row, "Offset": EntityProperty(offset, EdmType.INT64), "Length": len(line)})
        offset, pages = offset + len(line), pages + line
        for number, text in enumerate(texts, start=1):
            row = {"PartitionKey": key, "RowKey": f"{page:05}-{number:05}", "Page": page, "Line": number, "Text": text}
            lines.upsert_entity({**row, "BoundingBox": "[0,0,1.5,0,1.5,1,0,1]", "Unit": "inch", "Confidence": 0.5})
    outputs.upload_blob("book.pdf.jsonl", pages, metadata={"operation_id": "op-1"})
    outputs.upload_blob("book.pdf.txt", "page é\n\fpage two\n".encode(), metadata={"operation_id": "op-1"})
    return Document(
        name="book.pdf",
        status=Status.SUCCEEDED,
        lines_key=key,
        text_blob="book.pdf.txt",
        pages_blob="book.pdf.jsonl",
        operation_url="https://read/op-1?x=y",
    )


def test_lines_come_in_order_and_without_the_rows_of_pages(library: Library, book: Document) -> None:
    lines = list(library.each_line(book))

    assert [(line.page, line.line) for line in lines] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert lines[0] == StoredLine(
        page=1, line=1, text="page 1 line 1 é", bounding_box=(0, 0, 1.5, 0, 1.5, 1, 0, 1), unit="inch", confidence=0.5
    )


def test_lines_of_one_page_are_found_by_their_keys(library: Library, book: Document) -> None:
    assert [line.text for line in library.each_line(book, 2)] == ["page 2 line 1 é", "page 2 line 2 é"]
    assert not list(library.each_line(book, 4))


def test_lines_continue_where_they_stopped(library: Library, book: Document) -> None:
    first = library.lines(book, limit=4)
    rest = library.lines(book, continuation=first.continuation)
    assert [line.page for line in (*first.entries, *rest.entries)] == [1, 1, 2, 2, 3, 3]


def test_lines_and_pages_of_a_document_that_has_not_succeeded_are_not_shown(library: Library, book: Document) -> None:
    for status in set(Status) - {Status.SUCCEEDED}:
        other = book.evolve(status=status)
        assert not list(library.each_line(other))
        assert not list(library.text(other))
        assert library.page(other, 1) is None


def test_the_text_comes_from_the_text_blob(library: Library, book: Document) -> None:
    assert "".join(library.text(book)) == "page é\n\fpage two\n"


def test_the_error_about_a_deleted_text_says_what_to_do(library: Library, book: Document) -> None:
    with pytest.raises(OutputMissing, match=r"'other\.txt' .* is not there\. .*`again`"):
        list(library.text(book.evolve(text_blob="other.txt")))


def test_one_page_is_one_line_of_the_pages_blob(library: Library, book: Document) -> None:
    pages = [json.loads(library.page(book, number) or b"null") for number in (1, 2, 3, 4)]
    assert [page and page["page"] for page in pages] == [1, 2, 3, None]
    assert pages[2]["text"] == "page 3 line 1 é\npage 3 line 2 é"


def test_reading_a_page_takes_one_row_and_one_range(library: Library, book: Document, settings: Settings) -> None:
    blobs = blob_service(settings.storage).get_container_client(settings.output_container)
    assert library.page(book, 2)
    blobs.upload_blob("book.pdf.jsonl", b"of another result", metadata={"operation_id": "op-2"}, overwrite=True)
    with pytest.raises(OutputMissing, match=r"jsonl.*another result"):
        library.page(book, 2)
    blobs.upload_blob("book.pdf.jsonl", b"short", metadata={"operation_id": "op-1"}, overwrite=True)
    with pytest.raises(OutputMissing):
        library.page(book, 2)


@pytest.mark.parametrize("edit", [{"Offset": "x"}, {"Length": -1}, {"Length": "9"}], ids=str)
def test_an_edited_row_of_a_page_is_reported(
    library: Library, book: Document, settings: Settings, edit: dict[str, Any]
) -> None:
    lines = table_service(settings.storage).get_table_client(settings.lines_table)
    lines.update_entity({"PartitionKey": book.lines_key or "", "RowKey": "00002-00000", **edit}, mode=UpdateMode.MERGE)
    with pytest.raises(OutputMissing, match="page 2"):
        library.page(book, 2)


def test_a_document_from_before_pages_blobs_has_no_page(library: Library, book: Document) -> None:
    assert library.page(book.evolve(pages_blob=None), 1) is None


def test_outputs_are_read_from_where_the_row_says(settings: Settings, book: Document) -> None:
    renamed = replace(settings, output_container="results2", lines_table="lines2")
    row = book.evolve(output_container=settings.output_container, lines_table=settings.lines_table)

    library = build_library(renamed)

    assert len(list(library.each_line(row))) == 6
    assert library.page(row, 3)
    assert "".join(library.text(row)).startswith("page")


def test_the_apps_own_output_can_be_read(app: App) -> None:
    document = app.read("a.png", "one\ftwo")
    library = build_library(app.settings)
    assert library.document("a.png") == document
    assert "".join(library.text(document)) == "one\n\ftwo\n"
    assert [line.text for line in library.each_line(document)] == ["one", "two"]
    assert [json.loads(library.page(document, number) or b"null")["text"] for number in (1, 2)] == ["one\n", "two\n"]

"""docs/storage.md explains every status, column, row and key as the code has it."""

import pytest

from shared.document import Status, to_row, to_worklist_entry
from shared.keys import document_key, is_junk
from shared.outputs.pages import PagesWriter, page_json
from shared.outputs.text import TextWriter
from shared.read.result import Line, Page, Word
from shared.text import TEXT_LIMIT
from tests.support.markdown import document, full_document, names, section, tables

PAGE = document("docs/storage.md")
STATUSES = (Status.SUBMITTING, Status.READING, Status.WAITING, Status.SUCCEEDED, Status.FAILED, Status.IGNORED)


def first_column(heading: str) -> list[str]:
    """The texts set as code in the first column of all tables under a heading."""
    return [name for rows in tables(section(PAGE, heading)) for row in rows for name in names(row[0])]


def test_every_column_of_a_document_is_explained() -> None:
    columns = set(to_row(full_document(), "inbox")) - {"PartitionKey", "RowKey"}
    explained = first_column("The documents table")
    assert sorted(set(explained) - set(Status)) == sorted(columns)


def test_every_status_is_explained_in_the_order_of_a_documents_life() -> None:
    assert [name for name in first_column("The documents table") if name in set(Status)] == list(map(str, STATUSES))


def test_the_documented_ignored_names_are_those_that_are_ignored() -> None:
    (row,) = [row for row in tables(section(PAGE, "The documents table"))[-1] if names(row[0]) == ["ignored"]]
    patterns = names(row[1])
    assert patterns
    assert all(is_junk(f"folder/{pattern.replace('*', 'x')}") for pattern in patterns)


def test_every_column_of_a_worklist_entry_is_named() -> None:
    columns = set(to_worklist_entry(full_document(), "inbox")) - {"PartitionKey"}
    assert columns <= set(names(section(PAGE, "Worklist entries"))) | {"RowKey"}


def test_a_text_is_cut_at_the_documented_length() -> None:
    assert PAGE.count(f"{TEXT_LIMIT:,} UTF-16 units") == 2


def test_every_output_blob_is_listed() -> None:
    extensions = {".json", TextWriter.extension, PagesWriter.extension}
    assert first_column("Output blobs")[:3] == [f"NAME{each}" for each in (".txt", ".json", ".jsonl")]
    assert {f"NAME{each}" for each in extensions} == set(first_column("Output blobs")[:3])


def test_every_field_of_a_page_is_explained() -> None:
    word = Word("Hello", None, None)
    page = page_json(Page(1, lines=(Line("Hello", None, words=(word,)),)))
    explained = tables(section(PAGE, "The pages blob"))[0]
    assert [name for row in explained for name in names(row[0])] == [*page, "words"]
    by_name = {names(row[0])[0]: names(row[1]) for row in explained}
    assert set(by_name["lines"]) == set(page["lines"][0])
    assert set(by_name["words"]) == set(page["lines"][0]["words"][0])


@pytest.mark.parametrize("row", tables(section(PAGE, "Keys"))[0], ids=lambda row: row[0])
def test_the_documented_examples_of_keys_are_right(row: list[str]) -> None:
    (name,), (key,) = map(names, row)
    assert document_key(name) == key

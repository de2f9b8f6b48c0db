"""Names become keys, rows become documents, and back."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.document import Document, Status, from_row, to_row, to_worklist_entry
from shared.keys import document_key, is_junk, is_unsafe, lines_key, output_name, worklist_key
from shared.text import TEXT_LIMIT, truncate

ANY_CHARACTER = st.characters(exclude_categories=["Cs"])
MARKS = st.sampled_from("/:=%\\#?!~ \x00\x1f\x7f\x9f'\"3AaZé語😀")
"""The characters that keys are made with, those that keys cannot hold, and the neighbours of each."""

names = st.text(ANY_CHARACTER | MARKS, min_size=1, max_size=60)
long_names = st.builds(
    lambda start, unit, times, end: ((start + unit * times)[:1000] + end)[:1024],
    names,
    st.text(MARKS, min_size=1, max_size=4),
    st.integers(150, 1000),
    names,
)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def unescaped(key: str) -> str:
    """The name that a key encodes. Fails on half an escape or half a character."""
    spelled = key.replace(":", "/").encode()
    assert not re.search(rb"=(?![0-9A-F]{2})", spelled)
    return re.sub(rb"=([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), spelled).decode()


@given(st.text(ANY_CHARACTER | MARKS, min_size=1, max_size=40))
def test_the_key_of_a_short_name_can_be_decoded_so_no_two_names_share_one(name: str) -> None:
    assert unescaped(document_key(name)) == name


@given(long_names, long_names)
def test_no_two_long_names_share_a_key(one: str, other: str) -> None:
    assert (document_key(one) == document_key(other)) is (one == other)
    assert (lines_key("inbox", one) == lines_key("inbox", other)) is (one == other)


@given(names, long_names)
def test_no_name_has_the_cut_key_of_another(short: str, long: str) -> None:
    spelled = document_key(long)
    assert document_key(spelled[:1024]) != spelled or spelled == long
    assert document_key(short) != spelled or short == long


@given(names | long_names)
def test_a_key_is_legal_for_azure_tables(name: str) -> None:
    for key, limit in (
        (document_key(name), 511),
        (lines_key("c" * 63, name), 511),
        (worklist_key(name), 512),
    ):
        assert 0 < units(key) <= limit
        assert not re.search(r"[/\\#?%\x00-\x1f\x7f-\x9f]", key)


@given(long_names)
def test_a_key_is_never_cut_inside_an_escape_or_a_surrogate_pair(name: str) -> None:
    key = document_key(name)
    if "~" not in key:
        return  # short enough as it is
    start, _, digest = key.partition("~")
    assert units(start) <= 446
    assert name.startswith(unescaped(start))
    assert re.fullmatch(r"[0-9a-f]{64}", digest)


@given(names, names)
def test_a_folder_is_a_range_of_keys(folder: str, name: str) -> None:
    start, end = document_key(folder + "/"), document_key(folder + "/")[:-1] + ";"
    assert start <= document_key(f"{folder}/{name}") < end
    assert (start <= document_key(name) < end) is name.startswith(folder + "/")


@given(names | long_names)
def test_worklist_entry_and_row_differ_only_by_the_first_character(name: str) -> None:
    assert not document_key(name).startswith("!")
    assert worklist_key(name) == "!" + document_key(name)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("2024/05/invoice 7.pdf", "2024:05:invoice 7.pdf"),
        ("a:b", "a=3Ab"),
        ("100%.png", "100=25.png"),
        ("50=50", "50=3D50"),
        ("ü\x85", "ü=C2=85"),
        ("a\\b#c?d!e~f", "a=5Cb=23c=3Fd=21e=7Ef"),
    ],
)
def test_a_key_reads_like_the_name(name: str, key: str) -> None:
    assert document_key(name) == key


@given(names)
def test_an_output_is_named_like_its_file_and_keeps_the_files_extension(name: str) -> None:
    assert output_name(name, ".json") == name + ".json"
    assert output_name(f"{name}.pdf", ".txt") != output_name(f"{name}.png", ".txt")


@given(long_names, long_names)
def test_two_long_names_never_share_an_output(one: str, other: str) -> None:
    assert (output_name(one, ".json") == output_name(other, ".json")) is (one == other)


@given(st.text(ANY_CHARACTER | MARKS, min_size=1000, max_size=1024))
def test_the_name_of_an_output_is_valid_for_a_blob(name: str) -> None:
    named = output_name(name, ".json")
    assert units(named) <= 1024
    assert named.endswith(".json")
    named.encode()  # no half of a surrogate pair


@pytest.mark.parametrize(
    "name", [".DS_Store", "a/Thumbs.db", "DESKTOP.INI", "x/._photo.jpg", "~$report.docx", "folder/"]
)
def test_files_that_systems_leave_behind_are_junk(name: str) -> None:
    assert is_junk(name)


@pytest.mark.parametrize("name", ["a.pdf", "DS_Store", "thumbs.db.pdf", "._/a.pdf", "~a.pdf", ".hidden.pdf"])
def test_a_file_that_a_person_may_have_dropped_is_not_junk(name: str) -> None:
    assert not is_junk(name)


@pytest.mark.parametrize("name", ["..", ".", "a/../b", "../a", "a/..", "a/./b", "a\\..\\b"])
def test_a_dot_segment_is_unsafe(name: str) -> None:
    assert is_unsafe(name)


@pytest.mark.parametrize("name", ["a..b", "...", "..a/b", ".a", "%2e%2e/a", "a/.. /b"])
def test_dots_that_no_client_resolves_are_safe(name: str) -> None:
    assert not is_unsafe(name)


@given(st.text(ANY_CHARACTER, max_size=50), st.integers(0, 60))
def test_a_truncated_text_is_the_longest_start_within_the_limit(text: str, limit: int) -> None:
    cut = truncate(text, limit)
    assert text.startswith(cut)
    assert units(cut) <= limit
    assert cut == text or units(text[: len(cut) + 1]) > limit


def test_a_text_column_holds_as_much_as_azure_allows() -> None:
    assert truncate("😀" * TEXT_LIMIT) == "😀" * (TEXT_LIMIT // 2)


times = st.datetimes(timezones=st.just(UTC))
values: dict[type, st.SearchStrategy[Any]] = {str: names, int: st.integers(0, 2**31 - 1), bool: st.booleans()}


def _value(annotation: Any) -> st.SearchStrategy[Any]:
    for kind, strategy in values.items():
        if annotation in (kind, kind | None):
            return strategy
    return times


documents = st.builds(
    Document,
    name=names,
    status=st.sampled_from(Status),
    **{
        field.name: st.none() | _value(field.type) if "None" in str(field.type) else _value(field.type)
        for field in fields(Document)
        if field.name not in ("name", "status", "row_etag", "others")
    },
)


@given(documents)
def test_a_document_is_read_back_as_it_was_stored(document: Document) -> None:
    assert from_row(to_row(document, "inbox"), "e1") == document.evolve(row_etag="e1")


def test_a_row_without_newer_columns_is_read() -> None:
    assert from_row({"PartitionKey": "inbox", "RowKey": "a", "Name": "a", "Status": "reading"}, "e1") == Document(
        name="a", status=Status.READING, row_etag="e1"
    )


def test_the_users_own_columns_and_those_of_later_versions_are_kept() -> None:
    row = {**to_row(Document(name="a", status=Status.FAILED), "inbox"), "Reviewed": True, "Invented": 1}
    document = from_row(row, None)
    assert document.status is Status.FAILED
    assert to_row(document.evolve(status=Status.READING), "inbox") == {**row, "Status": "reading"}


def test_a_number_or_time_that_a_tool_stored_as_text_is_understood() -> None:
    row = {"Name": "a", "Status": "succeeded", "PageCount": "3", "TextTruncated": "False", "DueAt": "2026-11-22T12:00Z"}
    document = from_row(row, None)
    assert (document.page_count, document.text_truncated) == (3, False)
    assert document.due_at == datetime(2026, 11, 22, 12, tzinfo=UTC)


COLUMNS_TO_EDIT = sorted(to_row(Document(name="a", status=Status.READING), "inbox").keys() - {"PartitionKey", "RowKey"})
"""The keys are not among them: storage lets nobody change the keys of a row."""


@given(
    st.dictionaries(
        st.sampled_from(COLUMNS_TO_EDIT),
        st.none() | st.text() | st.integers() | st.binary() | st.floats() | st.booleans(),
    )
)
def test_no_edit_of_a_row_raises_an_exception(edits: dict[str, Any]) -> None:
    row = {**to_row(Document(name="a", status=Status.READING, submits=2), "inbox"), **edits}
    document = from_row(row, "e1", "a")
    assert document.name == "a" or document.error_code != "RowEdited"
    assert document.status is Status.FAILED or document.error_code is None


@pytest.mark.parametrize("row", [{}, {"Status": "reading"}])
def test_a_row_that_names_no_document_is_refused(row: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no Name"):
        from_row(row, None)


@pytest.mark.parametrize(
    "edit", [{"Status": None}, {"Status": "dreaming"}, {"Polls": "many"}, {"DueAt": "soon"}, {"Name": "b"}]
)
def test_a_row_that_cannot_be_read_is_a_document_that_failed_and_says_which_column(edit: dict[str, Any]) -> None:
    row = {**to_row(Document(name="a", status=Status.READING, source_etag="e1"), "inbox"), **edit}
    document = from_row(row, "row-etag", "a")
    assert (document.name, document.status, document.error_code) == ("a", Status.FAILED, "RowEdited")
    assert next(iter(edit)) in (document.error_message or "")
    assert document.advice
    assert (document.source_etag, document.row_etag) == ("e1", "row-etag")


def test_no_column_is_longer_than_storage_allows() -> None:
    texts: dict[str, Any] = {each.name: "x" * 200_000 for each in fields(Document) if "str |" in str(each.type)}
    row = to_row(Document(name="a", status=Status.SUCCEEDED, **texts), "inbox")
    assert sum(len(value) for value in row.values() if isinstance(value, str)) * 2 < 2**19


def test_a_row_has_the_documented_columns() -> None:
    filled = Document(
        name="a",
        status=Status.SUCCEEDED,
        **{
            field.name: _example(str(field.type))
            for field in fields(Document)
            if field.name not in ("name", "status", "others")
        },
    )
    documented = (
        "Name Status Text TextTruncated TextBlob ResultBlob LinesKey PageCount LineCount WordCount PagesInFile Warning"
        " ErrorCode ErrorMessage Advice Language RequestedLanguage RequestedPages ApiVersion ModelVersion SourceETag"
        " ContentMD5 ContentLength UploadedAt SubmittedAt CompletedAt OperationUrl Submits Polls DueAt WriteId"
        " AppVersion"
    )
    assert set(documented.split()) <= set(to_row(filled, "inbox"))


def _example(annotation: str) -> Any:
    if "datetime" in annotation:
        return datetime(2026, 11, 22, tzinfo=UTC)
    return 1 if "int" in annotation or "bool" in annotation else "x"


def test_a_worklist_entry_says_what_failed_and_what_to_do() -> None:
    due = datetime(2026, 11, 22, tzinfo=UTC)
    document = Document(
        name="a/b.pdf",
        status=Status.FAILED,
        uploaded_at=due,
        due_at=due,
        error_code="EmptyFile",
        advice="Upload.",
    )
    assert to_worklist_entry(document, "inbox") == {
        "PartitionKey": "inbox",
        "RowKey": "!a:b.pdf",
        "Name": "a/b.pdf",
        "Status": "failed",
        "Since": due,
        "DueAt": due,
        "ErrorCode": "EmptyFile",
        "Advice": "Upload.",
    }

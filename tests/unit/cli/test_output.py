"""How documents are shown."""

import sys
import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cli.output import amount, by_status, for_terminal, joined, one_line, size, state, waiting_note
from shared.document import Document, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=1)))
DUE = datetime(2026, 11, 22, 13, 32, tzinfo=UTC)


def test_counts_are_shown_on_one_line() -> None:
    counts = Counter({"reading": 40, "succeeded": 2941, "waiting": 7, "failed": 12})

    assert by_status(counts, "throttled, next try 14:32") == (
        "3,000 files: 2,941 succeeded, 12 failed, 40 reading, 7 waiting (throttled, next try 14:32)"
    )


def test_zero_files_are_counted_too() -> None:
    assert by_status({}) == "0 files"


def test_one_file_is_not_called_files() -> None:
    assert by_status({"succeeded": 1}) == "1 file: 1 succeeded"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (8_210_000_000, "8.2 GB"),
        (12_300_000_000_000, "12.3 TB"),
    ],
)
def test_a_number_of_bytes_is_shown_in_a_fitting_unit(number: int, shown: str) -> None:
    assert size(number) == shown


def test_waiting_documents_are_shown_with_reason_and_earliest_try_in_local_time() -> None:
    assert waiting_note({"Throttled": 2}, DUE, NOW) == "throttled, next try 14:32"


def test_several_reasons_are_counted() -> None:
    waiting = {"ReadUnavailable": 1, "Throttled": 2, "": 3}
    assert waiting_note(waiting, DUE, NOW) == "2 throttled, 1 read unavailable, next try 14:32"


def test_a_try_on_another_day_is_shown_with_its_date() -> None:
    assert waiting_note({"Throttled": 1}, DUE + timedelta(days=2), NOW) == "throttled, next try 2026-11-24 14:32"


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (Document(name="a", status=Status.READING), "reading"),
        (
            Document(name="a", status=Status.SUCCEEDED, page_count=1, line_count=1200),
            "succeeded: 1 page, 1,200 lines",
        ),
        (
            Document(name="a", status=Status.FAILED, error_code="EmptyFile", error_message="No content.", advice="Do."),
            "failed (EmptyFile): No content. Do.",
        ),
        (
            Document(name="a", status=Status.WAITING, error_code="Throttled", error_message="Busy.", due_at=DUE),
            "waiting (throttled, next try 14:32): Busy.",
        ),
        (Document(name="a", status=Status.IGNORED, warning="Left alone."), "ignored: Left alone."),
    ],
)
def test_a_document_is_shown_with_status_reason_and_advice(document: Document, shown: str) -> None:
    assert state(document, NOW) == shown


def test_unreadable_rows_are_counted_too() -> None:
    assert by_status({"succeeded": 1, "trouble": 2}) == "3 files: 1 succeeded, 2 trouble"


SPOOFS = {
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\x00": r"\x00",
    "\x1b": r"\x1b",
    "\x7f": r"\x7f",
    "\x9b": r"\x9b",
    "\u061c": r"\u061c",
    "\u200b": r"\u200b",
    "\u200e": r"\u200e",
    "\u2028": r"\u2028",
    "\u2029": r"\u2029",
    "\u202e": r"\u202e",
    "\u2066": r"\u2066",
    "\ufeff": r"\ufeff",
    "\U000e0041": r"\U000e0041",
    "\ud800": r"\ud800",
}


@pytest.mark.parametrize(("character", "shown"), SPOOFS.items(), ids=ascii)
def test_control_and_bidi_characters_are_shown_as_escapes(character: str, shown: str) -> None:
    assert one_line(f"a{character}b") == f"a{shown}b"


@pytest.mark.parametrize(
    "text", ["é", "日本語", "نامه\u200cها", "👩\u200d👩\u200d👧", "a b", "100% 'it''s'", "\\n", "\u00a0"]
)
def test_letters_of_every_script_are_shown_unchanged(text: str) -> None:
    assert one_line(text) == text


def test_no_unicode_character_breaks_a_line_or_changes_its_direction() -> None:
    turning = {"L", "R", "AL", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"} - {"L", "R", "AL"}
    for code in range(sys.maxunicode + 1):
        shown = one_line(chr(code))
        assert len(shown.splitlines()) == 1, hex(code)
        assert not turning & {unicodedata.bidirectional(each) for each in shown}, hex(code)
        assert not any(unicodedata.category(each) in ("Cc", "Cs") for each in shown), hex(code)


def test_a_documents_text_keeps_line_feeds_but_no_other_control_character() -> None:
    assert for_terminal("a\x1b[31mred\x07\tb\n\x9b\u202e\n\fpage two\n") == (
        "a\\x1b[31mred\\x07\tb\n\\x9b\\u202e\n\npage two\n"
    )


def test_a_document_s_messages_stay_on_their_line() -> None:
    hostile = Document(name="a", status=Status.FAILED, error_code="X\n", error_message="a\nb", advice="c\u2028d")
    assert state(hostile, NOW) == r"failed (X\n): a\nb c\u2028d"
    assert state(Document(name="a", status=Status.IGNORED, warning="a\nb"), NOW) == r"ignored: a\nb"


def test_the_text_of_a_blob_is_joined_as_in_the_row() -> None:
    assert joined("one\ntwo\n\fthree\n") == "one\ntwo\n\nthree"
    assert joined("") == ""


def test_numbers_have_thousands_separators_and_plurals() -> None:
    assert [amount(1, "page"), amount(3000, "page")] == ["1 page", "3,000 pages"]

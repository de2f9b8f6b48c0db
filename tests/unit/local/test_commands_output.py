"""How documents are shown."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest

from local.commands.output import amount, by_status, for_terminal, joined, size, state, waiting_note
from shared.document import Document, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=1)))
DUE = datetime(2026, 11, 22, 13, 32, tzinfo=UTC)


def test_counts_are_one_line_for_a_person() -> None:
    counts = Counter({"reading": 40, "succeeded": 2941, "waiting": 7, "failed": 12})

    assert by_status(counts, "throttled, next look 14:32") == (
        "3,000 files: 2,941 succeeded, 12 failed, 40 reading, 7 waiting (throttled, next look 14:32)"
    )


def test_no_files_are_counted_too() -> None:
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
def test_a_number_of_bytes_is_told_in_the_unit_that_fits(number: int, shown: str) -> None:
    assert size(number) == shown


def test_those_that_wait_are_told_by_reason_and_earliest_look_in_local_time() -> None:
    waiting = [("Throttled", DUE + timedelta(hours=1)), ("Throttled", DUE)]

    assert waiting_note(waiting, NOW) == "throttled, next look 14:32"


def test_several_reasons_are_counted() -> None:
    waiting = [("Throttled", DUE), ("ReadUnavailable", None), ("Throttled", None)]

    assert waiting_note(waiting, NOW) == "2 throttled, 1 read unavailable, next look 14:32"


def test_a_look_on_another_day_has_its_date() -> None:
    assert waiting_note([("Throttled", DUE + timedelta(days=2))], NOW) == "throttled, next look 2026-11-24 14:32"


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
            "waiting (throttled, next look 14:32): Busy.",
        ),
        (Document(name="a", status=Status.IGNORED, warning="Left alone."), "ignored: Left alone."),
    ],
)
def test_a_document_is_told_by_how_it_stands_why_and_what_to_do(document: Document, shown: str) -> None:
    assert state(document, NOW) == shown


def test_control_characters_of_a_document_do_not_reach_the_terminal() -> None:
    assert for_terminal("a\x1b[31mred\x07\tb\n\x9b") == "a\ufffd[31mred\ufffd\tb\n\ufffd"


def test_text_of_a_blob_is_joined_as_the_row_has_it() -> None:
    assert joined("one\ntwo\n\fthree\n") == "one\ntwo\n\nthree"
    assert joined("") == ""


def test_amounts_are_grouped_and_in_the_plural() -> None:
    assert [amount(1, "page"), amount(3000, "page")] == ["1 page", "3,000 pages"]

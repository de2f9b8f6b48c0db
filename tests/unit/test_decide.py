"""The state machine: from a row, what storage and Read say, and the time, it decides the next step."""

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import decide, settings
from shared.advice import ADVICE
from shared.decide import (
    Adopt,
    Claim,
    Poll,
    Skip,
    Submit,
    Transition,
    after_poll,
    after_post,
    next_step,
    on_missing,
)
from shared.decide.submit import MOST_LOST_ANSWERS, MOST_SERVER_ERRORS
from shared.document import Document, Status, Version
from shared.message import Message
from shared.read.answers import Accepted, AnswerLost, Gone, Rejected, Retryable, Running
from shared.schedule import while_result_lasts

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
SIX_DAYS = 6 * 24 * 3600
SETTINGS = settings.from_environment(
    {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://127.0.0.1:5000"},
    '{"functionTimeout": "00:10:00"}',
)
OPERATION = "http://127.0.0.1:5000/vision/v3.2/read/analyzeResults/7d2a"
VERSION = Version(etag="e1", length=1000, md5="m1", uploaded_at=PAST, metadata={})
SUBMITTING, READING, WAITING = Status.SUBMITTING, Status.READING, Status.WAITING
SUCCEEDED, FAILED, IGNORED = Status.SUCCEEDED, Status.FAILED, Status.IGNORED

# A document's row in each state
CLAIMED = Document(
    name="a.pdf", status=SUBMITTING, source_etag="e1", write_id="c1", due_at=FUTURE, submits=1, lost_answers=1
)
CRASHED = replace(CLAIMED, due_at=PAST)
WAITING_TO_SUBMIT = Document(name="a.pdf", status=WAITING, source_etag="e1", write_id="c1", due_at=FUTURE, attempts=1)
BEING_READ = Document(
    name="a.pdf",
    status=READING,
    source_etag="e1",
    write_id="c1",
    due_at=FUTURE,
    submits=1,
    operation_url=OPERATION,
    submitted_at=PAST,
)
WAITING_TO_POLL = replace(BEING_READ, status=WAITING)
READ = replace(
    BEING_READ,
    status=SUCCEEDED,
    due_at=None,
    text="hello",
    content_md5="m1",
    content_length=1000,
    api_version="v3.2",
)
BROKEN = Document(name="a.pdf", status=FAILED, source_etag="e1", write_id="c1", error_code="InvalidImage")
LEFT_ALONE = Document(name="a.pdf", status=IGNORED, source_etag="e1", write_id="c1")
STATIONS = [CLAIMED, CRASHED, WAITING_TO_SUBMIT, BEING_READ, WAITING_TO_POLL, READ, BROKEN, LEFT_ALONE]


# What a message leads to


@pytest.mark.parametrize(
    ("document", "step"),
    [
        (CLAIMED, Skip("another run holds the claim")),
        (CRASHED, Submit()),
        (WAITING_TO_SUBMIT, Submit()),
        (BEING_READ, Poll()),
        (WAITING_TO_POLL, Poll()),
        (READ, Skip("the document is succeeded")),
        (BROKEN, Skip("the document is failed")),
        (LEFT_ALONE, Skip("the document is ignored")),
    ],
)
def test_a_documents_own_message_leads_to_its_next_step(document: Document, step: object) -> None:
    assert next_step(document, Message.about(document), NOW) == step


@pytest.mark.parametrize("document", STATIONS)
def test_an_outdated_message_is_dropped(document: Document) -> None:
    stale = replace(Message.about(document), write_id="an older claim")
    assert next_step(document, stale, NOW) == Skip("the document has moved on")


def test_a_message_about_a_forgotten_document_does_not_bring_it_back() -> None:
    assert next_step(None, Message.about(BEING_READ), NOW) == Skip("its document is forgotten")


def test_an_enqueued_file_without_a_row_is_submitted() -> None:
    assert next_step(None, Message("a.pdf", "e1"), NOW) == Submit()


@pytest.mark.parametrize(
    "document", [CLAIMED, WAITING_TO_SUBMIT, BEING_READ, WAITING_TO_POLL, READ, BROKEN, LEFT_ALONE]
)
def test_an_enqueued_version_that_is_known_is_left_alone(document: Document) -> None:
    assert next_step(document, Message("a.pdf", "e1"), NOW) == Skip("it is known")


@pytest.mark.parametrize("document", [replace(station, due_at=PAST) for station in (BEING_READ, WAITING_TO_POLL)])
def test_an_enqueued_version_whose_poll_is_overdue_is_polled(document: Document) -> None:
    assert next_step(document, Message("a.pdf", "e1"), NOW) == Poll()


@pytest.mark.parametrize("document", [WAITING_TO_SUBMIT, BEING_READ, READ, BROKEN])
def test_an_enqueued_newer_version_is_submitted(document: Document) -> None:
    assert next_step(document, Message("a.pdf", "e2"), NOW) == Submit()


# What happens to the version that storage holds now


def version_of(
    document: Document | None, **options: Any
) -> decide.Claim | decide.Adopt | decide.Transition | decide.Later | decide.Skip:
    given = {"name": "a.pdf", "version": VERSION, "now": NOW, "settings": SETTINGS, **options}
    return decide.on_version(document, **given)


def test_a_new_file_is_claimed_before_it_is_posted() -> None:
    claim = version_of(None)
    assert isinstance(claim, Claim)
    assert claim.document.status is SUBMITTING
    assert claim.document.source_etag == "e1"
    assert (claim.document.submits, claim.document.lost_answers) == (1, 1)
    assert claim.document.due_at == NOW + SETTINGS.claim_length


@pytest.mark.parametrize(
    "document", [CLAIMED, WAITING_TO_SUBMIT, BEING_READ, WAITING_TO_POLL, READ, BROKEN, LEFT_ALONE]
)
def test_another_event_for_the_same_version_changes_nothing(document: Document) -> None:
    assert isinstance(version_of(document), Skip)


versions = st.builds(
    Version,
    etag=st.sampled_from(["e1", "e2"]),
    length=st.sampled_from([0, 1000, 2000]),
    md5=st.sampled_from([None, "m1", "m2"]),
    uploaded_at=st.sampled_from([PAST, NOW]),
    metadata=st.sampled_from([{}, {"language": "de"}, {"language": "!"}, {"hdi_isfolder": "true"}]),
    unreadable=st.none() | st.just("BlobArchived"),
)
rows = st.builds(
    Document,
    name=st.just("a.pdf"),
    status=st.sampled_from(Status),
    source_etag=st.sampled_from(["e1", "e2"]),
    content_md5=st.sampled_from([None, "m1"]),
    content_length=st.just(1000),
    api_version=st.just("v3.2"),
    operation_url=st.none() | st.just(OPERATION),
    write_id=st.just("c1"),
    due_at=st.sampled_from([None, PAST, FUTURE]),
    submitted_at=st.just(PAST),
    submits=st.integers(0, 9),
    lost_answers=st.integers(0, 9),
    resubmits=st.integers(0, 2),
    attempts=st.integers(0, 99),
    not_found_polls=st.integers(0, 1),
    polls=st.integers(0, 999),
    text=st.just("an older version's"),
    error_code=st.none() | st.just("Throttled"),
)


@given(rows, versions, st.booleans(), st.booleans())
def test_a_version_that_is_being_read_or_is_final_is_never_paid_again(
    document: Document, version: Version, due: bool, adopt: bool
) -> None:
    being_read = document.status in (READING, WAITING) and document.operation_url
    if version.etag == document.source_etag and (document.status.final or being_read):
        assert isinstance(version_of(document, version=version, due=due, adopt=adopt), Skip)


@given(rows, versions, st.booleans())
def test_a_claim_that_another_run_holds_is_respected(document: Document, version: Version, due: bool) -> None:
    held = replace(document, status=SUBMITTING, source_etag=version.etag, due_at=FUTURE)
    assert isinstance(version_of(held, version=version, due=due), Skip)


@given(rows, versions, st.booleans(), st.booleans())
def test_every_claim_is_counted_and_has_a_deadline(
    document: Document, version: Version, due: bool, adopt: bool
) -> None:
    step = version_of(document, version=version, due=due, adopt=adopt)
    if isinstance(step, Claim):
        assert step.document.status is SUBMITTING
        assert step.document.submits > 0
        assert step.document.lost_answers > 0
        assert step.document.due_at == NOW + SETTINGS.claim_length
        assert step.document.operation_url is None


@given(rows, versions)
def test_a_newer_version_starts_without_the_older_ones_text_counts_and_errors(
    document: Document, version: Version
) -> None:
    step = version_of(replace(document, source_etag="another"), version=version)
    if isinstance(step, Claim):
        new = step.document
        assert new.source_etag == version.etag
        assert (new.text, new.text_blob, new.lines_key, new.error_code, new.operation_url) == (None,) * 5
        assert (new.submits, new.attempts, new.polls, new.resubmits, new.not_found_polls) == (1, 0, 0, 0, 0)
        assert new.clean_up_at is not None  # an older version may have left outputs


def test_a_waiting_document_is_submitted_when_its_own_message_comes_back() -> None:
    assert isinstance(version_of(WAITING_TO_SUBMIT, due=True), Claim)
    assert isinstance(version_of(WAITING_TO_SUBMIT, due=False), Skip)


def test_a_claim_whose_run_crashed_is_taken_over_after_its_deadline() -> None:
    step = version_of(CRASHED)
    assert isinstance(step, Claim)
    assert (step.document.submits, step.document.lost_answers) == (2, 2)


def test_five_claims_without_an_answer_are_enough() -> None:
    step = version_of(replace(CRASHED, submits=5, lost_answers=5))
    assert isinstance(step, Transition)
    assert (step.document.status, step.document.error_code) == (FAILED, "SubmitCrashed")
    assert step.document.submits == 5


# The same content again


def test_a_new_version_of_the_same_content_is_adopted_unpaid() -> None:
    step = version_of(READ, version=replace(VERSION, etag="e2"))
    assert step == Adopt(replace(READ, source_etag="e2", uploaded_at=PAST))


@pytest.mark.parametrize(
    ("document", "version"),
    [
        (READ, replace(VERSION, etag="e2", md5="m2")),
        (READ, replace(VERSION, etag="e2", length=1001)),
        (READ, replace(VERSION, etag="e2", metadata={"language": "de"})),
        (replace(READ, content_md5=None), replace(VERSION, etag="e2", md5=None)),
        (replace(READ, api_version="v3.1"), replace(VERSION, etag="e2")),
        (replace(READ, status=FAILED), replace(VERSION, etag="e2")),
        (replace(BEING_READ, content_md5="m1", content_length=1000), replace(VERSION, etag="e2")),
    ],
)
def test_only_the_same_content_read_in_the_same_way_is_adopted(document: Document, version: Version) -> None:
    assert isinstance(version_of(document, version=version), Claim)


def test_content_whose_outputs_are_gone_is_read_again() -> None:
    assert isinstance(version_of(READ, version=replace(VERSION, etag="e2"), adopt=False), Claim)


# Files that never reach Read


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"version": replace(VERSION, length=0)}, "EmptyFile"),
        ({"version": replace(VERSION, unreadable="BlobArchived")}, "BlobArchived"),
        ({"version": replace(VERSION, metadata={"pages": "one"})}, "OptionNotSupported"),
    ],
)
def test_a_file_that_cannot_be_read_fails_unpaid_with_advice(options: dict[str, Any], code: str) -> None:
    step = version_of(None, **options)
    assert isinstance(step, Transition)
    assert step.delay is None
    assert (step.document.status, step.document.error_code, step.document.submits) == (FAILED, code, 0)
    assert step.document.advice == ADVICE[code].replace("{version}", "v3.2")


@pytest.mark.parametrize(
    "options",
    [
        {"name": "folder/.DS_Store"},
        {"version": replace(VERSION, metadata={"hdi_isfolder": "true"})},
        {"settings": replace(SETTINGS, read_files_from=NOW)},
    ],
)
def test_a_file_that_is_not_a_document_or_too_old_is_ignored_and_says_why(options: dict[str, Any]) -> None:
    step = version_of(None, **options)
    assert isinstance(step, Transition)
    assert (step.document.status, step.document.submits) == (IGNORED, 0)
    assert step.document.warning


def test_the_row_has_the_options_that_a_document_was_read_with() -> None:
    step = version_of(None, version=replace(VERSION, metadata={"language": "de", "pages": "1-2"}))
    assert isinstance(step, Claim)
    assert (step.document.requested_language, step.document.requested_pages) == ("de", "1-2")


def test_a_document_that_waited_is_submitted_with_the_current_options() -> None:
    changed = replace(SETTINGS, read_options=replace(SETTINGS.read_options, language="de"))
    step = version_of(WAITING_TO_SUBMIT, due=True, settings=changed)
    assert isinstance(step, Claim)
    assert step.document.requested_language == changed.options_for(VERSION.metadata).language


# A deleted file


@pytest.mark.parametrize("document", [WAITING_TO_SUBMIT, CRASHED])
def test_a_file_that_was_deleted_before_it_was_submitted_fails(document: Document) -> None:
    step = on_missing(document, NOW)
    assert step is not None
    assert (step.document.status, step.document.error_code) == (FAILED, "SourceDeleted")


@pytest.mark.parametrize("document", [CLAIMED, BEING_READ, WAITING_TO_POLL, READ, BROKEN, LEFT_ALONE])
def test_a_file_that_was_deleted_later_is_finished_and_kept(document: Document) -> None:
    assert on_missing(document, NOW) is None


# What a POST's answer does to a document

waits = st.none() | st.floats(0, 1e9)
waiting_rows = st.builds(
    Retryable,
    st.sampled_from(["Throttled", "Unreachable", "ReadServerError", "CredentialsRefused"]),
    st.text(max_size=5),
    waits,
)
post_answers = st.one_of(
    st.builds(Accepted, st.just(OPERATION), waits),
    st.builds(Rejected, st.sampled_from(["InvalidImage", "OperationUrlRefused"]), st.text(max_size=5)),
    waiting_rows,
    st.builds(AnswerLost, st.text(max_size=5)),
)
look_answers = st.one_of(
    st.builds(Running, waits),
    st.builds(Rejected, st.just("InvalidImage"), st.text(max_size=5)),
    waiting_rows,
    st.builds(Gone, st.text(max_size=5)),
)


def polled(document: Document, answer: Any, now: datetime = NOW, seed: int = 1) -> Transition:
    return after_poll(document, answer, now, Random(seed), SETTINGS)  # noqa: S311 - jitter


def posted(document: Document, answer: Any, seed: int = 1) -> Transition:
    return after_post(document, answer, NOW, Random(seed))  # noqa: S311 - jitter


def assert_comes_back_or_has_ended(then: Transition, retry_after: float | None) -> None:
    document = then.document
    if document.status.final:
        assert then.delay is None
        assert document.completed_at == NOW
        return
    assert then.delay is not None
    assert 1 <= then.delay <= SIX_DAYS
    # Read's wait is respected, unless a paid result could expire.
    longest = while_result_lasts(SIX_DAYS, age(document)) if document.operation_url else SIX_DAYS
    assert then.delay >= min(retry_after or 0, longest)
    assert document.due_at == NOW + timedelta(seconds=then.delay)


def age(document: Document) -> float:
    return (NOW - document.submitted_at).total_seconds() if document.submitted_at else 0


@given(rows, st.floats(0, 1e11), st.integers(0, 2**32))
def test_no_wait_is_so_long_that_a_paid_result_expires(document: Document, retry_after: float, seed: int) -> None:
    reading = replace(document, status=READING, operation_url=OPERATION, submitted_at=NOW - timedelta(hours=1))
    for answer in (Running(retry_after), Retryable("Throttled", "HTTP 429", retry_after)):
        then = polled(reading, answer, NOW, seed)
        assert then.document.due_at is None or then.document.due_at < NOW + timedelta(hours=23)


def assert_a_failure_explains_itself(document: Document) -> None:
    if document.status in (FAILED, WAITING):
        assert document.error_code
        assert document.advice


@given(rows, post_answers, st.integers(0, 2**32))
def test_after_a_post_a_document_has_ended_or_comes_back(document: Document, answer: Any, seed: int) -> None:
    claimed = replace(document, status=SUBMITTING, submits=document.submits + 1, lost_answers=1, operation_url=None)
    then = posted(claimed, answer, seed)
    assert_comes_back_or_has_ended(then, getattr(answer, "retry_after", None))
    assert_a_failure_explains_itself(then.document)
    assert then.document.status is not SUBMITTING


@given(rows, look_answers, st.integers(0, 2**32))
def test_after_a_poll_a_document_has_ended_or_comes_back(document: Document, answer: Any, seed: int) -> None:
    then = polled(replace(document, status=READING, operation_url=OPERATION), answer, NOW, seed)
    assert_comes_back_or_has_ended(then, getattr(answer, "retry_after", None))
    if then.document.status is FAILED:
        assert_a_failure_explains_itself(then.document)
    assert then.document.polls == document.polls + 1


@given(st.lists(post_answers, max_size=12), st.integers(0, 2**32))
def test_submits_counts_exactly_the_202s_and_the_lost_answers(answers: list[Any], seed: int) -> None:
    document: Document | None = None
    paid = 0
    for answer in answers:
        step = version_of(document, due=True)
        if not isinstance(step, Claim):
            break
        assert step.document.submits == paid + 1
        paid += isinstance(answer, Accepted | AnswerLost) or answer.code == "OperationUrlRefused"
        document = posted(step.document, answer, seed).document
        assert document.submits == paid


def test_a_document_that_read_took_is_polled_two_seconds_later() -> None:
    then = posted(CLAIMED, Accepted(OPERATION))
    assert then.delay == 2
    assert (then.document.status, then.document.operation_url) == (READING, OPERATION)
    assert (then.document.submits, then.document.lost_answers) == (1, 0)


def test_a_rejected_file_fails_with_the_services_words_and_was_not_paid() -> None:
    then = posted(CLAIMED, Rejected("InvalidImageSize", "Too large."))
    document = then.document
    assert (document.status, document.error_code, document.error_message) == (
        FAILED,
        "InvalidImageSize",
        "Too large.",
    )
    assert document.submits == 0


def test_a_202_with_a_foreign_operation_url_was_paid_and_cannot_be_followed() -> None:
    then = posted(CLAIMED, Rejected("OperationUrlRefused", "Elsewhere."))
    assert (then.document.status, then.document.submits) == (FAILED, 1)


def test_a_throttled_document_waits_as_long_as_read_says_and_is_not_paid() -> None:
    then = posted(CLAIMED, Retryable("Throttled", "HTTP 429", 26))
    assert (then.document.status, then.document.submits, then.document.attempts) == (WAITING, 0, 1)
    assert then.delay is not None
    assert then.delay >= 26


def test_waiting_times_grow_with_each_attempt_in_a_row() -> None:
    document, delays = CLAIMED, []
    for _ in range(9):
        then = posted(replace(document, submits=1), Retryable("Throttled", "HTTP 429"))
        document = then.document
        delays.append(then.delay or 0)
    assert delays == sorted(delays)
    assert delays[-1] > 100


def test_after_a_lost_answer_the_document_may_have_been_paid_and_is_tried_again() -> None:
    then = posted(CLAIMED, AnswerLost("Lost."))
    assert (then.document.status, then.document.error_code) == (WAITING, "AnswerLost")
    assert (then.document.submits, then.document.lost_answers) == (1, 1)


def test_the_fifth_lost_answer_in_a_row_is_the_last() -> None:
    then = posted(replace(CLAIMED, submits=5, lost_answers=5), AnswerLost("Lost."))
    assert (then.document.status, then.document.error_code) == (FAILED, "SubmitCrashed")


def test_lost_answers_are_counted_however_many_retryable_answers_come_between_them() -> None:
    document: Document | None = None
    between = [AnswerLost("Lost."), Retryable("Throttled", "HTTP 429")] * (MOST_LOST_ANSWERS - 1)
    for answer in [*between, AnswerLost("Lost.")]:
        step = version_of(document, due=True)
        assert isinstance(step, Claim)
        document = posted(step.document, answer).document
    assert document is not None
    assert document.status is FAILED


def test_a_file_at_which_read_keeps_failing_is_given_up() -> None:
    document, error = CLAIMED, Retryable("ReadServerError", "HTTP 500")
    for _ in range(MOST_SERVER_ERRORS - 1):
        document = replace(posted(replace(document, submits=1), error).document, status=SUBMITTING)
    then = posted(replace(document, submits=1), error)
    assert (then.document.status, then.document.error_code) == (FAILED, "ReadServerError")


def test_a_throttled_file_is_not_given_up_at_the_first_server_error() -> None:
    document = CLAIMED
    for _ in range(MOST_SERVER_ERRORS):
        document = replace(posted(replace(document, submits=1), Retryable("Throttled", "HTTP 429")).document)
    assert posted(replace(document, submits=1), Retryable("ReadServerError", "HTTP 500")).document.status is WAITING


# What a poll's answer does to a document


@pytest.mark.parametrize("document", [BEING_READ, WAITING_TO_POLL])
def test_while_read_works_the_document_is_reading_and_has_no_error(document: Document) -> None:
    then = polled(replace(document, error_code="Throttled", advice="x", error_message="y"), Running())
    assert (then.document.status, then.document.error_code, then.document.advice) == (READING, None, None)


def test_an_operation_may_run_for_hours_but_not_for_ever() -> None:
    long = replace(BEING_READ, submitted_at=NOW - timedelta(hours=6))
    assert polled(long, Running()).document.status is READING
    then = polled(long, Running(), NOW + timedelta(seconds=1))
    assert (then.document.status, then.document.error_code) == (FAILED, "OperationTimedOut")


@pytest.mark.parametrize("answer", [Retryable("Throttled", "x"), Retryable("Unreachable", "x"), Gone("x")])
def test_only_a_poll_that_says_so_makes_an_operation_late(answer: Any) -> None:
    late = replace(BEING_READ, submitted_at=NOW - timedelta(days=2))
    assert not polled(late, answer).document.status.final


def test_a_404_on_an_operation_is_believed_the_second_time_30_seconds_later() -> None:
    first = polled(BEING_READ, Gone("No such operation."))
    assert first.delay == 30
    assert (first.document.status, first.document.operation_url) == (READING, OPERATION)
    second = polled(first.document, Gone("No such operation."))
    assert (second.document.status, second.document.error_code) == (WAITING, "OperationExpired")
    assert (second.document.operation_url, second.document.resubmits) == (None, 1)


def test_a_document_whose_operation_was_missing_only_once_is_not_submitted_again() -> None:
    found = polled(polled(BEING_READ, Gone("x")).document, Running()).document
    assert polled(found, Gone("x")).document.operation_url == OPERATION


def test_a_document_whose_operation_was_lost_twice_fails() -> None:
    then = polled(replace(BEING_READ, resubmits=1, not_found_polls=1), Gone("x"))
    assert (then.document.status, then.document.error_code) == (FAILED, "OperationExpired")


@pytest.mark.parametrize("code", ["Throttled", "Unreachable", "CredentialsRefused", "ReadServerError"])
def test_no_number_of_refused_polls_gives_up_a_paid_result(code: str) -> None:
    document = BEING_READ
    for _ in range(100):
        document = polled(document, Retryable(code, "x")).document
    assert (document.status, document.operation_url) == (WAITING, OPERATION)


def test_a_failed_operation_fails_the_document_and_stays_paid() -> None:
    then = polled(BEING_READ, Rejected("3013", "Operation exceeded maximum processing time."))
    assert (then.document.status, then.document.error_code, then.document.submits) == (FAILED, "3013", 1)
    assert then.document.advice


def test_an_errors_message_is_cut_to_what_its_column_holds() -> None:
    then = polled(BEING_READ, Rejected("x", "m" * 5000))
    assert then.document.error_message == "m" * 4000


# Advice

SHARED = Path(__file__).parents[2] / "shared"


def codes_of_our_own() -> set[str]:
    """The error codes of the app itself: the literals that the code passes to functions that make an error."""
    found: set[str] = set()
    for file in SHARED.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                code = {"Retryable": 0, "Rejected": 0, "fail": 1, "wait": 1}.get(name)
                if code is not None and len(node.args) > code and isinstance(node.args[code], ast.Constant):
                    found.add(str(ast.literal_eval(node.args[code])))
    return found


@pytest.mark.parametrize("code", sorted(codes_of_our_own()))
def test_every_code_of_our_own_has_advice_of_its_own(code: str) -> None:
    assert code in ADVICE


def test_advice_names_the_version_that_it_concerns() -> None:
    then = posted(replace(CLAIMED, api_version="v3.2"), Retryable("EndpointNotFound", "HTTP 404"))
    assert "does not speak v3.2" in (then.document.advice or "")


@given(
    row=st.sampled_from([WAITING_TO_SUBMIT, BEING_READ, replace(BEING_READ, not_found_polls=1)]),
    seconds=st.integers(1, 900),
    seed=st.integers(0, 100),
    ours=st.booleans(),
)
def test_trouble_with_another_event_makes_no_step_come_sooner(
    row: Document, seconds: int, seed: int, *, ours: bool
) -> None:
    due, random = NOW + timedelta(seconds=seconds), Random(seed)  # noqa: S311 - jitter
    row = replace(row, due_at=due)
    if ours:
        step = decide.on_own_error(row, row.name, "KeyError", NOW, random)
    else:
        step = decide.on_storage_trouble(row, row.name, "StorageUnavailable", "HTTP 503", NOW, random)
    assert isinstance(step, Transition)
    assert step.document.due_at is not None
    assert step.document.due_at >= due
    assert step.delay is not None
    assert step.delay >= seconds

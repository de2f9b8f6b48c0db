"""What Read's error answers mean: whether waiting can help, what the document says, and how long to wait."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from shared.advice import ADVICE
from shared.read.answers import Rejected, Retryable, load_object, parse_error, refusal, wait_named

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def refused(status: int, body: Any = b"", **headers: str) -> Rejected | Retryable:
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return refusal(status, named, body if isinstance(body, bytes) else json.dumps(body).encode(), NOW)


# Shapes of error bodies


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "InvalidImage", "message": "Broken."}},
        {"error": {"code": "x", "message": "y", "innererror": {"code": "InvalidImage", "message": "Broken."}}},
        {"error": {"code": "InvalidRequest", "innerError": {"code": "InvalidImage", "message": "Broken."}}},
        {"error": {"innererror": {"code": "y", "innererror": {"code": "InvalidImage", "message": "Broken."}}}},
        {"error": {"code": "x", "message": "y", "details": [{"code": "InvalidImage", "message": "Broken."}]}},
        {"code": "InvalidImage", "message": "Broken.", "requestId": "1"},
        {"status": "failed", "analyzeResult": {"errors": [{"code": "InvalidImage", "message": "Broken."}]}},
    ],
)  # fmt: skip
def test_every_shape_of_error_body_gives_its_innermost_code_and_message(body: dict[str, Any]) -> None:
    assert parse_error(body) == ("InvalidImage", "Broken.")


def test_an_outer_message_is_used_if_the_inner_one_is_missing() -> None:
    body = {"error": {"code": "InvalidRequest", "message": "Broken.", "innererror": {"code": "InvalidImage"}}}
    assert parse_error(body) == ("InvalidImage", "Broken.")


def test_a_number_is_a_code_too() -> None:
    assert parse_error({"error": {"code": 429, "message": "Slow down."}}) == ("429", "Slow down.")


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_an_object_has_neither_code_nor_message(body: bytes) -> None:
    assert parse_error(body) == ("", "")
    assert load_object(body) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "code", "message", "innererror", "innerError", "details", "analyzeResult", "errors"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.integers(300, 599), json_values | st.binary(max_size=30))
def test_any_error_answer_is_either_retryable_or_rejected(status: int, body: Any) -> None:
    answer = refused(status, body)
    assert answer.code
    assert answer.message
    assert isinstance(answer, Rejected | Retryable)


# Retryable or rejected


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "NotReadsAnswer"),
        (401, "CredentialsRefused"),
        (403, "AccessDenied"),
        (404, "EndpointNotFound"),
        (405, "EndpointNotFound"),
        (407, "CredentialsRefused"),
        (408, "ReadUnavailable"),
        (429, "Throttled"),
        (500, "ReadServerError"),
        (502, "ReadUnavailable"),
        (503, "ReadUnavailable"),
        (504, "ReadUnavailable"),
        (599, "ReadUnavailable"),
    ],
)
def test_an_error_that_is_not_about_the_file_is_retryable_and_has_its_own_advice(status: int, code: str) -> None:
    answer = refused(status, {"error": {"code": str(status), "message": "Sorry."}})
    assert isinstance(answer, Retryable)
    assert answer.code == code
    assert f"HTTP {status}" in answer.message
    assert "Sorry." in answer.message
    assert code in ADVICE


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_an_error_about_the_file_is_final_and_keeps_the_services_words(status: int) -> None:
    answer = refused(status, {"error": {"code": "InvalidImageSize", "message": "Too large."}})
    assert answer == Rejected("InvalidImageSize", "Too large.")


def test_an_error_about_the_file_without_a_body_names_the_status() -> None:
    answer = refused(413)
    assert isinstance(answer, Rejected)
    assert answer.code == "Http413"
    assert "413" in answer.message


def test_a_400_without_read_s_json_comes_from_a_proxy() -> None:
    answer = refused(400, b"<html><body>Bad Request</body></html>")
    assert isinstance(answer, Retryable)
    assert answer.code == "NotReadsAnswer"


# How long to wait


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("1.5", 1.5),
        ("-3", 0),
        (format_datetime(NOW.replace(minute=2), usegmt=True), 120),
        ("Sun, 22 Nov 2026 14:01:00 +0200", 60),
        ("Sun, 22 Nov 2020 12:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Sun, 22 Nov 2026 12:00:00 -0000", None),  # a time without a known zone
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert wait_named(CaseInsensitiveDict({"retry-after": value}), "", NOW) == seconds


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        (
            "Requests to … have exceeded rate limit of your current S0 tier. Please retry after 55 seconds.",
            55,
        ),
        ("Please retry after 1 second.", 1),
        ("PLEASE RETRY AFTER 3 SECONDS", 3),
        ("Please retry later.", None),
        ("retry after 99999999999999999999 seconds", None),
    ],
)
def test_without_a_header_the_wait_is_taken_from_the_message(message: str, seconds: float | None) -> None:
    assert wait_named({}, message, NOW) == seconds


def test_the_header_overrides_the_message() -> None:
    assert wait_named({"Retry-After": "2"}, "Please retry after 60 seconds.", NOW) == 2


def test_a_retryable_answer_carries_the_wait_that_it_names() -> None:
    answer = refused(429, {"error": {"code": "429", "message": "Please retry after 26 seconds."}})
    assert isinstance(answer, Retryable)
    assert answer.retry_after == 26


@given(st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d\d Nov \d{4} \d\d:\d\d:\d\d [+-]\d{4}", fullmatch=True))
def test_no_broken_retry_after_header_raises(value: str) -> None:
    seconds = wait_named({"Retry-After": value}, "", NOW)
    assert seconds is None or seconds >= 0


def test_a_retry_after_in_an_impossible_time_zone_names_no_wait() -> None:
    assert wait_named({"Retry-After": "Sun, 22 Nov 2026 12:00:00 +99999999999999"}, "", NOW) is None

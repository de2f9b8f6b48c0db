"""A document that waiting can help waits, says why, and continues."""

import pytest

from shared.advance import advance_message
from shared.document import Status
from simulation.app import App
from simulation.read_server import (
    LOST,
    THROTTLED,
    Answer,
    ReadServer,
    as_json,
)
from simulation.storage_tap import StorageTap


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (THROTTLED, "Throttled"),
        (as_json(401, {"error": {"code": "401", "message": "Access denied."}}), "CredentialsRefused"),
        (as_json(403, {"error": {"code": "403", "message": "Out of quota."}}), "AccessDenied"),
        (as_json(404, {"error": {"code": "404", "message": "Resource not found"}}), "EndpointNotFound"),
        (Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}), "NotReadsAnswer"),
        (Answer(302, b"", {"Location": "https://login.example/"}), "NotReadsAnswer"),
        (Answer(500), "ReadServerError"),
        (Answer(503), "ReadUnavailable"),
    ],
)
def test_a_retryable_answer_waits_with_reason_and_advice_and_then_continues(
    app: App, read: ReadServer, answer: Answer, code: str
) -> None:
    read.posts.extend([answer, answer])
    app.drop("a.png", "one")
    app.event("a.png")
    app.step()
    document = app.document("a.png")
    assert (document.status, document.error_code, document.submits) == (Status.WAITING, code, 0)
    assert document.error_message
    assert document.advice
    app.run()
    document = app.document("a.png")
    assert (document.status, document.error_code, document.advice) == (Status.SUCCEEDED, None, None)
    assert document.submits == 1


def test_the_wait_is_at_least_what_read_says_and_grows(app: App, read: ReadServer) -> None:
    read.posts.extend([THROTTLED] * 8)
    app.drop("a.png", "one")
    app.event("a.png")
    delays = [app.step() for _ in range(8)]
    assert min(delays) > 26
    assert delays[-1] > 26 + 60


@pytest.mark.parametrize("answer", [THROTTLED, Answer(401), Answer(503), Answer(200, b"<html>")])
def test_a_poll_that_read_refuses_for_now_waits_and_never_pays_again(
    app: App, read: ReadServer, answer: Answer
) -> None:
    read.gets.extend([answer] * 7)
    document = app.read("a.png", "one")
    assert (document.status, document.polls) == (Status.SUCCEEDED, 8)
    assert len(read.submitted) == 1


def test_a_post_whose_answer_was_lost_is_repeated_and_counted_as_paid(app: App, read: ReadServer) -> None:
    read.posts.append(LOST)
    document = app.read("a.png", "one")
    assert (document.status, document.submits) == (Status.SUCCEEDED, 2)


def test_five_lost_answers_are_enough(app: App, read: ReadServer) -> None:
    read.posts.extend([LOST] * 9)
    document = app.read("a.png", "one")
    assert (document.status, document.error_code, document.submits) == (Status.FAILED, "SubmitCrashed", 5)
    assert len(read.submitted) == 5


def test_a_message_received_by_two_workers_counts_as_one_attempt(app: App, read: ReadServer, tap: StorageTap) -> None:
    read.posts.extend([THROTTLED, THROTTLED])
    app.drop("a.png", "one")
    app.event("a.png")
    text = app.sent.messages[0][0].encode()
    tap.intercept(
        lambda call: call.service == "blob" and call.method == "GET",
        lambda: advance_message(app.twin().services, text),
    )
    app.step()
    assert len(read.submitted) == 2  # the first, and one of the two

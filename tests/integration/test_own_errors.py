"""Errors of the app itself: the row says so, the step is retried, and only an unpaid document fails."""

from dataclasses import replace
from typing import Any

import pytest

from shared.decide.trouble import MOST_OWN_ERRORS
from shared.document import Status
from simulation.app import App
from simulation.read_server import ReadServer

SECRET = "the text of the document"


class Broken:
    """Part of the app with a bug: each use of it raises, and the error's text holds a document's."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{SECRET}, in {name}")


def test_an_unpaid_file_fails_after_a_few_tries_with_advice(
    app: App, read: ReadServer, caplog: pytest.LogCaptureFixture
) -> None:
    works = app.services
    broken: Any = Broken()
    app.services = replace(works, inbox=broken)
    app.drop("a.png", "one")
    app.event("a.png")
    first = app.document("a.png")
    assert (first.status, first.error_code) == (Status.WAITING, "ProcessingFailed")
    app.run()
    document = app.document("a.png")
    assert (document.status, document.error_code) == (Status.FAILED, "ProcessingFailed")
    assert document.advice
    assert document.attempts == MOST_OWN_ERRORS
    assert SECRET not in f"{document} {caplog.text}"
    assert "RuntimeError" in (document.error_message or "")
    assert read.submitted == []


def test_a_paid_result_waits_and_is_stored_by_a_version_without_the_error(app: App, read: ReadServer) -> None:
    works = app.services
    app.drop("a.png", "one")
    app.event("a.png")
    broken: Any = Broken()
    app.services = replace(works, outputs=broken)
    for _ in range(3 * MOST_OWN_ERRORS):
        app.step()
        assert app.document("a.png").status is Status.WAITING
    app.services = works
    app.run()
    assert app.document("a.png").text == "one"
    assert read.submitted == [b"one"]

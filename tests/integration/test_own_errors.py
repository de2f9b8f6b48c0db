"""An error of the app's own: the row says so, it is tried again, and it ends a document only where nothing is paid."""

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


def test_a_file_that_is_not_paid_for_fails_after_a_few_tries_with_advice(
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


def test_a_paid_result_is_waited_for_and_taken_in_by_a_version_without_the_error(app: App, read: ReadServer) -> None:
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

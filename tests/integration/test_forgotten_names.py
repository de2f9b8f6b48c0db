"""A forgotten document's name is used again while a slow run still holds its text: nothing brings the text back."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.advance import advance_message
from shared.message import Message
from shared.recover import recover_stalled
from shared.tasks import again, forget
from simulation.app import App
from simulation.read_server import FAILED, ReadServer

# ruff: noqa: ARG001 - all uses of a name have one signature


def nothing(app: App, read: ReadServer) -> None:
    """The name is not used again."""


def a_new_file(app: App, read: ReadServer) -> None:
    app.drop("a.png", "new")
    app.event("a.png")


def an_empty_file(app: App, read: ReadServer) -> None:
    app.drop("a.png", "")
    app.event("a.png")


def an_option_that_is_not_taken(app: App, read: ReadServer) -> None:
    app.drop("a.png", "new", metadata={"language": "??"})
    app.event("a.png")


def read_again_without_a_file(app: App, read: ReadServer) -> None:
    again(app.services, "a.png")


def a_file_that_read_fails(app: App, read: ReadServer) -> None:
    app.drop("a.png", "new")
    app.event("a.png")
    app.step()
    read.gets.append(FAILED)


def a_file_that_is_left_alone(app: App, read: ReadServer) -> None:
    app.drop("a.png", "new", metadata={"hdi_isfolder": "true"})
    app.event("a.png")


USES = [
    nothing,
    a_new_file,
    an_empty_file,
    an_option_that_is_not_taken,
    read_again_without_a_file,
    a_file_that_read_fails,
    a_file_that_is_left_alone,
]


@pytest.mark.parametrize(
    ("use", "kept"),
    # A kept file that is read again by name has its text again, since somebody asked for it.
    [(use, kept) for use in USES for kept in (False, True) if not (kept and use is read_again_without_a_file)],
)
def test_a_slow_run_brings_nothing_back_of_a_forgotten_document(
    app: App, read: ReadServer, use: Callable[[App, ReadServer], None], *, kept: bool
) -> None:
    app.drop("a.png", "the secret")
    app.event("a.png")
    message = Message.about(app.document("a.png")).to_json().encode()
    app.sent.messages.clear()

    def meanwhile(*_: object) -> None:
        forget(app.services, "a.png", keep_file=kept)
        use(app, read)
        app.run()

    read.gets.append(meanwhile)
    advance_message(app.services, message)  # holds the secret, and continues once all the others have ended
    app.run()
    for _ in range(3):
        app.clock.passes(timedelta(hours=1).total_seconds())
        recover_stalled(app.services, app.clock() + timedelta(minutes=5))
        app.run()
    document = app.services.documents.get("a.png")
    assert document is None or document.text in (None, "new")
    assert "the secret" not in app.lines("a.png")
    for extension in (".json", ".txt", ".jsonl"):
        assert b"the secret" not in (app.output(f"a.png{extension}") or b"")
    assert app.services.documents.tombstone("a.png") is None or document is not None

"""Poison queues: other apps' messages are left alone, made-up ones change nothing, and none stops the sweep."""

import base64
import json
from datetime import timedelta

import pytest

from shared.document import Status
from shared.message import Message
from shared.recover import recover_stalled
from simulation.app import App
from simulation.read_server import ReadServer


def sweep(app: App) -> None:
    recover_stalled(app.services, app.clock() + timedelta(minutes=5))


def event(app: App, name: str, function: str = "Host.Functions.submit_document") -> str:
    told = {"FunctionId": function, "ContainerName": app.settings.input_container, "BlobName": name}
    return base64.b64encode(json.dumps(told).encode()).decode()


@pytest.fixture
def _no_poison(app: App) -> None:
    """Empties the account's queue of poisoned events, which tests share."""
    queue = app.queues.get_queue_client("webjobs-blobtrigger-poison")
    try:
        queue.create_queue()
    except Exception:  # noqa: BLE001 - it is there
        queue.clear_messages()


@pytest.mark.usefixtures("_no_poison")
def test_events_of_other_apps_are_not_touched(app: App) -> None:
    queue = app.queues.get_queue_client("webjobs-blobtrigger-poison")
    for number in range(40):
        queue.send_message(event(app, f"{number}.png", "Host.Functions.of_another_app"))
    for _ in range(3):
        sweep(app)
    visible = [message for _ in range(2) for message in queue.receive_messages(max_messages=32, visibility_timeout=60)]
    assert len(visible) == 40
    assert {message.dequeue_count for message in visible} == {1}


@pytest.mark.usefixtures("_no_poison")
def test_the_apps_own_events_are_enqueued_whether_before_or_after_others(app: App) -> None:
    queue = app.queues.get_queue_client("webjobs-blobtrigger-poison")
    app.drop("first.png", "one")
    app.drop("behind.png", "two")
    queue.send_message(event(app, "first.png"))
    queue.send_message(event(app, "x.png", "Host.Functions.of_another_app"))
    queue.send_message(event(app, "behind.png"))
    sweep(app)
    app.run()
    assert [app.document(name).text for name in ("first.png", "behind.png")] == ["one", "two"]
    assert len(queue.peek_messages(max_messages=32)) == 2
    sweep(app)
    app.run()
    assert app.document("behind.png").submits == 1


MADE_UP = [
    b'{"v":1,"name":"a.png","poisoned":1}',
    b'{"v":1,"name":"a.png","poisoned":99,"etag":"0x1"}',
    b'{"v":1,"name":"a.png","write_id":"guessed"}',
    b'{"v":1,"name":"never-was.png"}',
    b'{"v":1,"name":"never-was.png","write_id":"guessed"}',
]


@pytest.mark.parametrize("body", MADE_UP)
def test_a_made_up_message_fails_no_document_and_creates_no_row(app: App, read: ReadServer, body: bytes) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    for _ in range(3):
        app.services.poison.send(base64.b64encode(body).decode(), 0)
        sweep(app)
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert app.services.documents.get("never-was.png") is None
    assert read.submitted == [b"one"]


ODD = [
    '{"v":2,"name":"x"}'.encode("utf-16"),
    '{"v":2,"name":"x"}'.encode("utf-32-be"),
    b"\xff\xfe\x00",
    b'{"v":' + b"[" * 100_000,
    b"",
]


@pytest.mark.parametrize("body", ODD, ids=["utf-16", "utf-32", "no text", "deep", "empty"])
def test_no_message_stops_the_sweep(app: App, body: bytes) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    message = Message.about(app.document("a.png")).to_json()
    app.sent.messages.clear()
    for text in (base64.b64encode(body[:40_000]).decode(), "not base64!", base64.b64encode(message.encode()).decode()):
        app.services.poison.send(text, 0)
    sweep(app)
    app.run()
    assert app.document("a.png").text == "one"
    assert not app.queues.get_queue_client(f"{app.settings.read_queue}-poison").peek_messages()

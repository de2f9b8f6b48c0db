"""The log of real documents: one line per step, so that a document's life can be followed."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from shared.message import Message
from shared.recover import recover_stalled
from simulation.app import App
from simulation.read_server import FAILED, RUNNING, THROTTLED, ReadServer


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "shared.log"]


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "shared")


def test_each_step_of_a_document_is_one_line_with_the_same_trace_id(
    app: App, read: ReadServer, caplog: pytest.LogCaptureFixture
) -> None:
    read.posts.append(THROTTLED)
    read.gets.append(RUNNING)
    document = app.read("a.png", "one")
    lines = [line for line in logged(caplog) if line["event"] not in ("deferred",)]
    assert [line["event"] for line in lines] == ["claimed", "waiting", "claimed", "submitted", "polled", "ended"]
    assert {line["trace"] for line in lines} == {document.trace_id}
    assert {line["document"] for line in lines} == {"a.png"}
    assert [line.get("call") for line in lines] == [None, "POST", None, "POST", "GET", "GET"]
    assert lines[1]["code"] == "Throttled"
    assert lines[-1]["operation"] == document.operation_id
    assert lines[-1]["since_submit"] > 0


def test_the_trace_id_is_in_the_row_and_in_every_message(app: App, read: ReadServer) -> None:
    read.gets.append(RUNNING)
    app.drop("a.png", "one")
    app.event("a.png")
    traces = set()
    while app.sent.messages:
        traces.add(Message.from_json(app.sent.messages[0][0].encode()).trace)
        app.step()
    assert traces == {app.document("a.png").trace_id}


def test_a_newer_version_has_a_new_trace_id(app: App) -> None:
    first = app.read("a.png", "one").trace_id
    assert app.read("a.png", "two").trace_id != first


def test_a_sweep_says_what_is_in_flight_overdue_and_failed(
    app: App, read: ReadServer, caplog: pytest.LogCaptureFixture
) -> None:
    read.gets.append(FAILED)
    app.read("failed.png", "one")
    app.drop("lost.png", "two")
    app.event("lost.png")
    app.sent.messages.clear()
    app.clock.passes(3600)
    caplog.clear()
    recover_stalled(app.services, app.clock() + timedelta(minutes=5))
    requeued, sweep = logged(caplog)
    assert (requeued["event"], requeued["document"]) == ("requeued", "lost.png")
    assert {name: sweep[name] for name in ("event", "in_flight", "overdue", "failed", "unreadable", "complete")} == {
        "event": "sweep",
        "in_flight": 1,
        "overdue": 1,
        "failed": 1,
        "unreadable": 0,
        "complete": True,
    }
    assert 3500 < sweep["oldest"] <= 3600


def test_an_unreadable_message_is_counted_by_the_sweep_that_sets_it_aside(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    poison = app.queues.get_queue_client(f"{app.settings.read_queue}-poison")
    poison.create_queue()
    poison.send_message("not ours")
    recover_stalled(app.services, app.clock() + timedelta(minutes=5))
    assert logged(caplog)[-1]["unreadable"] == 1

"""The app in Microsoft's own worker library, as Azure runs it on Python 3.13 and later."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from local.processes import Azurite
from shared import settings
from shared.document import Status
from simulation.app import App, Clock, settings_for
from simulation.read_server import ReadServer
from web.routes import ROUTES

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="Microsoft publishes its worker library for Python 3.13 and later"
)


class Worker:
    """A worker process with an app in it."""

    def __init__(self, app: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this repository's script
            [sys.executable, "-m", "tests.conformance.worker", str(app)],
            cwd=ROOT,
            env={**environment, "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.init = self._answer()

    def invoke(self, function: str, parameter: str, kind: str, value: Any, **metadata: list[str]) -> dict[str, Any]:
        """Invoke a function; ``metadata`` is kind and value by name.

        Returns ``status``, which is 1 for success, and ``error``.
        """
        assert self._process.stdin is not None
        asked = {"function": function, "input": [parameter, kind, value], "metadata": metadata}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture
def read() -> Iterator[ReadServer]:
    with ReadServer() as read:
        yield read


@pytest.fixture
def environment(app_environment: dict[str, str], azurite: Azurite, read: ReadServer) -> dict[str, str]:
    return {
        **app_environment,
        "DocumentStorage": azurite.connection_string,
        "READ_ENDPOINT": read.endpoint,
        "INPUT_CONTAINER": "conformance-in",
        "OUTPUT_CONTAINER": "conformance-out",
        "READ_QUEUE": "conformance-operations",
        "DOCUMENTS_TABLE": "conformancedocuments",
        "LINES_TABLE": "conformancelines",
    }


def test_the_app_is_indexed_with_its_triggers(environment: dict[str, str]) -> None:
    with Worker(ROOT, environment) as worker:
        assert worker.init["status"] == 1, worker.init["error"]
        triggers = {name: bindings[0] for name, bindings in worker.init["functions"].items()}
    routes = {route.name for route in ROUTES}
    assert set(triggers) == {"submit_document", "poll_operation", "recover_stalled", "find_missed", *routes}
    for route in ROUTES:
        http = triggers[route.name]
        assert (http["type"], http["route"], http["authLevel"]) == (
            "httpTrigger",
            route.path,
            "ANONYMOUS" if route.is_open else "FUNCTION",
        )
        assert [str(method) for method in http["methods"]] == list(route.methods)
    blob, queue = triggers["submit_document"], triggers["poll_operation"]
    assert (blob["type"], blob["path"], blob["connection"]) == (
        "blobTrigger",
        "conformance-in/{name}",
        "DocumentStorage",
    )
    assert blob["properties"] == {"SupportsDeferredBinding": True}
    assert (queue["type"], queue["queueName"], queue["connection"]) == (
        "queueTrigger",
        "conformance-operations",
        "DocumentStorage",
    )


def test_a_dropped_file_is_carried_through_by_its_two_triggers_to_its_row(
    environment: dict[str, str], read: ReadServer
) -> None:
    app = App(settings.from_environment(environment), Clock())
    app.create_inbox()
    app.drop("scans/ä letter.png", "Dear Sir")
    where = {
        "Connection": "DocumentStorage",
        "ContainerName": "conformance-in",
        "BlobName": "scans/ä letter.png",
    }
    blob = {
        "version": "1.0",
        "source": "AzureStorageBlobs",
        "content_type": "application/json",
        "content": where,
    }
    with Worker(ROOT, environment) as worker:
        assert worker.init["status"] == 1, worker.init["error"]
        answer = worker.invoke(
            "submit_document",
            "blob",
            "model_binding_data",
            blob,
            BlobTrigger=["string", "conformance-in/scans/ä letter.png"],
            name=["string", "scans/ä letter.png"],
        )
        assert answer == {"status": 1, "error": None}
        assert app.document("scans/ä letter.png").status is Status.READING
        text = next_message(app)
        answer = worker.invoke(
            "poll_operation",
            "message",
            "string",
            text,
            Id=["string", "1"],
            DequeueCount=["json", "1"],
            PopReceipt=["string", "receipt"],
            InsertionTime=["json", '"2026-11-22T14:30:00+00:00"'],
            ExpirationTime=["json", '"9999-12-31T23:59:59+00:00"'],
            NextVisibleTime=["json", '"2026-11-22T14:40:00+00:00"'],
        )
        assert answer == {"status": 1, "error": None}
        assert (
            worker.invoke("poll_operation", "message", "string", "not ours", DequeueCount=["json", "1"])["status"] == 0
        )
    document = app.document("scans/ä letter.png")
    assert (document.status, document.text) == (Status.SUCCEEDED, "Dear Sir")
    assert app.lines("scans/ä letter.png") == ["Dear Sir"]
    assert read.submitted == [b"Dear Sir"]


@pytest.mark.parametrize("sweep", ["recover_stalled", "find_missed"])
def test_a_sweep_runs_when_its_timer_fires(environment: dict[str, str], sweep: str) -> None:
    app = App(settings_for(environment["DocumentStorage"], environment["READ_ENDPOINT"]), Clock())
    app.create_inbox()
    fired = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
    with Worker(ROOT, {**environment, "INPUT_CONTAINER": app.settings.input_container}) as worker:
        assert worker.invoke(sweep, "timer", "json", json.dumps(fired)) == {"status": 1, "error": None}


def _request(method: str, query: dict[str, str], body: str = "", **headers: str) -> dict[str, Any]:
    """A request as the host passes it on (azure-functions-host, GrpcMessageConversionExtensions.cs, ToRpcHttp)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    url = "http://localhost:7071/api/document"
    return {"method": method, "url": url, "headers": sent, "params": {}, "query": query, "body": body}


def test_a_request_is_answered_with_its_status_headers_and_body(environment: dict[str, str]) -> None:
    app = App(settings_for(environment["DocumentStorage"], environment["READ_ENDPOINT"]), Clock())
    app.create_inbox()
    app.read("a + ä.png", "a text")
    names = {"INPUT_CONTAINER": app.settings.input_container, "DOCUMENTS_TABLE": app.settings.documents_table}
    with Worker(ROOT, {**environment, **names}) as worker:

        def ask(function: str, request: dict[str, Any]) -> dict[str, Any]:
            answer = worker.invoke(function, "request", "http", request)
            assert (answer["status"], answer["error"]) == (1, None)
            return dict(answer["http"])

        by_query = ask("document", _request("GET", {"name": "a + ä.png"}))
        by_body = ask("document", _request("POST", {}, '{"name": "a + ä.png"}', content_type="application/json"))
        missing = ask("document", _request("GET", {"name": "none"}))
        page = ask("site", _request("GET", {}))
    assert (by_query["status"], json.loads(by_query["body"])["text"]) == ("200", "a text")
    assert by_body["body"] == by_query["body"]
    assert by_query["headers"]["content-type"] == "application/json"
    assert by_query["headers"]["etag"].startswith('"')
    assert (missing["status"], missing["headers"]["content-type"]) == ("404", "application/problem+json")
    assert missing["headers"]["x-ms-error-code"] == "DocumentNotFound"
    assert (page["status"], page["headers"]["content-type"]) == ("200", "text/html; charset=utf-8")


def next_message(app: App) -> str:
    """The next message as the host delivers it: when it is visible, and decoded."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for message in app.queue.receive_messages():
            return base64.b64decode(message.content).decode()
        time.sleep(0.1)  # two real seconds: the queue does not use the test's clock
    raise AssertionError("no message came")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import a_package_that_is_not_there", "a_package_that_is_not_there"),
        ("from shared import settings; settings.from_environment({})", "DocumentStorage is not set"),
    ],
)
def test_an_app_that_cannot_start_says_why_in_its_first_answer(tmp_path: Path, code: str, message: str) -> None:
    (tmp_path / "function_app.py").write_text(code, encoding="utf-8")
    with Worker(tmp_path, dict(os.environ)) as worker:
        assert worker.init["status"] == 0
        assert message in worker.init["error"]

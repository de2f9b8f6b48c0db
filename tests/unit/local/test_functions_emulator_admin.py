"""The admin endpoints, over HTTP."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.functions_emulator.admin import Admin, Rejected
from local.functions_emulator.host_json import HttpOptions
from local.functions_emulator.http_trigger import Response
from local.functions_emulator.server import Server
from local.functions_emulator.settings import HostError


class Called:
    """What the endpoint was asked to run."""

    def __init__(self) -> None:
        self.inputs: list[Any] = []

    def __call__(self, given: Any) -> None:
        if given == "missing":
            raise Rejected(404, "There is no such blob.")  # type: ignore[arg-type]  # as HTTPStatus
        if given == "broken":
            raise RuntimeError("storage is away")
        self.inputs.append(given)


_CALLED = Called()


@pytest.fixture
def called() -> Called:
    _CALLED.inputs.clear()
    return _CALLED


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = Server(0, HttpOptions(), ThreadPoolExecutor(4))
    admin = Admin("host-1", {"submit_document": {"name": "submit_document"}}, {"submit_document": _CALLED})
    server.start(admin.answer, lambda _: Response(404))
    yield f"http://127.0.0.1:{server.port}/admin"
    server.close()


def post(url: str, json: object) -> requests.Response:
    return requests.post(url, json=json, timeout=5)


def test_the_status_of_a_host_that_listens_is_running(url: str) -> None:
    assert requests.get(f"{url}/host/status", timeout=5).json() == {"id": "host-1", "state": "Running"}


def test_a_ping_is_answered(url: str) -> None:
    assert [requests.request(method, f"{url}/host/ping", timeout=5).status_code for method in ("GET", "POST")] == [
        200,
        200,
    ]


def test_the_functions_are_listed_and_shown(url: str) -> None:
    assert requests.get(f"{url}/functions", timeout=5).json() == [{"name": "submit_document"}]
    assert requests.get(f"{url}/functions/Submit_Document", timeout=5).json() == {"name": "submit_document"}
    assert requests.get(f"{url}/functions/submit_document/status", timeout=5).status_code == 200
    assert requests.get(f"{url}/functions/other", timeout=5).status_code == 404


@pytest.mark.parametrize("given", ["inbox/ä b.png", None, "", {"v": 1}])
def test_a_function_is_run_with_its_input(url: str, called: Called, given: object) -> None:
    assert post(f"{url}/functions/submit_document", {"input": given}).status_code == 202
    assert called.inputs == [given]


def test_names_of_functions_ignore_case(url: str, called: Called) -> None:
    assert post(f"{url}/functions/Submit_Document", {"input": "a/b"}).status_code == 202
    assert called.inputs == ["a/b"]


@pytest.mark.parametrize("path", ["functions/other", "functions/", "functions", "functions/submit_document/keys"])
def test_a_function_that_this_host_does_not_run_is_not_found(url: str, path: str) -> None:
    assert post(f"{url}/{path}", {"input": "a/b"}).status_code == 404


def test_any_other_path_is_not_found(url: str) -> None:
    assert requests.get(f"{url}/host/keys", timeout=5).status_code == 404


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '"input"'])
def test_a_body_without_an_input_is_refused(url: str, called: Called, body: str) -> None:
    answer = requests.post(
        f"{url}/functions/submit_document", data=body, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.status_code == 400
    assert called.inputs == []


def test_a_content_type_that_needs_no_cors_preflight_is_refused(url: str, called: Called) -> None:
    answer = requests.post(
        f"{url}/functions/submit_document",
        data='{"input": "a/b"}',
        headers={"Content-Type": "text/plain"},
        timeout=5,
    )
    assert answer.status_code == 415
    assert called.inputs == []


def test_a_call_that_cannot_be_carried_out_says_why(url: str) -> None:
    answer = post(f"{url}/functions/submit_document", {"input": "missing"})
    assert (answer.status_code, answer.json()) == (404, {"error": "There is no such blob."})


def test_an_unexpected_error_is_answered_and_leaves_the_endpoint_running(url: str) -> None:
    assert post(f"{url}/functions/submit_document", {"input": "broken"}).status_code == 500
    assert requests.get(f"{url}/host/status", timeout=5).status_code == 200


def test_a_taken_port_is_reported_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(HostError, match="choose another with --port"):
            Server(taken.getsockname()[1], HttpOptions(), ThreadPoolExecutor(1))

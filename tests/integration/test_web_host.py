"""The interface as a host serves it: over HTTP, from function_app.py, with keys and the host's limits."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.browsers import allow_pages
from local.functions_emulator.keys import FUNCTION_KEY
from local.processes import Azurite, FunctionsEmulator
from simulation.app import App, Clock, environment_of, settings_for
from simulation.read_server import ReadServer
from tests.integration.interface import picture, store_examples
from web.operations import BROKEN, INVOICE, OPERATIONS
from web.routes import ROUTES

LONG = "卷" * 1024


class Host:
    """The hosted app. ``app`` is the same app in this process, for preparing and inspecting storage."""

    def __init__(self, url: str, app: App) -> None:
        self.url = url
        self.app = app
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["x-functions-key"] = FUNCTION_KEY

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.url}/api{path}", timeout=60, **options)


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    storage = azurite.connection_string
    with ReadServer() as read:
        chosen = settings_for(storage, read.endpoint)
        app = App(chosen, Clock())
        app.create_inbox()
        store_examples(app, read)
        logs: Path = tmp_path_factory.mktemp("logs")
        with FunctionsEmulator(settings=environment_of(chosen), logs=logs) as emulator:
            allow_pages(storage, [emulator.url])
            yield Host(emulator.url, app)


@pytest.mark.parametrize("path", ["", "/"])
def test_the_page_is_served_to_everybody(host: Host, path: str) -> None:
    page = requests.get(f"{host.url}/api{path}", timeout=30)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    again = requests.get(f"{host.url}/api{path}", headers={"If-None-Match": page.headers["ETag"]}, timeout=30)
    assert (again.status_code, again.content) == (304, b"")


def test_the_pages_files_are_served_to_everybody_with_their_types(host: Host) -> None:
    for file in (Path(__file__).parents[2] / "web" / "page").rglob("*.*"):
        served = requests.get(f"{host.url}/api/static/{file.name}", timeout=30)
        assert served.content == file.read_bytes()
        kind = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        assert served.headers["content-type"].startswith(kind[file.suffix])
    assert requests.get(f"{host.url}/api/static/..%2Fopenapi.py", timeout=30).status_code == 404


def test_the_openapi_document_is_served_to_everybody(host: Host) -> None:
    served = requests.get(f"{host.url}/api/openapi.json", timeout=30)
    assert served.json()["openapi"] == "3.1.0"


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.is_open], ids=lambda route: route.name)
def test_data_is_served_only_with_the_key(host: Host, route: Any) -> None:
    for headers in ({}, {"x-functions-key": "wrong"}):
        answer = requests.request(route.methods[0], f"{host.url}/api/{route.path}", headers=headers, timeout=30)
        assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize("name", ["documents", "counts", "document", "lines", "page"])
def test_get_and_post_answer_an_example_alike(host: Host, name: str) -> None:
    path = f"/{name.replace('_', '-')}"
    by_query = host.ask("GET", path, params=OPERATIONS[name].example.request)
    by_body = host.ask("POST", path, json=OPERATIONS[name].example.request)
    assert by_query.status_code == 200
    assert by_query.json() == by_body.json()
    assert by_query.headers["content-type"] == "application/json"


def test_a_page_image_is_served_and_not_sent_again(host: Host) -> None:
    asked = {"name": INVOICE, "page": 1, "width": 300}
    first = host.ask("GET", "/page-image", params=asked)
    assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
    again = host.ask("GET", "/page-image", params=asked, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["a//b.png", "100%2F50.png", "a#b?c.png", "1 + 1.png", "trailing dot.", "a&code=x.png", LONG, "卷" * 800]
)
def test_a_name_arrives_as_it_was_sent(host: Host, name: str) -> None:
    upload = host.ask("POST", "/uploads", json={"name": name, "metadata": {}}).json()
    page = {"Origin": host.url}  # as a browser does it
    asked = {
        **page,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ",".join(upload["headers"]),
    }
    allowed = requests.options(upload["url"], headers=asked, timeout=30)
    assert allowed.headers["Access-Control-Allow-Origin"] == host.url
    sent = requests.put(upload["url"], data=picture(), headers={**upload["headers"], **page}, timeout=30)
    assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (201, host.url)
    assert host.app.inbox.get_blob_client(name).exists()
    by_body = host.ask("POST", "/links", json={"name": name})
    if by_body.status_code == 404:  # it has no row yet
        assert by_body.json()["code"] == "DocumentNotFound"
    if len(quote(name)) < 8000:  # the longest request line that the host accepts
        by_query = host.ask("GET", f"/document?name={quote(name, safe='')}")
        assert by_query.status_code in (200, 404)
        if by_query.status_code == 404:
            assert repr(name) in by_query.json()["detail"]
    assert host.ask("POST", "/forget", json={"name": name}).status_code == 204


def test_any_other_method_is_not_found(host: Host) -> None:
    assert host.ask("DELETE", "/documents").status_code == 404
    assert host.ask("GET", "/forget").status_code == 404
    assert host.ask("GET", "/none").status_code == 404


def test_a_form_on_another_site_changes_nothing(host: Host) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        answer = host.ask("POST", "/forget", data=b'{"name":"x"}', headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"name":' * 5000, b"1" * 5000])
def test_a_body_that_is_not_an_object_is_refused(host: Host, body: bytes) -> None:
    answer = host.ask("POST", "/document", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidBody")


def test_the_refusal_of_a_large_body_says_where_to_send_files(host: Host) -> None:
    answer = host.ask("POST", "/document", data=b" " * 300_000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")
    assert "/api/uploads" in answer.json()["advice"]


def test_many_requests_are_served_at_once(host: Host) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(host.ask("GET", "/document", params={"name": BROKEN}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 16


@pytest.mark.parametrize(
    ("path", "method"),
    [(f"/{route.path}", method) for route in ROUTES if not route.is_open for method in route.methods],
)
def test_every_answer_fits_the_openapi_document(host: Host, path: str, method: str) -> None:
    described = schemathesis.openapi.from_url(f"{host.url}/api/openapi.json")

    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=described[path][method].as_strategy() | described[path][method].as_strategy(GenerationMode.NEGATIVE))
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"x-functions-key": FUNCTION_KEY}, checks=_CHECKS, timeout=60)

    ask()


_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

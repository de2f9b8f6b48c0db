"""Services on this machine are never called through a proxy, whatever the environment says."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local.functions_emulator.storage import Connection
from local.processes import sparing_this_machine
from shared.loopback import is_loopback, without_proxy
from shared.read.client import new_session
from shared.settings import StorageConnection
from shared.storage.connection import blob_service, queue_service, table_service

NOWHERE = "http://127.0.0.1:9"
"""The address of a proxy that does not exist."""


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:5000", True),
        ("http://LOCALHOST", True),
        ("http://127.0.0.1:10000/devstoreaccount1", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:5000/x", True),
        ("http://read.localhost", True),
        ("https://x.cognitiveservices.azure.com", False),
        ("https://127.0.0.1.example.com", False),
        ("https://localhost.example.com", False),
        ("http://0.0.0.0", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_addresses_of_this_machine_are_recognised(url: str, here: bool) -> None:
    assert is_loopback(url) is here
    assert bool(without_proxy(url)) is here


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_childs_environment_keeps_its_proxy_settings_and_exempts_this_machine(name: str) -> None:
    given = {name: "http://proxy", "NO_PROXY": "corp.example, 10.0.0.0/8", "no_proxy": "corp.example"}
    found = sparing_this_machine(given)
    assert found[name] == "http://proxy"
    assert found["NO_PROXY"] == found["no_proxy"] == "corp.example,10.0.0.0/8,localhost,127.0.0.1,::1"


def test_without_a_proxy_a_childs_environment_is_unchanged() -> None:
    assert sparing_this_machine({"NO_PROXY": "x"}) == {"NO_PROXY": "x"}


class Service(BaseHTTPRequestHandler):
    """A server that answers everything with an error that no client retries."""

    def do_GET(self) -> None:
        self.send_response(418)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "corp.example")


def status(call: Any) -> int | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - each SDK has its own
        return getattr(error, "status_code", None)
    return 200


@pytest.mark.usefixtures("proxied")
def test_read_on_this_machine_is_called_directly_and_elsewhere_through_the_proxy(url: str) -> None:
    session = new_session()
    assert session.get(url, timeout=5).status_code == 418
    settings = session.merge_environment_settings("http://read.example", {}, None, None, None)
    assert settings["proxies"]["http"] == NOWHERE


@pytest.mark.usefixtures("proxied")
def test_the_apps_storage_on_this_machine_is_called_directly(url: str) -> None:
    string = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={url}/a;QueueEndpoint={url}/a;TableEndpoint={url}/a"
    connection = StorageConnection(connection_string=string)
    assert status(blob_service(connection).get_service_properties) == 418
    assert status(queue_service(connection).get_service_properties) == 418
    assert status(table_service(connection).get_service_properties) == 418


@pytest.mark.usefixtures("proxied")
def test_the_functions_emulators_storage_is_called_directly(url: str) -> None:
    string = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={url}/a;QueueEndpoint={url}/a"
    connection = Connection("Documents", {"Documents": string})
    assert status(connection.blobs.get_service_properties) == 418
    assert status(connection.queues.get_service_properties) == 418

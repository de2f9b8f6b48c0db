import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.settings import load_settings
from local.stack import (
    Description,
    Ports,
    StackError,
    _check_ports,
    announcement,
    check_settings,
    chosen_endpoint,
    own_stack,
    port_is_free,
)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def test_the_environment_overrides_local_settings(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"Values": {"READ_ENDPOINT": "http://file", "READ_LANGUAGE": "de"}}))

    settings = load_settings({"READ_ENDPOINT": "http://environment"}, file)

    assert settings == {"READ_ENDPOINT": "http://environment", "READ_LANGUAGE": "de"}


def test_without_local_settings_only_the_environment_counts(tmp_path: Path) -> None:
    assert load_settings({"A": "1"}, tmp_path / "local.settings.json") == {"A": "1"}


@pytest.mark.parametrize("text", ["", "[]", '{"Values": []}', '{"Values": {"READ_KEY": 1}}', "{}"])
def test_malformed_local_settings_are_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(text)

    with pytest.raises(CommandError, match=r"local\.settings\.json"):
        load_settings({}, file)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("AzureFunctionsJobHost__version", "3.0"),
        ("AzureFunctionsJobHost__functionTimeout", "soon"),
        ("AzureFunctionsJobHost__extensions__queues__batchSize", "lots"),
        ("AzureFunctionsJobHost__logging__logLevel__default", "loud"),
        ("READ_RATE", "fast"),
    ],
)
def test_a_wrong_setting_of_the_host_or_the_app_is_named_before_anything_starts(setting: str, value: str) -> None:
    with pytest.raises(StackError, match=rf"(?s){setting.rpartition('__')[2]}.*{value}|\"version\" must be"):
        check_settings({setting: value})


def test_a_service_elsewhere_is_announced_with_where_documents_go_and_what_it_costs() -> None:
    assert announcement("https://x.cognitiveservices.azure.com", None) == (
        "Reading with https://x.cognitiveservices.azure.com (v3.2): documents leave this machine and each page is"
        " billed."
    )


def test_a_service_on_this_machine_is_announced_without_a_bill() -> None:
    assert announcement("http://localhost:5001", "v3.1") == "Reading with http://localhost:5001 (v3.1)."


def test_without_an_endpoint_the_emulator_is_used() -> None:
    assert chosen_endpoint({}) is None
    assert chosen_endpoint({"READ_ENDPOINT": " "}) is None


def test_an_endpoint_elsewhere_is_used() -> None:
    endpoint = "https://x.cognitiveservices.azure.com"

    assert chosen_endpoint({"READ_ENDPOINT": endpoint}) == endpoint


def test_an_endpoint_on_this_machine_where_something_listens_is_used(taken_port: int) -> None:
    endpoint = f"http://127.0.0.1:{taken_port}"

    assert chosen_endpoint({"READ_ENDPOINT": endpoint}) == endpoint


def test_an_endpoint_on_this_machine_where_nothing_listens_is_the_emulators_own(unused_port: int) -> None:
    assert chosen_endpoint({"READ_ENDPOINT": f"http://localhost:{unused_port}"}) is None


def test_a_taken_port_is_reported_with_number_and_purpose_before_anything_starts(taken_port: int) -> None:
    with (
        pytest.raises(StackError, match=rf"Port {taken_port}, for the Read emulator, is taken, .*--ports 20000"),
        own_stack("up", {}, Ports(read=taken_port)),
    ):
        pass


def test_a_port_that_will_not_be_used_may_be_taken(taken_port: int) -> None:
    _check_ports(Ports(host=taken_port), unused={"host"})


def test_an_invalid_url_is_left_to_the_check_of_the_settings() -> None:
    assert chosen_endpoint({"READ_ENDPOINT": "http://[:x"}) == "http://[:x"


def test_free_and_taken_ports_are_told_apart(taken_port: int, unused_port: int) -> None:
    assert not port_is_free(taken_port)
    assert port_is_free(unused_port)


def test_ports_follow_one_another_from_their_base() -> None:
    assert Ports.from_base(20000) == Ports(20000, 20001, 20002, 20003, 20004)
    assert Ports.from_base(0) == Ports(0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("host_url", "page"),
    [("http://127.0.0.1:7071", "http://localhost:7071/api/"), (None, None), ("url", None)],
)
def test_the_page_is_where_the_host_is(host_url: str | None, page: str | None) -> None:
    assert Description("up", 1, "connection", host_url=host_url).page == page

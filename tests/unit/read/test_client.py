"""One POST, one poll: what goes over the wire, and how each answer is understood."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests

from shared.errors import SourceChanged
from shared.read.answers import Accepted, AnswerLost, Gone, Rejected, Retryable, Running, Succeeded
from shared.read.client import CredentialsUnavailable, ReadClient
from shared.read.generation import ReadOptions
from shared.read.generations import generation
from simulation.read_server import LOST, RUNNING, Answer, ReadServer, as_json
from tests.support.wire import Wire

ENDPOINT = "https://name.cognitiveservices.azure.com"
OPERATION = f"{ENDPOINT}/vision/v3.2/read/analyzeResults/7d2a"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
FILE = b"%PDF-1.7 " * 5000


class File:
    """A body as the client takes it: of known length, and read once."""

    def __init__(self, content: bytes = FILE, error: Exception | None = None) -> None:
        self._length = len(content)
        self._stream = BytesIO(content)
        self._error = error

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        if self._error and self._stream.tell() > 0:
            raise self._error
        return self._stream.read(size)


def client(
    wire: Wire | None = None, endpoint: str = ENDPOINT, key: str | None = "the-key", token: Any = None
) -> ReadClient:
    return ReadClient(
        endpoint,
        generation("v3.2"),
        key=key,
        token=token,
        now=lambda: NOW,
        session=wire.session() if wire else None,
    )


def answered(status: int, **headers: str) -> Wire:
    return Wire(status, {name.replace("_", "-"): value for name, value in headers.items()})


def poll(status: int = 200, body: bytes = b"", **headers: str) -> Any:
    wire = answered(status, **headers)
    wire.body = body
    return client(wire).poll(OPERATION)


# What is sent


def test_a_file_is_posted_whole_and_once_with_its_length() -> None:
    wire = answered(202, Operation_Location=OPERATION)
    client(wire).submit(File(), ReadOptions(language="de", pages="1-3"))
    (request,) = wire.sent
    assert request.method == "POST"
    assert request.url == f"{ENDPOINT}/vision/v3.2/read/analyze?language=de&pages=1-3"
    assert wire.bodies == [FILE]
    assert request.headers["Content-Length"] == str(len(FILE))
    assert request.headers["Content-Type"] == "application/octet-stream"
    assert request.headers["Ocp-Apim-Subscription-Key"] == "the-key"


def test_without_options_there_is_no_query() -> None:
    wire = answered(202, Operation_Location=OPERATION)
    client(wire).submit(File(), ReadOptions())
    assert wire.sent[0].url == f"{ENDPOINT}/vision/v3.2/read/analyze"


def test_a_gateway_s_prefix_in_the_endpoint_is_kept() -> None:
    wire = answered(202, Operation_Location="https://gateway/ocr/vision/v3.2/read/analyzeResults/7d2a")
    gateway = client(wire, "https://gateway/ocr")
    answer = gateway.submit(File(), ReadOptions())
    assert wire.sent[0].url == "https://gateway/ocr/vision/v3.2/read/analyze"
    assert answer == Accepted("https://gateway/ocr/vision/v3.2/read/analyzeResults/7d2a")


def test_every_call_has_a_time_limit_and_follows_no_redirect() -> None:
    wire = answered(202, Operation_Location=OPERATION)
    client(wire).submit(File(), ReadOptions())
    wire.status, wire.body = 200, RUNNING.body
    client(wire).poll(OPERATION)
    assert [options["timeout"] for options in wire.options] == [(10, 100)] * 2


def test_without_a_key_a_container_gets_no_credential() -> None:
    wire = Wire(200, {}, RUNNING.body)
    client(wire, "http://localhost:5000", key=None, token=lambda: pytest.fail("asked for a token")).poll(OPERATION)
    assert not {"authorization", "ocp-apim-subscription-key"} & {name.lower() for name in wire.sent[0].headers}


def test_without_a_key_an_endpoint_of_azure_gets_a_token() -> None:
    wire = Wire(200, {}, RUNNING.body)
    client(wire, key=None, token=lambda: "t0").poll(OPERATION)
    assert wire.sent[0].headers["Authorization"] == "Bearer t0"


def test_without_a_token_nothing_is_sent_and_the_document_waits() -> None:
    def no_token() -> str:
        raise CredentialsUnavailable("No identity here.")

    wire = Wire()
    assert client(wire, key=None, token=no_token).submit(File(), ReadOptions()) == Retryable(
        "CredentialsUnavailable", "No identity here."
    )
    assert client(wire, key=None, token=no_token).poll(OPERATION) == Retryable(
        "CredentialsUnavailable", "No identity here."
    )
    assert wire.sent == []


# 202


@pytest.mark.parametrize(
    "location",
    [
        OPERATION,
        "http://name.cognitiveservices.azure.com/vision/v3.2/read/analyzeResults/7d2a",  # http, behind a TLS proxy
        "https://other.example:8443/vision/v3.2/read/analyzeResults/7d2a",  # another host, behind a gateway
        "https://gateway/ocr/vision/v3.2/read/analyzeResults/7d2a",  # and its prefix
        "http://vision/v3.2/read/analyzeResults/7d2a",  # a container, where its host name contains "vision"
        "/vision/v3.2/read/analyzeResults/7d2a",
    ],
)
def test_only_path_and_query_of_an_operations_url_are_used(location: str) -> None:
    answer = client(answered(202, Operation_Location=location)).submit(File(), ReadOptions())
    assert answer == Accepted(OPERATION)


def test_an_operation_s_query_is_kept() -> None:
    answer = client(answered(202, Operation_Location=OPERATION + "?tier=2")).submit(File(), ReadOptions())
    assert answer == Accepted(OPERATION + "?tier=2")


def test_a_202_may_name_the_first_wait() -> None:
    wire = answered(202, Operation_Location=OPERATION, Retry_After="9")
    assert client(wire).submit(File(), ReadOptions()) == Accepted(OPERATION, 9)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "https://",
        "https://[",
        f"{ENDPOINT}/vision/v3.2/models",
        f"{ENDPOINT}/vision/v3.2/read/analyzeResults/",
        f"{ENDPOINT}/vision/v3.2/read/analyzeResults/a/../../../secrets",
        f"{ENDPOINT}/vision/v3.2/read/analyzeResults/7d2a/more",
        f"{ENDPOINT}/vision/v3.2/read/analyzeResults/7d2a?x=y z",
        f"{ENDPOINT}/vision/v3.2/read/analyzeResults/7d2a%0d%0aX: y",
    ],
)
def test_a_foreign_operation_url_is_rejected_and_never_followed(location: str) -> None:
    wire = answered(202, Operation_Location=location)
    answer = client(wire).submit(File(), ReadOptions())
    assert isinstance(answer, Rejected)
    assert answer.code == "OperationUrlRefused"
    assert client(wire).poll(location) == Rejected("OperationUrlRefused", str(answer.message).split("but ")[1][:-1])
    assert len(wire.sent) == 1


def test_an_operation_with_an_impossibly_long_id_is_rejected() -> None:
    answer = client(answered(202, Operation_Location=OPERATION + "0" * 40_000)).submit(File(), ReadOptions())
    assert isinstance(answer, Rejected)


# No answer


def test_a_request_that_broke_off_was_not_paid() -> None:
    wire = Wire(error=requests.ConnectionError("reset"), takes=len(FILE) - 1)
    answer = client(wire).submit(File(), ReadOptions())
    assert isinstance(answer, Retryable)
    assert answer.code == "Unreachable"


@pytest.mark.parametrize("error", [requests.ConnectionError("reset"), requests.ReadTimeout("slow")])
def test_a_complete_request_whose_answer_was_lost_may_have_been_paid(error: Exception) -> None:
    assert isinstance(client(Wire(error=error)).submit(File(), ReadOptions()), AnswerLost)


def test_errors_in_reading_the_file_pass_through() -> None:
    with pytest.raises(SourceChanged):
        client(Wire()).submit(File(error=SourceChanged()), ReadOptions())


def test_an_endpoint_that_does_not_answer_a_poll_is_polled_again() -> None:
    answer = client(Wire(error=requests.ConnectionError("refused"))).poll(OPERATION)
    assert isinstance(answer, Retryable)
    assert answer.code == "Unreachable"


def test_a_network_errors_hosts_and_addresses_are_not_repeated() -> None:
    error = requests.ConnectionError("HTTPSConnectionPool(host='secret.internal', port=443)")
    answer = client(Wire(error=error)).poll(OPERATION)
    assert isinstance(answer, Retryable)
    assert "secret.internal" not in answer.message


# A poll


def test_a_result_is_kept_byte_for_byte() -> None:
    body = b'{ "status" : "SUCCEEDED",\n "analyzeResult": {"x": 1.0} }\n'
    assert poll(body=body) == Succeeded(body, {"status": "SUCCEEDED", "analyzeResult": {"x": 1.0}})


@pytest.mark.parametrize("status", ["notStarted", "running", "Running", "NotStarted", "queued", ""])
def test_a_status_that_is_not_an_end_is_still_running(status: str) -> None:
    assert poll(body=as_json(200, {"status": status}).body, Retry_After="1") == Running(1)


@pytest.mark.parametrize("status", ["failed", "Failed", "canceled", "cancelled", "skipped"])
def test_a_failed_operation_arrives_as_a_200(status: str) -> None:
    body = {"status": status, "analyzeResult": {"errors": [{"code": "3018", "message": "Timeout"}]}}
    assert poll(body=as_json(200, body).body) == Rejected("3018", "Timeout")


def test_a_failure_without_a_reason_says_so() -> None:
    answer = poll(body=b'{"status": "Failed"}')
    assert (answer.code, answer.message) == ("OperationFailed", "Read says failed and gives no reason.")


@pytest.mark.parametrize("body", [b"", b"<html>Sign in</html>", b"[]", b"{}", b'{"status": 2}', b"\xff", b"{" * 99999])
def test_a_200_that_is_not_an_operation_is_taken_for_a_proxys(body: bytes) -> None:
    answer = poll(body=body)
    assert isinstance(answer, Retryable)
    assert answer.code == "NotReadsAnswer"


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("body", [b"", b'{"code":"NotFound","message":"Analyze result does not exist."}'])
def test_an_unknown_operation_is_gone(status: int, body: bytes) -> None:
    assert isinstance(poll(status, body), Gone)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "CredentialsRefused"), (429, "Throttled"), (503, "ReadUnavailable")]
)
def test_a_retryable_poll_says_why_and_how_long_to_wait(status: int, code: str) -> None:
    answer = poll(status, Retry_After="26")
    assert isinstance(answer, Retryable)
    assert (answer.code, answer.retry_after) == (code, 26)


def test_a_document_in_flight_is_polled_by_the_generation_that_accepted_it() -> None:
    wire = Wire(200, {}, RUNNING.body)
    newer = ReadClient(ENDPOINT, generation("v3.2"), key="k", token=None, now=lambda: NOW, session=wire.session())
    assert newer.poll("https://h/vision/v3.2/read/analyzeResults/7d2a", "a version nobody knows") == Running()
    assert wire.sent[0].url == OPERATION


@pytest.mark.parametrize("status", [400, 422, 431])
def test_a_refused_poll_never_blames_the_file(status: int) -> None:
    body = as_json(status, {"error": {"code": "BadRequest", "message": "Request header too long."}}).body
    assert isinstance(poll(status, body), Retryable)


def test_a_gateway_timeout_may_have_let_the_file_through() -> None:
    assert isinstance(client(answered(504)).submit(File(), ReadOptions()), AnswerLost)


# Over a real socket


@pytest.fixture
def server() -> Iterator[ReadServer]:
    with ReadServer() as server:
        yield server


def test_a_file_is_sent_whole_over_a_real_socket(server: ReadServer) -> None:
    there = client(endpoint=server.endpoint)
    assert there.submit(File(), ReadOptions()) == Accepted(
        f"{server.endpoint}/vision/v3.2/read/analyzeResults/operation-1"
    )
    assert server.submitted == [FILE]
    assert "Transfer-Encoding" not in server.requests[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(server: ReadServer, status: int) -> None:
    with ReadServer() as elsewhere:
        redirect = Answer(status, b"moved", {"Location": f"{elsewhere.endpoint}/vision/v3.2/read/analyze"})
        server.posts.append(redirect)
        server.gets.append(redirect)
        there = client(endpoint=server.endpoint)
        for answer in (there.submit(File(), ReadOptions()), there.poll(OPERATION)):
            assert isinstance(answer, Retryable)
            assert answer.code == "NotReadsAnswer"
        assert elsewhere.requests == []


def test_an_operation_on_another_host_is_polled_at_the_endpoint_that_the_key_is_for(server: ReadServer) -> None:
    with ReadServer() as elsewhere:
        location = f"{elsewhere.endpoint}/vision/v3.2/read/analyzeResults/7d2a"
        server.posts.append(Answer(202, headers={"Operation-Location": location}))
        server.gets.append(RUNNING)
        there = client(endpoint=server.endpoint)
        accepted_there = there.submit(File(), ReadOptions())
        assert isinstance(accepted_there, Accepted)
        assert there.poll(accepted_there.operation_url) == Running()
        assert there.poll(location) == Gone("BadArgument: Operation ID is invalid.")
        assert elsewhere.requests == []


def test_credentials_of_netrc_are_not_used(server: ReadServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    there = client(endpoint=server.endpoint, key=None)
    there.submit(File(), ReadOptions())
    there.poll(OPERATION)
    assert all("Authorization" not in request.headers for request in server.requests)


def test_cookies_are_not_kept(server: ReadServer) -> None:
    server.gets.extend([Answer(200, RUNNING.body, {"Set-Cookie": "session=1; Path=/"}), RUNNING])
    there = client(endpoint=server.endpoint)
    there.poll(OPERATION)
    there.poll(OPERATION)
    assert "Cookie" not in server.requests[1].headers


@pytest.mark.parametrize("answer", [LOST, Answer(503), Answer(500), as_json(429, {}, Retry_After="0")])
def test_nothing_is_retried(server: ReadServer, answer: Answer) -> None:
    server.posts.append(answer)
    server.gets.append(answer)
    there = client(endpoint=server.endpoint)
    there.submit(File(), ReadOptions())
    there.poll(OPERATION)
    assert [request.method for request in server.requests] == ["POST", "GET"]


def test_an_answer_lost_on_a_real_socket_is_not_mistaken_for_an_unreachable_server(server: ReadServer) -> None:
    server.posts.append(LOST)
    assert isinstance(client(endpoint=server.endpoint).submit(File(), ReadOptions()), AnswerLost)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # a socket that does not listen
        answer = client(endpoint=f"http://127.0.0.1:{nobody.getsockname()[1]}").submit(File(), ReadOptions())
    assert isinstance(answer, Retryable)
    assert answer.code == "Unreachable"


def test_a_result_that_breaks_off_is_polled_again(server: ReadServer) -> None:
    server.gets.append(Answer(200, b'{"status":"succee', {"Content-Length": "5000", "Connection": "close"}))
    answer = client(endpoint=server.endpoint).poll(OPERATION)
    assert isinstance(answer, Retryable)
    assert answer.code == "Unreachable"


def test_an_error_answer_that_breaks_off_still_has_its_status(server: ReadServer) -> None:
    server.posts.append(Answer(429, b'{"err', {"Content-Length": "5000", "Connection": "close"}))
    answer = client(endpoint=server.endpoint).submit(File(), ReadOptions())
    assert isinstance(answer, Retryable)
    assert answer.code == "Throttled"


@pytest.mark.parametrize("location", ["http://[::1", "http://h/\xe4"])
def test_a_redirect_to_nowhere_is_not_followed_either(server: ReadServer, location: str) -> None:
    server.posts.append(Answer(302, b"", {"Location": location}))
    assert isinstance(client(endpoint=server.endpoint).submit(File(), ReadOptions()), Retryable)


def test_a_key_with_characters_that_no_header_allows_is_a_wrong_credential() -> None:
    with ReadServer() as server:
        answer = client(endpoint=server.endpoint, key="ключ").submit(File(), ReadOptions())
    assert isinstance(answer, Retryable)
    assert answer.code.startswith("Credentials")


def test_the_next_file_uses_the_same_connection(server: ReadServer) -> None:
    there = client(endpoint=server.endpoint)
    for _ in range(3):
        there.submit(File(), ReadOptions())
    assert server.connections == 1

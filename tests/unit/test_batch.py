"""Batches of rows are sent, and answers understood, as the SDK does it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableClient,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
)

from shared.storage.batch import BatchingTableService
from simulation.read_server import Answer, ReadServer, Request

CLASSES = (TableServiceClient, BatchingTableService)
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
UNCHANGED = {"mode": UpdateMode.REPLACE, "etag": 'W/"1"', "match_condition": MatchConditions.IfNotModified}
OPERATIONS: list[Any] = [
    ("create", {"PartitionKey": "a:b", "RowKey": "!head", "At": datetime(2026, 11, 22, 10, 0, 0, 5, UTC)}),
    ("update", {"PartitionKey": "a:b", "RowKey": "it's =25 ü", "Text": "a\nb ü 😀", "Ends": True}, UNCHANGED),
    ("upsert", {"PartitionKey": "a:b", "RowKey": "2", "Count": 3, "Share": 0.5}, {"mode": UpdateMode.REPLACE}),
    ("upsert", {"PartitionKey": "a:b", "RowKey": "3", "Length": EntityProperty(2**40, EdmType.INT64)}),
    ("delete", {"PartitionKey": "a:b", "RowKey": "4"}, {k: v for k, v in UNCHANGED.items() if k != "mode"}),
    ("delete", {"PartitionKey": "a:b", "RowKey": "5"}),
]


@pytest.fixture
def server() -> Iterator[ReadServer]:
    with ReadServer() as server:
        yield server


def table(server: ReadServer, service: type[TableServiceClient]) -> TableClient:
    connection = f"AccountName=someone;AccountKey={KEY};TableEndpoint={server.endpoint}/someone;"
    return service.from_connection_string(connection, retry_total=0).get_table_client("lines")


def multipart(*answers: str) -> Answer:
    """The answer of the table service to a batch that it has accepted."""
    start = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    parts = "".join(f"--changesetresponse_1\r\n{start}{answer}\r\n" for answer in answers)
    body = f"--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n{parts}"
    body += "--changesetresponse_1--\r\n--batchresponse_1--\r\n"
    return Answer(202, body.encode(), {"Content-Type": "multipart/mixed; boundary=batchresponse_1"})


def plain(request: Request) -> tuple[str, str, dict[str, str]]:
    """A request without what differs from time to time, and without each row's date."""
    changing = ("x-ms-date", "date", "authorization", "x-ms-client-request-id", "content-length")
    body = re.sub(r"(batch|changeset)_[0-9a-f-]{36}", r"\1", request.body.decode())
    body = re.sub(r"(?m)^(x-ms-date|Date): .*\r\n", "", body)
    headers = {name.lower(): value for name, value in request.headers.items() if name.lower() not in changing}
    return request.path, body, headers | {"content-type": headers["content-type"].split("_")[0]}


def test_a_batch_is_sent_as_the_sdk_would_send_it(server: ReadServer) -> None:
    for service in CLASSES:
        server.posts.append(Answer(400))
        with pytest.raises(HttpResponseError):
            table(server, service).submit_transaction(OPERATIONS)
    theirs, ours = server.requests
    assert plain(ours) == plain(theirs)
    assert ours.body.count(b"HTTP/1.1\r\n") == len(OPERATIONS)


def test_a_batch_returns_each_rows_etag_and_none_for_a_deleted_row(server: ReadServer) -> None:
    body = '{"PartitionKey":"p","Text":"ETag: no\\r\\nHTTP/1.1 500"}'
    answer = multipart(
        f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nETag: W/\"datetime'1'\"\r\n\r\n{body}",
        "HTTP/1.1 204 No Content\r\netag: W/\"datetime'2'\"\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    )
    answers = []
    for service in CLASSES:
        server.posts.append(answer)
        answers.append(table(server, service).submit_transaction(OPERATIONS[:2] + OPERATIONS[-1:]))
    assert answers[0] == answers[1] == [{"etag": "W/\"datetime'1'\""}, {"etag": "W/\"datetime'2'\""}, {}]


def test_a_refused_operation_raises_the_sdks_error(server: ReadServer) -> None:
    message = "1:The update condition is not satisfied.\\nRequestId:7"
    body = (
        f'{{"odata.error":{{"code":"UpdateConditionNotSatisfied","message":{{"lang":"en-US","value":"{message}"}}}}}}'
    )
    errors = []
    for service in CLASSES:
        server.posts.append(
            multipart(f"HTTP/1.1 412 Precondition Failed\r\nContent-Type: application/json\r\n\r\n{body}")
        )
        with pytest.raises(TableTransactionError) as error:
            table(server, service).submit_transaction(OPERATIONS)
        code = str(getattr(error.value.error_code, "value", error.value.error_code))  # type: ignore[attr-defined]
        errors.append((error.value.status_code, error.value.index, code))
    assert errors == [(412, 1, "UpdateConditionNotSatisfied")] * 2


@pytest.mark.parametrize(("status", "code"), [(413, "RequestBodyTooLarge"), (403, "AuthenticationFailed"), (400, "X")])
def test_a_batch_that_is_refused_as_a_whole_raises_the_sdks_error(server: ReadServer, status: int, code: str) -> None:
    body = f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en-US","value":"No."}}}}}}'
    errors = []
    for service in CLASSES:
        server.posts.append(Answer(status, body.encode(), {"Content-Type": "application/json"}))
        with pytest.raises(HttpResponseError) as error:
            table(server, service).submit_transaction(OPERATIONS)
        errors.append((type(error.value), error.value.status_code, str(error.value.error_code)))  # type: ignore[attr-defined]
    assert errors[0] == errors[1]

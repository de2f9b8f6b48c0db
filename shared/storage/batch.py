"""Batches of rows, written as text.

The SDK makes a request for each row, and this module makes one request from all of them. azure-core would build a
message object of the email package for every row and every header, in both directions, which takes nine tenths of the
CPU time of a batch of 40 rows. The request is the same except for each row's date.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from azure.core.rest import HttpRequest, HttpResponse
from azure.data.tables import RequestTooLargeError, TableClient, TableServiceClient, TableTransactionError
from azure.data.tables._error import _decode_error

_ANSWER = re.compile(r"^HTTP/1\.1 (\d{3})(.*?)(?=^--|\Z)", re.DOTALL | re.MULTILINE)
"""One operation's answer: its status, then headers and body up to the next boundary. A body is JSON in one line."""
_ETAG = re.compile(r"^ETag: *(\S+)\s*$", re.IGNORECASE | re.MULTILINE)


class BatchingTableService(TableServiceClient):
    """TableServiceClient with a faster ``submit_transaction``."""

    def get_table_client(self, table_name: str, **options: Any) -> TableClient:
        """A table's client. The table need not exist."""
        client = super().get_table_client(table_name, **options)
        # submit_transaction passes its requests to this function, and lets its errors through.
        client._batch_send = partial(_send, client)  # type: ignore[method-assign]
        return client


def _send(client: TableClient, _table: str, *requests: HttpRequest, **options: Any) -> list[Mapping[str, Any]]:
    """Send requests as one batch. Returns the ETag of each row that was written.

    Raises TableTransactionError if one operation was refused: then none of them was carried out.
    """
    batch, changes = f"batch_{uuid.uuid4()}", f"changeset_{uuid.uuid4()}"
    request = HttpRequest(
        "POST",
        f"{client.scheme}://{client._primary_hostname}/$batch",
        headers={
            "x-ms-version": client.api_version,
            "DataServiceVersion": "3.0",
            "MaxDataServiceVersion": "3.0;NetFx",
            "Content-Type": f"multipart/mixed; boundary={batch}",
            "Accept": "application/json",
        },
        content=(
            f"--{batch}\r\nContent-Type: multipart/mixed; boundary={changes}\r\n\r\n"
            + "".join(f"--{changes}\r\n{_part(number, each)}\r\n" for number, each in enumerate(requests))
            + f"--{changes}--\r\n\r\n--{batch}--\r\n"
        ).encode(),
    )
    # stream=True: otherwise azure-core would decode the answer.
    response: HttpResponse = client._client.send_request(request, stream=True, **options)
    response.read()
    if response.status_code != 202:
        kind = RequestTooLargeError if response.status_code == 413 else None
        raise _decode_error(response, error_type=kind)  # type: ignore[no-untyped-call]
    return list(_etags(response))


def _part(number: int, request: HttpRequest) -> str:
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return (
        f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {number}\r\n\r\n"
        f"{request.method} {request.url} HTTP/1.1\r\n{headers}\r\n{request.content or ''}"
    )


def _etags(response: HttpResponse) -> Iterator[Mapping[str, str]]:
    """Each operation's ETag. Raises TableTransactionError if one of them failed."""
    for status, answer in _ANSWER.findall(response.text()):
        headers, _, body = answer.partition("\r\n\r\n")
        if not status.startswith("2"):
            raise _refusal(int(status), body, response)
        etag = _ETAG.search(headers)
        yield {"etag": etag[1]} if etag else {}


def _refusal(status: int, body: str, response: HttpResponse) -> TableTransactionError:
    """The same error as the SDK's: its text begins with the number of the operation that was refused."""
    try:
        error_json = json.loads(body)["odata.error"]
        code, message = error_json["code"], error_json["message"]["value"]
    except (ValueError, KeyError, TypeError):
        code, message = None, body
    error = TableTransactionError(message=f"{message}\nErrorCode:{code}", response=response)
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined]
    return error

"""The least code that makes the same calls of storage and Read as the app does for a document of one page.

The same SDKs and rows with the same columns, one document after another, and nothing else: no claims except the ETag
at hand, no checks of answers, and only the expected answers handled.
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core import MatchConditions
from azure.data.tables import TableServiceClient, UpdateMode
from azure.storage.blob import BlobServiceClient, ContentSettings
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from shared.settings import Settings
from shared.storage.batch import BatchingTableService

_REPLACE = {"mode": UpdateMode.REPLACE}


class BareLoop:
    """Reads documents into the containers, queue and tables of these settings, which must exist.

    ``tables`` is the client that writes batches: the app's own or the SDK's.
    """

    def __init__(self, settings: Settings, tables: type[TableServiceClient] = BatchingTableService) -> None:
        connection = settings.storage.connection_string or ""
        blobs = BlobServiceClient.from_connection_string(connection)
        service = tables.from_connection_string(connection)
        self._settings = settings
        self._inbox = blobs.get_container_client(settings.input_container)
        self._results = blobs.get_container_client(settings.output_container)
        self._documents = service.get_table_client(settings.documents_table)
        self._lines = service.get_table_client(settings.lines_table)
        self._queue = QueueClient.from_connection_string(
            connection, settings.read_queue, message_encode_policy=TextBase64EncodePolicy()
        )
        self._session = requests.Session()

    def read(self, name: str) -> None:
        """Read one file, as the app's two functions do."""
        self._queue.send_message(self._submit(name), visibility_timeout=2, time_to_live=-1)
        self._store(name)

    def _submit(self, name: str) -> str:
        download = self._inbox.get_blob_client(name).download_blob()
        found = download.properties
        row: dict[str, Any] = {
            **self._keys(name),
            "Name": name,
            "Status": "submitting",
            "ApiVersion": "v3.2",
            "SourceETag": found.etag,
            "ContentLength": found.size,
            "UploadedAt": found.last_modified,
            "Submits": 1,
            "LostAnswers": 1,
            "Resubmits": 0,
            "Attempts": 0,
            "ServerErrors": 0,
            "NotFoundPolls": 0,
            "Polls": 0,
            "DueAt": datetime.now(UTC),
            "WriteId": uuid.uuid4().hex,
            "AppVersion": "0.1.0",
        }
        entry = {
            **self._marker(name),
            "Name": name,
            "Status": "submitting",
            "Since": row["UploadedAt"],
            "DueAt": row["DueAt"],
        }
        written = self._documents.submit_transaction([("create", row), ("upsert", entry, _REPLACE)])
        accepted = self._session.post(
            f"{self._settings.read_endpoint}/vision/v3.2/read/analyze",
            data=download.readall(),
            headers={"Content-Type": "application/octet-stream"},
        )
        row |= {
            "Status": "reading",
            "LostAnswers": 0,
            "SubmittedAt": datetime.now(UTC),
            "OperationUrl": self._settings.read_endpoint + urlsplit(accepted.headers["Operation-Location"]).path,
            "DueAt": datetime.now(UTC),
            "WriteId": uuid.uuid4().hex,
        }
        entry |= {"Status": "reading", "DueAt": row["DueAt"]}
        self._documents.submit_transaction(
            [("update", row, _unchanged(written[0]["etag"])), ("upsert", entry, _REPLACE)]
        )
        fields = {"v": 1, "name": name, "etag": row["SourceETag"], "operation": row["OperationUrl"]}
        return json.dumps({**fields, "write_id": row["WriteId"]})

    def _store(self, name: str) -> None:
        row = self._documents.get_entity(*self._keys(name).values())
        unchanged = _unchanged(row.metadata["etag"])
        answer = self._session.get(row["OperationUrl"])
        (page,) = answer.json()["analyzeResult"]["readResults"]
        text = "\n".join(line["text"] for line in page["lines"])
        operation = row["OperationUrl"].rpartition("/")[2]
        marks = {"api_version": "v3.2", "source_etag": row["SourceETag"], "operation_id": operation}
        for extension, content, kind in (
            (".json", answer.content, "application/json"),
            (".txt", f"{text}\n".encode(), "text/plain; charset=utf-8"),
            (".jsonl", json.dumps(page, separators=(",", ":")).encode() + b"\n", "application/jsonl; charset=utf-8"),
        ):
            self._results.upload_blob(
                name + extension, content, metadata=marks, content_settings=ContentSettings(content_type=kind)
            )
        key = f"{self._settings.input_container}:{name}"
        head = {"PartitionKey": key, "RowKey": "!head", "SourceETag": row["SourceETag"], "Operation": operation}
        lines = [
            {
                "PartitionKey": key,
                "RowKey": f"{page['page']:05}-{number:05}",
                "Name": name,
                "Page": page["page"],
                "Line": number,
                "Text": line["text"],
                "BoundingBox": json.dumps(line["boundingBox"]),
                "Unit": page["unit"],
                "Confidence": sum(word["confidence"] for word in line["words"]) / len(line["words"]),
                "Handwritten": False,
            }
            for number, line in enumerate(page["lines"], start=1)
        ]
        self._lines.submit_transaction([("create", head), *(("upsert", line, _REPLACE) for line in lines)])
        done = {
            **row,
            "Status": "succeeded",
            "Text": text,
            "TextTruncated": False,
            "TextBlob": f"{name}.txt",
            "ResultBlob": f"{name}.json",
            "LinesKey": key,
            "PageCount": 1,
            "LineCount": len(lines),
            "WordCount": sum(len(line["words"]) for line in page["lines"]),
            "ModelVersion": "2022-04-30",
            "CompletedAt": datetime.now(UTC),
            "Polls": 1,
            "WriteId": uuid.uuid4().hex,
        }
        del done["DueAt"]
        self._documents.submit_transaction([("update", done, unchanged), ("delete", self._marker(name))])

    def _keys(self, name: str) -> dict[str, str]:
        return {"PartitionKey": self._settings.input_container, "RowKey": name}

    def _marker(self, name: str) -> dict[str, str]:
        return {"PartitionKey": self._settings.input_container, "RowKey": f"!{name}"}


def _unchanged(etag: str | None) -> dict[str, Any]:
    return {**_REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}

"""What docs/storage.md and docs/recipes.md say about rows, blobs and messages is right."""

import base64
import json

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient

from simulation.app import App, Clock, settings_for
from simulation.read_server import ReadServer, as_json
from simulation.storage_tap import StorageTap
from tests.support.markdown import blocks, document, names, section, tables

STORAGE, RECIPES = document("docs/storage.md"), document("docs/recipes.md")

FULL = as_json(
    200,
    {
        "status": "succeeded",
        "analyzeResult": {
            "version": "3.2.0",
            "modelVersion": "2022-04-30",
            "readResults": [
                {
                    "page": 1,
                    "angle": 0.0,
                    "width": 8.5,
                    "height": 11.0,
                    "unit": "inch",
                    "language": "en",
                    "lines": [
                        {
                            "boundingBox": [1, 1, 2, 1, 2, 1.5, 1, 1.5],
                            "text": "Hello",
                            "appearance": {"style": {"name": "handwriting", "confidence": 0.9}},
                            "words": [
                                {"boundingBox": [1, 1, 2, 1, 2, 1.5, 1, 1.5], "text": "Hello", "confidence": 0.9}
                            ],
                        }
                    ],
                }
            ],
        },
    },
)


def test_every_column_of_a_line_and_of_a_page_is_explained(app: App, read: ReadServer, tap: StorageTap) -> None:
    read.gets.append(FULL)
    app.read("a.pdf", "Hello")
    part = section(STORAGE, "The lines table")
    table = TableServiceClient.from_connection_string(tap.connection_string).get_table_client(app.settings.lines_table)
    found = table.query_entities("PartitionKey eq @key", parameters={"key": app.document("a.pdf").lines_key})
    rows = {row["RowKey"]: row for row in found}
    for row_key, explained in zip(("00001-00001", "00001-00000"), tables(part), strict=True):
        columns = [name for row in explained for name in names(row[0])]
        assert sorted(columns) == sorted(set(rows[row_key]) - {"PartitionKey", "RowKey"})
    assert "!head" in rows
    assert "`!head`" in part


def test_the_documented_notification_is_the_one_that_is_sent(tap: StorageTap, read: ReadServer) -> None:
    settings = settings_for(tap.connection_string, read.endpoint, DONE_QUEUE="done-as-shown")
    app = App(settings, Clock())
    app.create_inbox()
    app.read("photo.jpg", "FERRY TIMES")
    queue = QueueClient.from_connection_string(tap.connection_string, "done-as-shown")
    (message,) = queue.receive_messages()
    (shown,) = blocks(section(RECIPES, "Be notified when a document is done"), "json")
    assert json.loads(base64.b64decode(message.content)) == json.loads(shown)


def test_the_output_blobs_are_named_and_marked_as_shown(app: App) -> None:
    app.read("2024/invoice.pdf", "Hello")
    part = section(STORAGE, "Output blobs")
    assert "`2024/invoice.pdf` becomes `2024/invoice.pdf.txt`" in part
    marks = set(names(part.split("that it belongs to:")[1].split(".")[0]))
    for name in ("2024/invoice.pdf.txt", "2024/invoice.pdf.json", "2024/invoice.pdf.jsonl"):
        assert set(app.results.get_blob_client(name).get_blob_properties().metadata) == marks

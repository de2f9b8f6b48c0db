"""Rows that a person or a tool has edited are shown as trouble, replaced by the next version, and lose no columns."""

from collections.abc import Mapping
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty, UpdateMode

from shared.document import Status
from shared.keys import document_key
from shared.storage.connection import table_service
from shared.tasks import again, forget
from simulation.app import App
from simulation.read_server import ReadServer


def edit(app: App, **columns: Any) -> None:
    client = table_service(app.settings.storage).get_table_client(app.settings.documents_table)
    keys = {"PartitionKey": app.settings.input_container, "RowKey": document_key("a.png")}
    client.update_entity({**keys, **columns}, mode=UpdateMode.MERGE)


def row(app: App) -> Mapping[str, Any]:
    client = table_service(app.settings.storage).get_table_client(app.settings.documents_table)
    return client.get_entity(app.settings.input_container, document_key("a.png"))


EDITS: list[dict[str, Any]] = [
    {"Status": "dreaming"},
    {"Status": 7},
    {"PageCount": "several"},
    {"CompletedAt": "yesterday"},
    {"TextTruncated": "perhaps"},
    {"Name": "b.png"},
]


@pytest.mark.parametrize("columns", EDITS)
def test_the_next_version_replaces_a_row_that_cannot_be_read(app: App, columns: dict[str, Any]) -> None:
    app.read("a.png", "old")
    edit(app, **columns)
    assert app.document("a.png").error_code == "RowEdited"
    assert app.read("a.png", "new").text == "new"
    assert (row(app)["Status"], row(app)["Name"]) == ("succeeded", "a.png")
    assert app.lines("a.png") == ["new"]


@pytest.mark.parametrize("columns", EDITS)
def test_a_row_that_cannot_be_read_can_be_forgotten_like_any_other(app: App, columns: dict[str, Any]) -> None:
    app.read("a.png", "old")
    edit(app, **columns)
    forget(app.services, "a.png")
    assert app.services.documents.get("a.png") is None
    assert app.output("a.png.txt") is None
    assert app.lines("a.png") == []


def test_a_result_that_read_still_has_is_fetched_without_paying_again(app: App, read: ReadServer) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    edit(app, Polls="none yet")
    app.run()
    assert app.document("a.png").error_code == "RowEdited"
    assert again(app.services, "a.png")
    app.run()
    assert app.document("a.png").text == "one"
    assert read.submitted == [b"one"]


def test_the_users_own_columns_survive_every_write(app: App) -> None:
    app.drop("a.png", "one")
    app.event("a.png")
    edit(app, Reviewed=True, Reviewer="Ada", Points=EntityProperty(2**40, EdmType.INT64))
    app.run()
    own = {"Reviewed": True, "Reviewer": "Ada"}
    assert own.items() <= row(app).items()
    app.read("a.png", "two")
    assert own.items() <= row(app).items()
    app.inbox.get_blob_client("a.png").set_blob_metadata({"x": "y"})
    app.read("a.png")
    again(app.services, "a.png")
    app.run()
    assert own.items() <= row(app).items()
    assert row(app)["Points"] == EntityProperty(2**40, EdmType.INT64)


def test_a_status_that_was_corrected_works_as_before(app: App) -> None:
    app.read("a.png", "one")
    edit(app, Status="done")
    assert app.document("a.png").status is Status.FAILED
    edit(app, Status="succeeded")
    assert app.document("a.png").text == "one"

"""What the commands find in tables and containers, on Azurite."""

import uuid
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from local.commands.store import Store, connect
from local.processes import Azurite
from local.stack import StackError
from shared.document import Document, Status, to_row, to_worklist_entry

NAMES = ("2024/a.pdf", "2024/b.pdf", "2024-old.pdf", " spaced.pdf", "!loud.pdf", "2023/z.pdf")


@pytest.fixture
def settings(azurite: Azurite) -> dict[str, str]:
    unique = f"t{uuid.uuid4().hex}"
    return {
        "DocumentStorage": azurite.connection_string,
        "READ_ENDPOINT": "http://127.0.0.1:5000",
        "INPUT_CONTAINER": unique,
        "OUTPUT_CONTAINER": f"{unique}-out",
        "DOCUMENTS_TABLE": unique,
        "LINES_TABLE": f"{unique}lines",
    }


@pytest.fixture
def store(settings: dict[str, str], azurite: Azurite) -> Store:
    """Six documents, the first of them failed and thus with an worklist entry."""
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        table = tables.create_table(settings["DOCUMENTS_TABLE"])
        for name in NAMES:
            document = Document(name=name, status=Status.FAILED if name == NAMES[0] else Status.SUCCEEDED)
            table.upsert_entity(to_row(document, settings["INPUT_CONTAINER"]))
        failed = Document(name=NAMES[0], status=Status.FAILED, error_code="EmptyFile", advice="Upload it again.")
        table.upsert_entity(to_worklist_entry(failed, settings["INPUT_CONTAINER"]))
    return connect(settings)


def test_each_document_is_found_once_and_no_worklist_entry(store: Store) -> None:
    assert sorted(row["Name"] for row in store.rows("", ["Name"])) == sorted(NAMES)


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("2024/", {"2024/a.pdf", "2024/b.pdf"}),
        ("2024", {"2024/a.pdf", "2024/b.pdf", "2024-old.pdf"}),
        ("2024/a.pdf", {"2024/a.pdf"}),
        (" ", {" spaced.pdf"}),
        ("!", {"!loud.pdf"}),
        ("none", set()),
    ],
)
def test_a_prefix_is_of_names_not_of_keys(store: Store, prefix: str, names: set[str]) -> None:
    assert {row["Name"] for row in store.rows(prefix, ["Name"])} == names


def test_documents_of_one_status_are_found(store: Store) -> None:
    assert [row["Name"] for row in store.rows("", ["Name"], Status.FAILED)] == ["2024/a.pdf"]


def test_a_failed_document_is_found_by_its_worklist_entry(store: Store) -> None:
    worklist = list(store.worklist("", ["Name", "ErrorCode", "Advice"]))

    assert [(row["Name"], row["ErrorCode"], row["Advice"]) for row in worklist] == [
        ("2024/a.pdf", "EmptyFile", "Upload it again.")
    ]
    assert [row["Name"] for row in store.worklist("2024/", ["Name"])] == ["2024/a.pdf"]
    assert not list(store.worklist("2023/", ["Name"]))


def test_before_anything_was_dropped_there_is_nothing_to_find(settings: dict[str, str]) -> None:
    store = connect(settings)

    assert not list(store.rows("", ["Name"]))
    assert not list(store.worklist("", ["Name"]))
    assert store.document("a.pdf") is None


def test_a_dropped_file_is_held_until_it_is_overwritten(settings: dict[str, str], tmp_path: Path) -> None:
    store = connect(settings)
    store.make_inbox()
    store.make_inbox()  # which is there
    (tmp_path / "a.pdf").write_bytes(b"one")
    first = store.drop(tmp_path / "a.pdf", "folder/a.pdf")

    assert store.holds("folder/a.pdf", first)

    (tmp_path / "a.pdf").write_bytes(b"two")
    second = store.drop(tmp_path / "a.pdf", "folder/a.pdf")

    assert store.holds("folder/a.pdf", second)
    assert not store.holds("folder/a.pdf", first)
    assert not store.holds("other.pdf", first)


def test_a_wrong_app_setting_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(StackError, match="INPUT_CONTAINER"):
        connect({**settings, "INPUT_CONTAINER": "No Container"})

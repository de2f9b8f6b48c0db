"""Where files are dropped, on Azurite."""

import uuid
from pathlib import Path

import pytest

from cli.errors import CommandError
from local.commands.store import connect
from local.processes import Azurite


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
    with pytest.raises(CommandError, match="INPUT_CONTAINER"):
        connect({**settings, "INPUT_CONTAINER": "No Container"})

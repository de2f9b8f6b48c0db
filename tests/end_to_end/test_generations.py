"""Every generation of Read, from a dropped file to rows and blobs, through the whole local stack."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from cli.connection import parsed
from local.commands.store import Store
from local.paths import ROOT
from local.processes import Azurite, FunctionsEmulator, ReadEmulator
from shared.document import Document
from shared.read.generations import all_generations

WITHIN = 60
"""Seconds. The real engine reads, and the machine may be busy."""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadEmulator]:
    """The Read emulator with its engine, which speaks every generation at once."""
    with ReadEmulator(logs=tmp_path_factory.mktemp("read")) as service:
        yield service


@pytest.mark.parametrize("version", [each.version for each in all_generations()])
def test_a_file_is_read_with_each_generation(
    version: str, azurite: Azurite, read: ReadEmulator, app_environment: dict[str, str], tmp_path: Path
) -> None:
    label = version.replace(".", "-")
    settings = {
        **app_environment,
        "AzureWebJobsStorage": azurite.connection_string,
        "DocumentStorage": azurite.connection_string,
        "READ_ENDPOINT": read.endpoint,
        "READ_API_VERSION": version,
        "INPUT_CONTAINER": f"in-{label}",
        "OUTPUT_CONTAINER": f"out-{label}",
        "READ_QUEUE": f"read-{label}",
    }
    store = Store(parsed(settings))
    store.make_inbox()
    etag = store.drop(ROOT / "samples/photo.jpg", "photo.jpg")
    with FunctionsEmulator(settings=settings, logs=tmp_path) as host:
        document = _end(store, host)
    assert (document.status, document.error_code) == ("succeeded", None)
    assert document.source_etag == etag
    assert document.api_version == version
    assert (document.text or "").splitlines()[0] == "FERRY TIMES"
    table = TableServiceClient.from_connection_string(azurite.connection_string).get_table_client("lines")
    lines = list(table.query_entities("PartitionKey eq @key and Line ge 1", parameters={"key": document.lines_key}))
    assert [line["Text"] for line in lines] == (document.text or "").splitlines()
    assert {len(json.loads(line["BoundingBox"])) for line in lines} == {8}
    assert {line["Unit"] for line in lines} == {"pixel"}
    v2 = version in ("v2.0", "v2.1")
    assert {line.get("Confidence") is None for line in lines} == {v2}, "only v2 gives no numeric confidence"
    assert store.text(document).splitlines() == [line["Text"] for line in lines]


def _end(store: Store, host: FunctionsEmulator) -> Document:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        host.check()
        document = store.document("photo.jpg")
        if document is not None and document.status.final:
            return document
        time.sleep(0.2)
    raise AssertionError("the file has not ended in time")

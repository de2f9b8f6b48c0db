"""Every generation of Read, from a dropped file to rows and blobs."""

import json
from pathlib import Path

import pytest

from shared.document import Status
from simulation.app import App, Clock, settings_for
from simulation.read_server import RUNNING, Answer, ReadServer
from simulation.storage_tap import StorageTap
from tests.support.results import parsed
from tests.unit.read.samples import VERSIONS, answer_of
from tests.unit.read.test_generations import PATHS

BODIES = Path(__file__).parents[3] / "shared" / "read-api" / "recordings"
RECORDED = {
    "v2.0": "cv-v2.0/batchread-stream-menu-pdf.body.json",
    "v2.1": "quickstart/v2.1.body.json",
    "v3.0-preview": "quickstart/v3.0-preview.body.json",
    "v3.0": "cv-v3.0/mpf-form-demo-pdf.body.json",
    "v3.1": "cv-v3.1/quickstart-hand-text.body.json",
    "v3.2": "cv-v3.2/net-latest-natural-signage.body.json",
    "2022-08-31": "di-2022-08-31/layout-url-invoice-pdf.body.json",
    "2024-11-30": "di-2024-11-30/read-pdf-2024-11-30-PARTIAL.body.json",
}


def app_of(version: str, tap: StorageTap, read: ReadServer) -> App:
    app = App(settings_for(tap.connection_string, read.endpoint, READ_API_VERSION=version), Clock())
    app.create_inbox()
    return app


def script(read: ReadServer, version: str, body: bytes) -> None:
    operation = f"https://westus.api.cognitive.microsoft.com{PATHS[version][1]}"
    read.posts.append(Answer(202, headers={"Operation-Location": operation}))
    read.gets.extend([RUNNING, Answer(200, body, {"Content-Type": "application/json; charset=utf-8"})])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_ends_as_rows_and_the_answer_byte_for_byte(tap: StorageTap, read: ReadServer, version: str) -> None:
    app = app_of(version, tap, read)
    body = json.dumps(answer_of(version), indent=1, ensure_ascii=False).encode() + b"\r\n"
    script(read, version, body)
    document = app.read("scan.pdf", b"%PDF-")

    assert (document.status, document.text) == (Status.SUCCEEDED, "Hello wörld\n\n2nd")
    assert (document.page_count, document.line_count, document.word_count) == (2, 2, 3)
    assert document.api_version == version
    assert app.output("scan.pdf.json") == body
    assert app.output("scan.pdf.txt") == "Hello wörld\n\f2nd\n".encode()
    assert [request.path for request in read.requests] == [
        PATHS[version][0],
        PATHS[version][1],
        PATHS[version][1],
    ]
    first, second = app.line_rows("scan.pdf")
    assert [(row["RowKey"], row["Text"]) for row in (first, second)] == [
        ("00001-00001", "Hello wörld"), ("00002-00001", "2nd")
    ]  # fmt: skip
    assert json.loads(first["BoundingBox"]) == [10, 20, 90, 20, 90, 40, 10, 40]
    assert first["Unit"] == "pixel"
    assert first.get("Confidence") == (None if version.startswith("v2") else 0.5)
    assert first.get("Language") == (None if version.startswith("v2") else "en")


@pytest.mark.skipif(not BODIES.is_dir(), reason=f"no recordings of the service at {BODIES}")
@pytest.mark.parametrize("version", RECORDED)
def test_a_recording_of_the_service_ends_as_rows_and_byte_for_byte(
    tap: StorageTap, read: ReadServer, version: str
) -> None:
    app = app_of(version, tap, read)
    body = (BODIES / RECORDED[version]).read_bytes()
    script(read, version, body)
    document = app.read("scan.pdf", b"%PDF-")

    result = parsed(version, json.loads(body))
    lines = [(page, line) for page in result.pages for line in page.lines]
    assert document.status is Status.SUCCEEDED
    assert app.output("scan.pdf.json") == body
    assert app.output("scan.pdf.txt") == "\f".join(page.text_file for page in result.pages).encode()
    rows = app.line_rows("scan.pdf")
    assert [row["Text"] for row in rows] == [line.text for _, line in lines]
    assert [tuple(json.loads(row["BoundingBox"])) if "BoundingBox" in row else None for row in rows] == [
        line.box for _, line in lines
    ]
    assert [row.get("Unit") for row in rows] == [page.unit for page, _ in lines]

"""Results too large for memory give the same rows and blobs, all or nothing, whatever breaks on the way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.document import Status
from shared.read.client import ReadClient
from shared.storage.outputs import Outputs
from simulation.app import App, Clock, settings_for
from simulation.read_server import Answer, ReadServer, result
from simulation.storage_tap import StorageTap
from tests.support.results import parsed
from tests.unit.read.samples import answer_of

LEFT_BEHIND = "0" * 38
"""The id of a block. All ids of a blob have the same length."""
PAGES = [f"page {number}\nfirst line\nsecond line 😀" for number in range(60)]


def with_small_limits(app: App) -> App:
    """The same app, but it keeps hardly anything in memory."""
    services = app.services
    app.services = replace(
        services,
        read=ReadClient(
            services.settings.read_endpoint,
            services.settings.generation,
            key=None,
            token=None,
            now=app.clock,
            most_in_memory=1000,
        ),
        outputs=Outputs(app.results, 3000),
    )
    return app


@pytest.fixture
def app(tap: StorageTap, read: ReadServer) -> App:
    app = with_small_limits(App(settings_for(tap.connection_string, read.endpoint), Clock()))
    app.create_inbox()
    return app


def assert_all_is_stored(app: App, name: str, body: bytes, version: str = "v3.2") -> None:
    expected = parsed(version, json.loads(body))
    document = app.document(name)
    assert (document.status, document.error_code) == (Status.SUCCEEDED, None)
    assert (document.text, document.text_truncated) == (expected.text, False)
    assert (document.page_count, document.line_count, document.word_count) == (
        len(expected.pages), expected.line_count, expected.word_count
    )  # fmt: skip
    assert (document.language, document.model_version) == (expected.language, expected.model_version)
    assert app.output(f"{name}.json") == body
    assert app.output(f"{name}.txt") == "\f".join(page.text_file for page in expected.pages).encode()
    assert app.lines(name) == [line.text for page in expected.pages for line in page.lines]


def test_a_large_result_ends_as_row_lines_text_and_byte_for_byte(app: App, tap: StorageTap) -> None:
    calls = len(tap.calls)
    app.read("a.pdf", "\f".join(PAGES))
    assert_all_is_stored(app, "a.pdf", json.dumps(result(PAGES)).encode())
    blocks = [call for call in tap.calls[calls:] if call.method == "PUT" and call.path.endswith("a.pdf.json")]
    assert len(blocks) > 3


@pytest.mark.parametrize("version", ["v2.1", "2024-11-30"])
@pytest.mark.parametrize("loose", [False, True])
def test_a_large_result_of_the_other_shapes_is_read_too(
    tap: StorageTap, read: ReadServer, version: str, loose: bool
) -> None:
    app = with_small_limits(App(settings_for(tap.connection_string, read.endpoint, READ_API_VERSION=version), Clock()))
    app.create_inbox()
    answer = answer_of(version)
    if "analyzeResult" in answer and loose:  # as Office files are: text, and no lines
        for page in answer["analyzeResult"]["pages"]:
            page["lines"] = []
    body = json.dumps(answer, indent=30).encode()
    assert len(body) > 1000
    path = {
        "v2.1": "/vision/v2.1/read/operations/1",
        "2024-11-30": "/documentintelligence/documentModels/prebuilt-read/analyzeResults/1",
    }[version]
    read.posts.append(Answer(202, headers={"Operation-Location": f"http://read{path}"}))
    read.gets.append(Answer(200, body))
    app.read("a.pdf", "x")
    assert_all_is_stored(app, "a.pdf", body, version)


def broken_bodies() -> Iterator[Any]:
    body = json.dumps(result(PAGES)).encode()
    yield pytest.param(Answer(200, body[:9000], {"Content-Length": str(len(body))}, closes=True), id="cut short")
    yield pytest.param(Answer(200, body[:9000]), id="half of the JSON")
    yield pytest.param(Answer(200, body + b"}"), id="more than the JSON")
    yield pytest.param(Answer(200, b"<html>" * 500), id="a proxy's page")
    yield pytest.param(Answer(200, body.replace(b'"succeeded"', b'"running"')), id="a large answer that still runs")


@pytest.mark.parametrize("broken", list(broken_bodies()))
def test_a_large_answer_that_breaks_off_is_polled_again(app: App, read: ReadServer, broken: Answer) -> None:
    app.drop("a.pdf", "\f".join(PAGES))
    app.event("a.pdf")
    read.gets.append(broken)
    app.step()
    waiting = app.document("a.pdf")
    assert waiting.status is Status.WAITING
    assert waiting.error_code in ("Unreachable", "NotReadsAnswer")
    assert app.output("a.pdf.json") is None
    app.run()
    assert_all_is_stored(app, "a.pdf", json.dumps(result(PAGES)).encode())
    assert len(read.submitted) == 1


def test_a_large_result_of_an_unknown_shape_fails_and_leaves_nothing(app: App, read: ReadServer) -> None:
    body = json.dumps(result(PAGES)).encode().replace(b"first line", b"x").replace(b'"text": "page 50"', b'"text": 50')
    read.gets.append(Answer(200, body))
    document = app.read("a.pdf", "x")
    assert (document.status, document.error_code) == (Status.FAILED, "ResultNotUnderstood")
    assert app.lines("a.pdf") == []
    assert (app.output("a.pdf.json"), app.output("a.pdf.txt")) == (None, None)


def test_a_text_in_blocks_is_complete_in_the_blob_and_cut_in_the_column(app: App) -> None:
    pages = ["\n".join(f"{number} {'é' * 70}" for number in range(30))] * 20
    document = app.read("a.pdf", "\f".join(pages))
    assert document.text_truncated
    assert "\n\n".join(pages).startswith(document.text or "never")
    assert app.output("a.pdf.txt") == "\f".join(f"{page}\n" for page in pages).encode()


@pytest.mark.parametrize("name", ["a.pdf.json", "a.pdf.txt"])
def test_blocks_left_by_a_crashed_run_do_no_harm(app: App, name: str) -> None:
    app.read("other.pdf", "makes the container")
    app.results.get_blob_client(name).stage_block(LEFT_BEHIND, b"half of something")
    app.read("a.pdf", "\f".join(PAGES))
    assert_all_is_stored(app, "a.pdf", json.dumps(result(PAGES)).encode())
    app.results.get_blob_client("small.txt.txt").stage_block(LEFT_BEHIND, b"half of something")
    app.read("small.txt", "small")
    assert app.output("small.txt.txt") == b"small\n"


def test_a_large_result_replaces_an_older_version_s(app: App) -> None:
    app.read("a.pdf", "\f".join(["old"] * 99))
    app.read("a.pdf", "\f".join(PAGES))
    assert_all_is_stored(app, "a.pdf", json.dumps(result(PAGES)).encode())


@pytest.mark.parametrize("after", range(1, 10))
def test_a_newer_version_that_is_read_meanwhile_is_never_overwritten(app: App, tap: StorageTap, after: int) -> None:
    app.drop("a.pdf", "\f".join(["old"] * 60))
    app.event("a.pdf")
    overtaken = False

    def newer() -> None:
        nonlocal overtaken
        overtaken = True
        app.drop("a.pdf", "\f".join(PAGES))
        other = with_small_limits(app.twin())
        other.event("a.pdf")
        other.run()

    seen = 0

    def is_the_time(call: object) -> bool:
        nonlocal seen
        seen += "a.pdf." in str(call) or "$batch" in str(call)
        return seen > after

    tap.intercept(is_the_time, newer)
    app.run()
    assert overtaken
    assert_all_is_stored(app, "a.pdf", json.dumps(result(PAGES)).encode())


def test_two_runs_on_the_same_large_result_both_end_with_it(app: App, tap: StorageTap, read: ReadServer) -> None:
    app.drop("a.pdf", "\f".join(PAGES))
    app.event("a.pdf")
    message = app.sent.messages[0]

    def again() -> None:
        other = with_small_limits(app.twin())
        other.sent.messages.append(message)
        other.run()

    tap.intercept(lambda call: call.method == "PUT" and call.path.endswith("a.pdf.json"), again)
    app.run()
    assert_all_is_stored(app, "a.pdf", json.dumps(result(PAGES)).encode())
    assert read.polls == 2

"""Read fetches files itself by a link that reads one file for an hour; if that fails, the content is sent."""

import json
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests

from shared.document import Status
from simulation.app import App, Clock, settings_for
from simulation.read_server import LOST, Answer, ReadServer, Request, accepted, as_json, succeeded
from simulation.storage_tap import Call, StorageTap


@pytest.fixture
def app(tap: StorageTap, read: ReadServer) -> App:
    app = App(settings_for(tap.connection_string, read.endpoint, SUBMIT_BY="url"), Clock())
    app.create_inbox()
    return app


class Fetching:
    """What Read does with a link: it fetches the file, and reads it as text."""

    def __init__(self, read: ReadServer, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.links: list[str] = []
        self._read = read
        self._meanwhile = meanwhile

    def __call__(self, request: Request) -> Answer:
        assert request.headers["Content-Type"] == "application/json"
        body = json.loads(request.body)
        assert list(body) == ["url"]
        self.links.append(body["url"])
        self._meanwhile()
        content = requests.get(body["url"], timeout=10)
        content.raise_for_status()
        self._read.gets.append(succeeded(content.text))
        return accepted("fetched")


def assert_no_secret(app: App, name: str, caplog: pytest.LogCaptureFixture) -> None:
    row = str(app.document(name))
    messages = "".join(text for text, _ in app.sent.messages)
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("shared")]
    for seen in (row, messages, *logged):
        assert "sig=" not in seen


@pytest.mark.parametrize("name", ["a.png", "scans/ü #?%41&+ 1.png", "a=b;c'd.png"])
def test_read_fetches_the_file_and_none_of_it_passes_through_the_app(
    app: App, read: ReadServer, tap: StorageTap, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "shared")
    fetching = Fetching(read)
    read.posts.append(fetching)
    app.drop(name, "Dear Sir")
    calls = len(tap.calls)
    app.event(name)
    blobs = [call.method for call in tap.calls[calls:] if call.service == "blob"]
    assert blobs == ["HEAD", "GET", "HEAD"]  # the GET is Read's
    app.run()
    document = app.document(name)
    assert (document.status, document.text, document.submits) == (Status.SUCCEEDED, "Dear Sir", 1)
    assert_no_secret(app, name, caplog)


def test_a_link_can_only_read_its_file(app: App, read: ReadServer) -> None:
    fetching = Fetching(read)
    read.posts.append(fetching)
    app.drop("b.png", "another")
    app.read("a.png", "one")
    (link,) = fetching.links
    assert "sp=r&" in link
    assert requests.get(link.replace("a.png", "b.png"), timeout=10).status_code == 403
    assert requests.put(link, data=b"x", headers={"x-ms-blob-type": "BlockBlob"}, timeout=10).status_code == 403
    assert requests.delete(link, timeout=10).status_code == 403


REFUSALS = [
    as_json(400, {"error": {"code": "InvalidImageUrl", "message": "Image URL is not accessible: {link}"}}),
    as_json(400, {"code": "FailedToDownloadImage", "message": "Failed to download image from input URL."}),
    as_json(400, {"error": {"code": "InvalidRequest", "innererror": {"code": "ContentSourceTimeout"}}}),
    as_json(403, {"error": {"code": "OutboundAccessForbidden", "message": "Not on the list."}}),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_if_read_cannot_fetch_the_file_the_content_is_sent_in_the_same_claim(
    app: App, read: ReadServer, refusal: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "shared")

    def refuse(request: Request) -> Answer:
        link = json.loads(request.body)["url"]
        return Answer(refusal.status, refusal.body.replace(b"{link}", link.encode()), refusal.headers)

    read.posts.append(refuse)
    document = app.read("a.png", "one")
    assert (document.status, document.text, document.submits) == (Status.SUCCEEDED, "one", 1)
    assert read.submitted[1:] == [b"one"]
    assert_no_secret(app, "a.png", caplog)


def test_a_link_that_read_repeats_is_not_stored(app: App, read: ReadServer, caplog: pytest.LogCaptureFixture) -> None:
    def busy(request: Request) -> Answer:
        link = json.loads(request.body)["url"]
        return as_json(429, {"error": {"code": "429", "message": f"Not now: {link} and {urlsplit(link).query}"}})

    read.posts.append(busy)
    app.drop("a.png", "one")
    app.event("a.png")
    document = app.document("a.png")
    assert (document.status, document.error_code) == (Status.WAITING, "Throttled")
    assert "sig" not in (document.error_message or "")
    assert_no_secret(app, "a.png", caplog)
    assert len(read.submitted) == 1


def test_after_a_lost_answer_to_a_link_no_content_is_sent_since_it_may_have_been_paid(
    app: App, read: ReadServer
) -> None:
    read.posts.append(LOST)
    app.drop("a.png", "one")
    app.event("a.png")
    assert len(read.submitted) == 1
    assert app.document("a.png").lost_answers == 1


def test_a_file_that_is_overwritten_before_read_fetches_it_is_read_in_its_new_version(
    app: App, read: ReadServer
) -> None:
    read.posts.append(Fetching(read, lambda: app.drop("a.png", "new")))
    app.drop("a.png", "old")
    app.event("a.png")
    read.gets.clear()
    read.gets.append(succeeded("new"))
    app.run()
    document = app.document("a.png")
    assert (document.status, document.text) == (Status.SUCCEEDED, "new")
    current = app.inbox.get_blob_client("a.png").get_blob_properties()
    assert document.source_etag == current.etag


def test_trouble_with_storage_after_a_202_does_not_pay_again(app: App, read: ReadServer, tap: StorageTap) -> None:
    read.posts.append(Fetching(read))
    app.drop("a.png", "one")
    seen: list[Call] = []

    def is_second_head(call: Call) -> bool:
        seen.extend([call] if call.method == "HEAD" else [])
        return len(seen) == 2

    def gone() -> None:
        app.inbox.get_blob_client("a.png").delete_blob()

    tap.intercept(is_second_head, gone)
    app.event("a.png")
    app.run()
    assert app.document("a.png").status is Status.SUCCEEDED
    assert len(read.submitted) == 1


def test_no_link_is_made_for_an_empty_or_missing_file(app: App, read: ReadServer) -> None:
    assert app.read("a.png", b"").error_code == "EmptyFile"
    app.event("missing.png")
    assert read.submitted == []

"""Internet shortcuts: every generation of Read gets the URL, and the app never fetches it."""

import json

import pytest

from shared.document import Status
from simulation.app import App, Clock, settings_for
from simulation.read_server import LOST, Answer, ReadServer, Request, accepted, as_json
from simulation.storage_tap import StorageTap
from tests.unit.read.samples import VERSIONS, answer_of
from tests.unit.read.test_generations import PATHS

URL = "https://example.com/scans/a%20b.png?sig=secret"
SHORTCUT = f"[InternetShortcut]\r\nURL={URL}\r\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_generation_reads_what_a_shortcut_points_to(tap: StorageTap, read: ReadServer, version: str) -> None:
    app = App(settings_for(tap.connection_string, read.endpoint, READ_API_VERSION=version), Clock())
    app.create_inbox()
    operation = f"https://westus.api.cognitive.microsoft.com{PATHS[version][1]}"
    read.posts.append(Answer(202, headers={"Operation-Location": operation}))
    read.gets.append(as_json(200, answer_of(version)))
    app.drop("scans/a.URL", SHORTCUT)
    document = app.read("scans/a.URL")

    post = read.requests[0]
    assert post.headers["Content-Type"] == "application/json"
    assert json.loads(post.body) == {app.settings.generation.url_field: URL}
    assert (document.status, document.text, document.submits) == (Status.SUCCEEDED, "Hello wörld\n\n2nd", 1)
    assert app.output("scans/a.URL.txt") == "Hello wörld\n\f2nd\n".encode()
    assert app.output("scans/a.URL.jsonl")
    assert len(app.line_rows("scans/a.URL")) >= 2


def test_the_metadata_of_a_shortcut_set_its_read_options(app: App, read: ReadServer) -> None:
    read.posts.append(accepted("one"))
    app.drop("a.url", SHORTCUT, metadata={"language": "en"})
    app.event("a.url")
    assert read.requests[0].path.endswith("?language=en")


@pytest.mark.parametrize("submit_by", ["content", "url"])
def test_the_url_is_sent_whatever_submit_by_says(tap: StorageTap, read: ReadServer, submit_by: str) -> None:
    app = App(settings_for(tap.connection_string, read.endpoint, SUBMIT_BY=submit_by), Clock())
    app.create_inbox()
    app.drop("a.url", SHORTCUT)
    app.event("a.url")
    assert [json.loads(body) for body in read.submitted] == [{"url": URL}]


@pytest.mark.parametrize(
    "content", [b"no shortcut", b"[InternetShortcut]\nURL=file:///etc/passwd\n", b"\x89PNG\r\n\x1a\n" * 20_000]
)
def test_an_invalid_shortcut_fails_unpaid_with_advice(app: App, read: ReadServer, content: bytes) -> None:
    document = app.read("a.url", content)
    assert (document.status, document.error_code, document.submits) == (Status.FAILED, "NotAShortcut", 0)
    assert "begins with http://" in (document.advice or "")
    assert not read.requests
    assert not app.sent.messages


def test_a_url_that_read_cannot_fetch_fails_with_advice_that_does_not_repeat_it(app: App, read: ReadServer) -> None:
    refusal = {"error": {"code": "InvalidImageUrl", "message": f"Image URL is not accessible: {URL}"}}
    read.posts.append(as_json(400, refusal))
    document = app.read("a.url", SHORTCUT)
    assert (document.status, document.error_code, document.submits) == (Status.FAILED, "InvalidImageUrl", 0)
    assert "what the shortcut points to" in (document.advice or "")
    assert "secret" not in f"{document.error_message} {document.advice}"
    assert len(read.submitted) == 1  # its own few bytes are no document


def test_trouble_with_read_makes_a_shortcut_wait_like_any_file(app: App, read: ReadServer) -> None:
    read.posts.extend([Answer(503), LOST])
    app.drop("a.url", SHORTCUT)
    app.event("a.url")
    assert app.document("a.url").status is Status.WAITING

    def fetch(request: Request) -> Answer:
        assert json.loads(request.body) == {"url": URL}
        return accepted("one")

    read.posts.append(fetch)
    app.step()
    app.step()
    assert app.document("a.url").status is Status.READING

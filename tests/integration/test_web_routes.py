"""The interface over real storage: what each route answers and refuses, and that no request reaches other data."""

import io
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from PIL import Image

from simulation.app import App, Clock, settings_for
from simulation.read_server import ReadServer
from simulation.storage_tap import StorageTap
from tests.integration.interface import Interface, answer, code, picture, store_examples
from web.operations import BROKEN, EXAMPLE_PAGE, INVOICE, OPERATIONS
from web.routes import ROUTES

LONG = "卷" * 1024
NAMES = [
    LONG,
    "a//b.png",
    "a/b..c/d.png",
    "100%2F50.png",
    "a#b?c.png",
    "1 + 1.png",
    "trailing dot.",
    "'=;!~\"&<b>.png",
    "ünï\u202ecode/\u00e9\u0301.png",
]


@pytest.fixture
def web(app: App) -> Interface:
    return Interface(app)


@pytest.fixture
def stored(app: App, read: ReadServer) -> Interface:
    store_examples(app, read)
    return Interface(app)


# Examples


def _masked(value: Any) -> Any:
    """Replaces times, links and ETags by their kinds, since they differ every time."""
    if isinstance(value, dict):
        return {
            key: "…" if key in ("etag", "sourceEtag", "contentLength") and each else _masked(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_masked(each) for each in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
        return "a time"
    if isinstance(value, str) and value.startswith("http"):
        return f"a link to {urlsplit(value).path.rsplit('/', 1)[-1]}"
    return value


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", [route.name for route in ROUTES if not route.is_open and route.name != "check"])
def test_each_example_has_the_documented_answer(stored: Interface, name: str, method: str) -> None:
    route = next(route for route in ROUTES if route.name == name)
    if method not in route.methods:
        pytest.skip("not by this method")
    operation = OPERATIONS[name]
    ask = stored.get if method == "GET" else stored.post
    response = ask(name, **operation.example.request)
    assert response.status == operation.status, response.body
    if operation.example.answer is not None:
        assert _masked(json.loads(response.body)) == _masked(operation.example.answer)
    for header in operation.headers:
        assert header in response.headers
    assert ("ETag" in response.headers) == operation.caches


# Documents


def test_documents_are_listed_by_prefix_and_status_with_a_link_to_the_rest(web: Interface) -> None:
    for number in range(5):
        web.app.read(f"a/{number}.png", "x")
    web.app.drop("b.png", "x")
    web.app.event("b.png")
    first = answer(web.get("documents", prefix="a/", limit=2))
    names = [each["name"] for each in first["value"]]
    while first["nextLink"]:
        first = answer(web.follow(first["nextLink"]))
        names += [each["name"] for each in first["value"]]
    assert names == [f"a/{number}.png" for number in range(5)]
    reading = answer(web.get("documents", status="reading"))
    assert [each["name"] for each in reading["value"]] == ["b.png"]


def test_documents_requested_by_name_come_in_that_order_and_unknown_ones_without_a_status(stored: Interface) -> None:
    found = answer(stored.post("documents", names=[BROKEN, "none.png", INVOICE]))["value"]
    assert [(each["name"], each["status"]) for each in found] == [
        (BROKEN, "failed"),
        ("none.png", None),
        (INVOICE, "succeeded"),
    ]


@pytest.mark.parametrize("continuation", ["x", "e30", "W10", "eyJQYXJ0aXRpb25LZXkiOiAxfQ"])
def test_a_made_up_continuation_is_refused(stored: Interface, continuation: str) -> None:
    assert code(stored.get("documents", continuation=continuation)) == "InvalidContinuation"
    assert code(stored.get("lines", name=INVOICE, continuation=continuation)) == "InvalidContinuation"


def test_a_failed_document_is_found_and_says_what_to_do(stored: Interface) -> None:
    found = answer(stored.get("document", name=BROKEN))
    assert (found["status"], found["errorCode"]) == ("failed", "InvalidImageSize")
    assert found["advice"]


def test_a_document_that_nobody_dropped_is_not_found(web: Interface) -> None:
    for route in ("document", "lines", "links", "read_again"):
        ask = web.post if route == "read_again" else web.get
        assert code(ask(route, name="none.png")) == "DocumentNotFound"
    assert code(web.get("page", name="none.png", page=1)) == "DocumentNotFound"
    assert code(web.get("page_image", name="none.png", page=1)) == "DocumentNotFound"


def test_an_answer_that_the_caller_has_is_not_sent_again(stored: Interface) -> None:
    routes: dict[str, dict[str, Any]] = {
        "documents": {},
        "counts": {},
        "document": {"name": INVOICE},
        "lines": {"name": INVOICE},
        "page": {"name": INVOICE, "page": 1},
        "page_image": {"name": INVOICE, "page": 1},
    }
    for route, parameters in routes.items():
        first = stored.get(route, **parameters)
        etag = first.headers["ETag"]
        assert etag.startswith('"')
        again = stored.get(route, {"if-none-match": f'"other", W/{etag}'}, **parameters)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
        assert stored.get(route, {"if-none-match": '"other"'}, **parameters).status == 200


def test_a_documents_etag_changes_when_the_document_changes(stored: Interface) -> None:
    before = stored.get("document", name=INVOICE).headers["ETag"]
    stored.app.read(INVOICE, "another text")
    response = stored.get("document", {"if-none-match": before}, name=INVOICE)
    found = answer(response)
    assert found["text"] == "another text"
    assert response.headers["ETag"] == f'"{found["etag"]}"'


# Lines and pages


def test_a_document_that_has_not_succeeded_has_no_lines_and_no_pages(stored: Interface) -> None:
    for response in (
        stored.get("lines", name=BROKEN),
        stored.get("page", name=BROKEN, page=1),
        stored.get("page_image", name=BROKEN, page=1),
    ):
        assert (response.status, code(response)) == (409, "NotRead")
        assert json.loads(response.body)["advice"].startswith("Read v3.2 takes images of")


def test_lines_continue_and_can_be_limited_to_one_page(web: Interface) -> None:
    web.app.read("a.png", "\f".join("\n".join(f"{page}.{line}" for line in range(1, 6)) for page in range(1, 4)))
    part = answer(web.get("lines", name="a.png", limit=4))
    texts = [each["text"] for each in part["value"]]
    while part["nextLink"]:
        part = answer(web.follow(part["nextLink"]))
        texts += [each["text"] for each in part["value"]]
    assert texts == [f"{page}.{line}" for page in range(1, 4) for line in range(1, 6)]
    second = answer(web.get("lines", name="a.png", page=2))
    assert [each["text"] for each in second["value"]] == [f"2.{line}" for line in range(1, 6)]


def test_one_page_costs_two_rows_and_one_range_of_the_pages_blob(web: Interface, tap: StorageTap) -> None:
    web.app.read("a.png", "\f".join(f"page {number}" for number in range(1, 31)))
    calls = len(tap.calls)
    found = answer(web.get("page", name="a.png", page=17))
    assert (found["page"], found["text"]) == (17, "page 17\n")
    assert [(call.service, call.method) for call in tap.calls[calls:]] == [
        ("table", "GET"),
        ("table", "GET"),
        ("blob", "GET"),
    ]


def test_a_page_that_the_document_does_not_have_is_not_found(stored: Interface) -> None:
    assert code(stored.get("page", name=INVOICE, page=2)) == "PageNotFound"
    assert code(stored.get("page_image", name=INVOICE, page=2)) == "PageNotFound"


# Page images


def test_a_page_is_drawn_in_the_requested_size(stored: Interface) -> None:
    response = stored.get("page_image", name=INVOICE, page=1, width=200)
    assert (response.status, response.media_type) == (200, "image/png")
    assert Image.open(io.BytesIO(response.body)).size == (200, 100)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_was_overwritten_after_reading_is_not_drawn(stored: Interface) -> None:
    stored.app.drop(INVOICE, picture(500, 250))
    assert code(stored.get("page_image", name=INVOICE, page=1)) == "SourceChanged"
    stored.app.inbox.delete_blob(INVOICE)
    assert code(stored.get("page_image", name=INVOICE, page=1)) == "SourceNotFound"


def test_a_file_that_cannot_be_drawn_still_has_its_words(web: Interface) -> None:
    web.app.read("a.docx", "a text")
    response = web.get("page_image", name="a.docx", page=1)
    assert (response.status, code(response)) == (422, "PageNotDrawable")
    assert web.get("page", name="a.docx", page=1).status == 200


# Links


def test_links_read_only_the_documents_blobs(stored: Interface) -> None:
    found = answer(stored.get("links", name=INVOICE))
    assert requests.get(found["source"], timeout=10).content == picture()
    assert requests.get(found["text"], timeout=10).text == EXAMPLE_PAGE["text"]
    assert requests.get(found["json"], timeout=10).json()["status"] == "succeeded"
    assert requests.get(found["pages"], timeout=10).json() == EXAMPLE_PAGE
    for link in (found["source"], found["text"], found["json"], found["pages"]):
        assert "sp=r&" in link
        assert requests.delete(link, timeout=10).status_code == 403
        assert requests.put(link, data=b"x", headers={"x-ms-blob-type": "BlockBlob"}, timeout=10).status_code == 403
    assert requests.get(found["source"].replace(INVOICE, BROKEN), timeout=10).status_code == 403
    served = requests.get(found["text"], timeout=10)
    assert served.headers["Content-Disposition"] == "attachment; filename*=UTF-8''2026-001.png.txt"


def test_links_for_reading_last_minutes_and_a_link_for_an_upload_an_hour(stored: Interface) -> None:
    now = stored.app.clock()
    found = answer(stored.get("links", name=INVOICE))
    upload = answer(stored.post("uploads", name="a.png", metadata={}), 201)
    for link, told, longest in (
        *((found[kind], found["expiresAt"], 15) for kind in ("source", "text", "json", "pages")),
        (upload["url"], upload["expiresAt"], 60),
    ):
        end = datetime.fromisoformat(parse_qs(urlsplit(link).query)["se"][0])
        assert end - now <= timedelta(minutes=longest, seconds=1)
        assert abs(end - datetime.fromisoformat(told)) <= timedelta(seconds=1)


def test_links_are_given_only_to_what_exists(stored: Interface) -> None:
    found = answer(stored.get("links", name=BROKEN))
    assert found["source"]
    assert [found[each] for each in ("text", "json", "pages")] == [None, None, None]
    stored.app.inbox.delete_blob(INVOICE)
    found = answer(stored.get("links", name=INVOICE))
    assert found["source"] is None
    assert found["text"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_uploaded_read_shown_and_forgotten(web: Interface, name: str) -> None:
    ask = web.get if len(name) < 900 else web.post
    upload = answer(web.post("uploads", name=name, metadata={"language": "en"}), 201)
    sent = requests.put(upload["url"], data=b"a text", headers=upload["headers"], timeout=10)
    assert sent.status_code == 201, sent.text
    assert web.app.inbox.get_blob_client(name).get_blob_properties().metadata == {"language": "en"}
    assert web.app.read(name).text == "a text"
    found = answer(ask("document", name=name))
    assert (found["name"], found["status"], found["text"]) == (name, "succeeded", "a text")
    assert answer(ask("page", name=name, page=1))["text"] == "a text\n"
    assert [each["text"] for each in answer(ask("lines", name=name))["value"]] == ["a text"]
    assert code(ask("page_image", name=name, page=1)) == "PageNotDrawable"  # it is a text
    assert [each["status"] for each in answer(web.post("documents", names=[name]))["value"]] == ["succeeded"]
    assert [each["name"] for each in answer(ask("documents", prefix=name))["value"]] == [name]
    assert answer(ask("counts", prefix=name))["files"] == 1
    links = answer(ask("links", name=name))
    assert requests.get(links["source"], timeout=10).content == b"a text"
    again = web.post("read_again", name=name)
    assert again.status == 202
    location = again.headers["Operation-Location"]
    assert json.loads(web.follow(location).body)["status"] == "waiting"
    assert web.post("forget", name=name).status == 204
    assert code(ask("document", name=name)) == "DocumentNotFound"


def test_an_upload_link_can_only_write_its_one_blob(web: Interface) -> None:
    web.app.drop("b.png", "another's")
    url = answer(web.post("uploads", name="a.png", metadata={}), 201)["url"]
    headers = {"x-ms-blob-type": "BlockBlob"}
    assert requests.get(url, timeout=10).status_code == 403
    assert requests.put(url.replace("a.png", "b.png"), data=b"x", headers=headers, timeout=10).status_code == 403
    assert requests.put(url, data=b"x", headers=headers, timeout=10).status_code == 201
    assert requests.delete(url, timeout=10).status_code == 403
    assert "sp=cw&" in url


@pytest.mark.parametrize(
    "metadata", [{"a b": "x"}, {"": "x"}, {"a": "x\r\ny"}, {"a": "ü"}, {"a": ""}, {"1a": "x"}, {"a": " x"}]
)
def test_metadata_that_storage_does_not_accept_are_refused(web: Interface, metadata: dict[str, str]) -> None:
    assert code(web.post("uploads", name="a.png", metadata=metadata)) == "InvalidParameter"


@pytest.mark.parametrize("character", [chr(number) for number in range(32)] + ["\x7f", "\ufffe", "\uffff", "\ud800"])
def test_no_link_is_given_for_a_name_that_would_break_azurites_listings(web: Interface, character: str) -> None:
    for name in (f"a{character}b", f"a{character}", f"{character}b"):
        assert code(web.post("uploads", name=name, metadata={})) in ("UnsafeName", "InvalidParameter")


def test_a_backslash_in_a_name_counts_as_a_slash_as_in_storage(web: Interface) -> None:
    upload = answer(web.post("uploads", name="q\\w.png", metadata={}), 201)
    assert upload["name"] == "q/w.png"
    assert requests.put(upload["url"], b"a text", headers=upload["headers"], timeout=10).status_code == 201
    web.app.read("q/w.png")
    for spelled in ("q/w.png", "q\\w.png"):
        assert answer(web.get("document", name=spelled))["name"] == "q/w.png"
    assert [each["name"] for each in answer(web.get("documents", prefix="q\\"))["value"]] == ["q/w.png"]
    assert web.post("forget", name="q\\w.png").status == 204
    assert code(web.get("document", name="q/w.png")) == "DocumentNotFound"


def test_an_upload_has_the_content_type_of_the_file(web: Interface) -> None:
    kinds = {"a.pdf": "application/pdf", "a.PNG": "image/png", "a": "application/octet-stream"}
    for name, kind in kinds.items():
        assert answer(web.post("uploads", name=name, metadata={}), 201)["headers"]["content-type"] == kind


# Reading again and forgetting


def test_a_document_that_is_being_read_is_not_read_again(web: Interface) -> None:
    web.app.drop("a.png", "x")
    web.app.event("a.png")
    response = web.post("read_again", name="a.png")
    assert (response.status, code(response)) == (409, "AlreadyBeingRead")
    assert response.headers["Operation-Location"] == "/api/document?name=a.png"


def test_a_document_is_read_again_and_paid_again(web: Interface) -> None:
    web.app.read("a.png", "a text")
    response = web.post("read_again", name="a.png")
    assert (response.status, response.headers["Retry-After"], response.body) == (202, "2", b"")
    web.app.run()
    assert (web.app.document("a.png").submits, web.app.document("a.png").text) == (2, "a text")


def test_a_forgotten_document_whose_file_is_kept_is_ignored(stored: Interface) -> None:
    assert stored.post("forget", name=INVOICE, keepFile=True).status == 204
    assert answer(stored.get("document", name=INVOICE))["status"] == "ignored"
    assert stored.app.inbox.get_blob_client(INVOICE).exists()


# Checking


def test_each_check_is_reported_by_itself(web: Interface) -> None:
    found = answer(web.get("check"))["value"]
    assert found[0]["name"] == "app settings"
    assert len(found) > 5
    assert all(each["message"] and (each["ok"] or each["advice"]) for each in found)
    assert [each["name"] for each in found if each["name"].startswith("Read") and not each["ok"]] == []


# What no request can reach


@pytest.mark.parametrize("name", ["../other/a.png", "a/../../other/a.png", "a/./b.png", "..", "a\\..\\b.png"])
def test_a_name_with_a_dot_segment_is_not_followed(web: Interface, tap: StorageTap, name: str) -> None:
    calls = len(tap.calls)
    assert code(web.post("uploads", name=name, metadata={})) == "UnsafeName"
    assert code(web.get("links", name=name)) == "UnsafeName"
    assert code(web.post("read_again", name=name)) == "UnsafeName"
    assert not tap.calls[calls:]
    assert code(web.get("document", name=name)) == "DocumentNotFound"
    assert code(web.get("page_image", name=name, page=1)) == "DocumentNotFound"
    assert web.post("forget", name=name).status == 204
    assert not [call for call in tap.calls[calls:] if call.service == "blob"]


@pytest.fixture
def folder(tap: StorageTap, read: ReadServer) -> Interface:
    settings = settings_for(tap.connection_string, read.endpoint, INPUT_PREFIX="mine")
    app = App(settings, Clock())
    app.create_inbox()
    return Interface(app)


def test_an_app_of_one_folder_shows_and_changes_no_other(folder: Interface) -> None:
    folder.app.read("mine/a.png", "mine")
    whole = Interface(App(replace(folder.app.settings, input_prefix=""), Clock()))
    whole.app.read("theirs/b.png", "theirs")
    assert code(folder.get("document", name="theirs/b.png")) == "DocumentNotFound"
    assert code(folder.get("page", name="theirs/b.png", page=1)) == "DocumentNotFound"
    assert code(folder.get("links", name="theirs/b.png")) == "NotInInbox"
    assert code(folder.post("uploads", name="theirs/c.png", metadata={})) == "NotInInbox"
    assert code(folder.post("read_again", name="theirs/b.png")) == "NotInInbox"
    assert code(folder.post("forget", name="theirs/b.png")) == "NotInInbox"
    assert [each["name"] for each in answer(folder.get("documents"))["value"]] == ["mine/a.png"]
    assert answer(folder.get("documents", prefix="theirs/"))["value"] == []
    assert answer(folder.post("documents", names=["theirs/b.png"]))["value"][0]["status"] is None
    assert answer(folder.get("counts"))["files"] == 1
    assert answer(folder.get("counts", prefix="theirs/"))["files"] == 0


# Trouble


def test_trouble_with_storage_is_a_problem_that_says_to_try_again(read: ReadServer) -> None:
    nobody = ";".join(
        [
            "AccountName=a",
            "AccountKey=a2V5",
            *(f"{each}Endpoint=http://127.0.0.1:1/a" for each in ("Blob", "Queue", "Table")),
        ]
    )
    response = Interface(App(settings_for(nobody, read.endpoint), Clock())).get("documents")
    assert (response.status, code(response)) == (503, "StorageUnavailable")
    assert response.headers["Retry-After"] == "5"

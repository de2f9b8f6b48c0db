"""What happens to accepted documents: partly broken ones, long ones next to short ones, searchable ones."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # ships no types
import pytest
import requests

from local.read_emulator.decoders import Decoders
from local.read_emulator.reader import Reader
from local.read_emulator.server import ReadService
from local.read_emulator.serving import serving
from tests.unit.local.odd_files import drawn, frames, nested_forms, pdf_page, pdf_with, saved
from tests.unit.local.read_emulator import Clock, FakeEngine, Service, picture, read_emulator

pytestmark = pytest.mark.slow

BROKEN_FRAME = frames(drawn(), drawn(size=(40, 60)), drawn())
REASON = "Unable to read file: page 2 has too few pixels."


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with read_emulator() as running:
        yield running


def test_a_broken_frame_is_reported_and_does_not_affect_the_others(service: Service) -> None:
    result = service.read(BROKEN_FRAME)["analyzeResult"]
    assert [(page["page"], len(page["lines"])) for page in result["readResults"]] == [(1, 1), (2, 0), (3, 1)]
    assert result["errors"] == [{"code": "2005", "message": REASON}]


def test_document_intelligence_reports_a_broken_frame_as_a_warning(service: Service) -> None:
    result = service.speaking("2024-11-30").read(BROKEN_FRAME)["analyzeResult"]
    assert result["warnings"] == [{"code": "2005", "message": REASON}]
    assert len(result["pages"]) == 3


def test_a_document_with_only_broken_pages_fails_with_the_first_ones_reason(service: Service) -> None:
    body = service.read(BROKEN_FRAME, "?pages=2")
    assert body["status"] == "failed"
    assert body["analyzeResult"]["errors"] == [{"code": "2005", "message": REASON}]


def test_pages_of_documents_are_read_in_turn(service: Service) -> None:
    service.engine.may_read.clear()
    service.engine.sizes.clear()
    long = service.post(picture("TIFF", frames=12))
    short = service.post(picture(size=(70, 70)))
    service.engine.may_read.set()
    service.result(short)
    service.result(long)
    assert service.engine.sizes.index((70, 70)) <= 5


def test_a_document_that_would_take_hours_fails_and_the_others_are_read() -> None:
    engine = FakeEngine()
    reader = Reader(lambda: engine.read_page, Clock(), decoders=Decoders(2, seconds=5))
    try:
        with serving(ReadService(reader).app) as url:
            service = Service(url, engine, Clock())
            endless = service.post(nested_forms())
            assert service.read(picture())["status"] == "succeeded"
            errors = service.result(endless)["analyzeResult"]["errors"]
            assert errors == [{"code": "3013", "message": "Operation exceeded maximum processing time."}]
    finally:
        reader.close()


def test_a_post_is_answered_once_the_engine_is_loaded() -> None:
    engine, load = FakeEngine(), threading.Event()
    reader = Reader(lambda: engine.read_page if load.wait(10) else pytest.fail("never loaded"), Clock())
    try:
        with serving(ReadService(reader).app) as url:
            service = Service(url, engine, Clock())
            assert service.get("/ready").status_code == 503
            answers: list[requests.Response] = []
            post = threading.Thread(target=lambda: answers.append(service.post(picture())))
            post.start()
            post.join(1)
            assert not answers
            load.set()
            post.join(10)
            assert answers[0].status_code == 202
            assert service.get("/ready").status_code == 200
    finally:
        reader.close()


@pytest.mark.parametrize("path", ["/vision/v3.2/read/syncAnalyze", "/vision/v2.0/read/core/Analyze"])
def test_a_container_answers_a_synchronous_post_with_the_result(service: Service, path: str) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    answer = requests.post(service.url + path, data=picture(), headers=headers, timeout=20)
    assert answer.status_code == 200
    assert answer.json()["status"].lower() == "succeeded"
    assert requests.post(service.url + path, data=b"", headers=headers, timeout=20).status_code == 400


def words(page: Any) -> set[str]:
    return set(page.get_textpage().get_text_range().split())


@pytest.mark.parametrize(
    "content",
    [
        saved(drawn()),
        frames(drawn(), drawn()),
        pdf_with(pdf_page("original"), pdf_page("original", extra="/Rotate 90")),
        pdf_with(pdf_page("original", extra="/CropBox[10 10 200 100]/Rotate 270")),
        pdf_with(pdf_page("original"), pdf_page("original"), count=1),
    ],
    ids=["picture", "frames", "turned", "cropped", "repaired"],
)
def test_a_searchable_pdf_has_the_pages_and_their_words(service: Service, content: bytes) -> None:
    speaking = service.speaking("2024-11-30")
    accepted = speaking.post(content, "&output=pdf")
    pages = speaking.result(accepted)["analyzeResult"]["pages"]
    answer = service.get(accepted.headers["Operation-Location"].replace("?", "/pdf?"))
    assert answer.headers["Content-Type"] == "application/pdf"
    found = pypdfium2.PdfDocument(answer.content)
    assert len(found) == len(pages)
    for page in pages:
        assert {"page", str(page["pageNumber"])} <= words(found[page["pageNumber"] - 1])


def test_a_searchable_pdf_is_made_only_on_request(service: Service) -> None:
    speaking = service.speaking("2024-11-30")
    accepted = speaking.post(picture())
    speaking.result(accepted)
    assert service.get(accepted.headers["Operation-Location"].replace("?", "/pdf?")).status_code == 404
    assert speaking.post(picture(), "&output=figures").status_code == 400
    assert "pdf" not in service.speaking("2023-07-31").post(picture(), "&output=pdf").headers


def test_two_sources_in_one_request_are_refused(service: Service) -> None:
    body = json.dumps({"urlSource": "http://127.0.0.1:9/x", "base64Source": "AAAA"}).encode()
    answer = service.speaking("2024-11-30").post(body, Content_Type="application/json")
    assert answer.status_code == 400
    assert "Only one of urlSource and base64Source" in answer.json()["error"]["innererror"]["message"]


def languages(service: Service, version: str, query: str) -> list[dict[str, Any]]:
    service.engine.text = "All human beings are born free and equal in dignity and rights"
    found: list[dict[str, Any]] = service.speaking(version).read(picture(), query)["analyzeResult"]["languages"]
    service.engine.text = "page {}"
    return found


@pytest.mark.parametrize("version", ["2023-07-31", "2024-11-30"])
def test_languages_are_given_only_on_request(service: Service, version: str) -> None:
    (found,) = languages(service, version, "&features=barcodes,languages")
    assert (found["locale"], found["spans"]) == ("en", [{"offset": 0, "length": 62}])
    assert 0.5 <= found["confidence"] <= 1
    assert languages(service, version, "&features=barcodes") == []

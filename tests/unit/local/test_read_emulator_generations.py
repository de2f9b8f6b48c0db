"""How the generations of Read differ, as their clients see it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from local.read_emulator import generations
from local.read_emulator.generations.document_intelligence import LENGTHS
from tests.unit.local.read_emulator import Service, pdf, picture, read_emulator

NAMES = [generation.name for generation in generations.ALL]
BEFORE_V3_2 = ["v3.0-preview", "v3.0", "v3.1-preview.2", "v3.1", "v3.2-preview.2"]
BY_API_VERSION = ["2022-08-31", "2023-07-31", "2024-11-30"]


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with read_emulator() as service:
        yield service


@pytest.fixture
def service(running: Service) -> Iterator[Service]:
    yield running
    running.engine.may_read.set()


def only_line(body: dict[str, Any]) -> dict[str, Any]:
    result = body.get("analyzeResult", body)
    (page,) = result.get("readResults") or result.get("recognitionResults") or result["pages"]
    (line,) = page["lines"]
    found: dict[str, Any] = line
    return found


def test_every_generation_is_served() -> None:
    assert NAMES == [
        "v2.0",
        "v2.1",
        "v3.0-preview",
        "v3.0",
        "v3.1-preview.2",
        "v3.1",
        "v3.2-preview.2",
        "v3.2",
        "2022-08-31",
        "2023-07-31",
        "2024-11-30",
    ]


@pytest.mark.parametrize("generation", NAMES)
def test_operation_location_has_the_path_of_the_generation(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    where = service.post(picture()).headers["Operation-Location"].removeprefix(service.url)
    results = {
        "v2": f"/vision/{generation}/read/operations/",
        "v3": f"/vision/{generation}/read/analyzeResults/",
        "20": "/formrecognizer/documentModels/prebuilt-read/analyzeResults/",
    }
    start = results[generation[:2]]
    if generation == "2024-11-30":
        start = "/documentintelligence/documentModels/prebuilt-read/analyzeResults/"
    assert where.startswith(start)
    assert where.endswith(f"?api-version={generation}") == (generation in BY_API_VERSION)


@pytest.mark.parametrize("generation", NAMES)
def test_only_v2_has_an_operation_id_apart_from_the_request_id(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    answer = service.post(picture())
    assert (answer.headers["apim-request-id"] in answer.headers["Operation-Location"]) == (generation[:2] != "v2")


@pytest.mark.parametrize("generation", ["v2.0", "v2.1"])
def test_v2_answers_with_recognition_results_and_marks_low_confidence_only(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    body = service.read(picture())
    assert body["status"] == "Succeeded"
    (page,) = body["recognitionResults"]
    assert page["clockwiseOrientation"] == 270
    assert page["lines"][0]["words"][0] == {"boundingBox": [1, 2, 30, 2, 30, 12, 1, 12], "text": "page"}


def test_a_running_operation_of_v2_gives_only_its_status(service: Service) -> None:
    service = service.speaking("v2.0")
    service.engine.may_read.clear()
    bodies = [service.get(service.post(picture()).headers["Operation-Location"]).text for _ in range(3)]
    assert set(bodies) <= {'{"status":"NotStarted"}', '{"status":"Running"}'}
    assert bodies[-1] == '{"status":"NotStarted"}'  # two documents are read at a time


def test_a_failed_operation_of_v2_gives_no_reason(service: Service) -> None:
    service = service.speaking("v2.1")
    assert service.read(picture("JPEG", size=(600, 800))[:2000]) == {"status": "Failed"}


@pytest.mark.parametrize(
    ("generation", "version", "appearance"),
    [
        ("v3.0-preview", "3.0.0", None),
        ("v3.0", "3.0.0", None),
        ("v3.1-preview.2", "3.1.0", {"style": "print", "styleConfidence": 1}),
        ("v3.1", "3.1.0", None),
        ("v3.2-preview.2", "3.2.0", {"style": {"name": "other", "confidence": 1}}),
        ("v3.2", "3.2.0", {"style": {"name": "other", "confidence": 1}}),
    ],
)
def test_versions_of_v3_differ_in_version_and_appearance(
    service: Service, generation: str, version: str, appearance: dict[str, Any] | None
) -> None:
    service = service.speaking(generation)
    body = service.read(picture())
    assert body["analyzeResult"]["version"] == version
    assert ("modelVersion" in body["analyzeResult"]) == (generation == "v3.2")
    assert only_line(body).get("appearance") == appearance


@pytest.mark.parametrize("generation", BEFORE_V3_2)
def test_errors_before_v3_2_are_flat(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    body = service.post(picture(size=(49, 60))).json()
    assert (body["code"], body["message"]) == (
        "InvalidImageSize",
        "Image must be at least 50 pixels in width and height.",
    )
    assert set(body) == {"code", "message", "requestId"}


@pytest.mark.parametrize(
    ("generation", "taken"),
    [("v2.1", [1, 2]), ("v3.0", [1, 2]), ("v3.1", [1, 2]), ("v3.1-preview.2", [2]), ("v3.2-preview.2", [2])],
)
def test_pages_are_ignored_by_versions_that_do_not_know_them(
    service: Service, generation: str, taken: list[int]
) -> None:
    service = service.speaking(generation)
    body = service.read(picture("TIFF", frames=2), "?Pages=2")  # with a capital, as the previews' descriptions have it
    pages = body.get("recognitionResults") or body["analyzeResult"]["readResults"]
    assert [page["page"] for page in pages] == taken


@pytest.mark.parametrize("generation", ["v3.1-preview.2", *BY_API_VERSION])
def test_only_v3_2_accepts_an_open_ended_page_range(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    join = "&" if "?" in service.analyze else "?"
    assert service.post(pdf(2), f"{join}pages=1-").status_code == 400


@pytest.mark.parametrize(("generation", "status"), [("v3.0-preview", 400), ("v3.0", 202), ("v3.2", 202), ("v2.0", 202)])
def test_the_first_versions_do_not_know_german(service: Service, generation: str, status: int) -> None:
    service = service.speaking(generation)
    assert service.post(picture(), "?language=de").status_code == status


def test_the_second_preview_of_v3_2_has_two_names(service: Service) -> None:
    service = service.speaking("v3.2-preview.2")
    assert replace(service, analyze="/vision/v3.2-preview/read/analyze").read(picture())["status"] == "succeeded"


@pytest.mark.parametrize("generation", BY_API_VERSION)
def test_document_intelligence_joins_words_lines_and_content_by_spans(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    result = service.read(pdf(2))["analyzeResult"]
    assert result["content"] == "page 1\npage 2"
    second = result["pages"][1]
    assert second["spans"] == [{"offset": 7, "length": 6}]
    assert second["lines"] == [
        {"content": "page 2", "polygon": [1, 2, 30.4, 2, 30.4, 12, 1, 12], "spans": [{"offset": 7, "length": 6}]}
    ]
    assert [(word["content"], word["span"]) for word in second["words"]] == [
        ("page", {"offset": 7, "length": 4}),
        ("2", {"offset": 12, "length": 1}),
    ]
    assert result["paragraphs"][1]["content"] == "page 2"
    assert result["paragraphs"][1]["boundingRegions"][0]["pageNumber"] == 2
    assert (result["apiVersion"], result["modelId"]) == (generation, "prebuilt-read")
    assert result.get("contentFormat") == ("text" if generation == "2024-11-30" else None)


@pytest.mark.parametrize(("index", "length"), [("textElements", 3), ("unicodeCodePoint", 4), ("utf16CodeUnit", 5)])
def test_offsets_count_the_requested_string_index_type(index: str, length: int) -> None:
    # The accent is a code point of its own; the emoji is two UTF-16 units.
    assert LENGTHS[index]("ae\u0301\U0001f600") == length


@pytest.mark.parametrize("generation", BY_API_VERSION)
def test_only_the_latest_version_sends_retry_after(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    service.engine.may_read.clear()
    accepted = service.post(picture())
    assert "Retry-After" not in accepted.headers
    running = service.get(accepted.headers["Operation-Location"])
    assert running.json()["status"] == "running"
    assert running.headers.get("Retry-After") == ("1" if generation == "2024-11-30" else None)


@pytest.mark.parametrize("generation", BY_API_VERSION)
def test_document_intelligence_nests_the_most_specific_code(service: Service, generation: str) -> None:
    service = service.speaking(generation)
    answer = service.post(picture(), "&pages=2")
    # recorded: azure-sdk-for-net, FormRecognizer, a layout of page 2 of 1
    assert answer.json() == {
        "error": {
            "code": "InvalidArgument",
            "message": "Invalid argument.",
            "innererror": {
                "code": "InvalidParameter",
                "message": "The parameter pages is invalid: "
                "The page range exceeds the number of pages in the document.",
            },
        }
    }
    assert answer.headers["ms-azure-ai-errorcode"] == "InvalidArgument"


@pytest.mark.parametrize("generation", BY_API_VERSION)
def test_a_failed_operation_of_document_intelligence_has_its_error_next_to_the_status(
    service: Service, generation: str
) -> None:
    service = service.speaking(generation)
    body = service.read(picture("JPEG", size=(600, 800))[:2000])
    assert body["status"] == "failed"
    assert body["error"]["innererror"]["code"] == "InvalidContent"


@pytest.mark.parametrize("query", ["&api-version=2025-01-01", ""])
def test_an_unknown_version_is_answered_by_the_gateway(service: Service, query: str) -> None:
    service = service.speaking("2024-11-30")
    path = service.analyze.partition("?")[0]
    assert replace(service, analyze=path).post(picture(), query.replace("&", "?")).status_code == 404

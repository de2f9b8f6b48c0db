"""What clients of Read see, in generation v3.2."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.unit.local.read_emulator import Service, pdf, picture, read_emulator

UNPARSABLE = (
    "The file submitted couldn't be parsed. This can be due to one of the following reasons: the file format is not "
    "supported ( Supported formats include JPEG, PNG, BMP, PDF and TIFF), the file is corrupted or password protected."
)


@pytest.fixture(scope="module")
def shared_service() -> Iterator[Service]:
    with read_emulator() as service:
        yield service


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    before = shared_service.clock.now
    yield shared_service
    shared_service.engine.may_read.set()
    shared_service.clock.now = before


def test_a_post_is_answered_202_with_the_headers_of_the_service(service: Service) -> None:
    answer = service.post(picture())
    operation_id = answer.headers["apim-request-id"]
    assert answer.status_code == 202
    assert answer.content == b""
    assert answer.headers["Operation-Location"] == f"{service.url}/vision/v3.2/read/analyzeResults/{operation_id}"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", operation_id)
    assert answer.headers["CSP-Billing-Usage"] == "CognitiveServices.ComputerVision.Transaction=1"
    assert answer.headers["Content-Length"] == "0"
    assert "x-envoy-upstream-service-time" in answer.headers
    assert "Retry-After" not in answer.headers


def test_a_running_operation_gives_only_its_status_and_times(service: Service) -> None:
    service.engine.may_read.clear()
    answer = service.get(service.post(picture()).headers["Operation-Location"])
    # 106 bytes, as recorded in azure-sdk-for-net, VisionReadTests
    assert answer.content == (
        b'{"status":"running","createdDateTime":"2021-11-04T05:53:49Z","lastUpdatedDateTime":"2021-11-04T05:53:49Z"}'
    )
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Retry-After" not in answer.headers


def test_the_result_of_a_picture_has_its_text_and_whole_pixels(service: Service) -> None:
    assert service.read(picture())["analyzeResult"] == {
        "version": "3.2.0",
        "modelVersion": "2022-04-30",
        "readResults": [
            {
                "page": 1,
                "angle": -90,
                "width": 60,
                "height": 80,
                "unit": "pixel",
                "lines": [
                    {
                        "boundingBox": [1, 2, 30, 2, 30, 12, 1, 12],
                        "text": "page 1",
                        "appearance": {"style": {"name": "other", "confidence": 1}},
                        "words": [
                            {"boundingBox": [1, 2, 30, 2, 30, 12, 1, 12], "text": "page", "confidence": 0.988},
                            {"boundingBox": [1, 2, 30, 2, 30, 12, 1, 12], "text": "1", "confidence": 0.988},
                        ],
                    }
                ],
            }
        ],
    }


def test_pages_of_a_pdf_are_measured_in_inches(service: Service) -> None:
    (page,) = service.read(pdf())["analyzeResult"]["readResults"]
    assert (page["width"], page["height"], page["unit"]) == (8.5, 11, "inch")
    assert page["lines"][0]["boundingBox"] == [1, 2, 30.4, 2, 30.4, 12, 1, 12]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
def test_the_content_decides_the_format_whatever_the_content_type_says(service: Service, kind: str) -> None:
    assert service.post(picture(kind), Content_Type="image/x-nonsense").status_code == 202


@pytest.mark.parametrize(
    ("query", "numbers"),
    [("", [1, 2, 3, 4]), ("?pages=2", [2]), ("?pages=1,3-4", [1, 3, 4]), ("?pages=3-", [3, 4]), ("?pages=-2", [1, 2])],
)
def test_the_option_pages_selects_pages_and_keeps_their_numbers(
    service: Service, query: str, numbers: list[int]
) -> None:
    result = service.read(picture("TIFF", frames=4), query)
    assert [page["page"] for page in result["analyzeResult"]["readResults"]] == numbers


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", "InvalidImageSize", "The image size is not allowed to be zero."),
        (b"no picture", "InvalidImage", UNPARSABLE),
        (picture("GIF"), "InvalidImage", f"{UNPARSABLE} The file is a GIF picture."),
        (picture("WEBP"), "InvalidImage", f"{UNPARSABLE} The file is a WebP picture."),
        (b"%PDF-1.7\nand nothing else", "InvalidImage", UNPARSABLE),
        (picture(size=(49, 1000)), "InvalidImageDimension", "Image must be at least 50 pixels in width and height."),
        (picture(size=(10_001, 50)), "InvalidImageDimension", "Input image dimensions are out of range."),
    ],
    ids=["empty", "text", "gif", "webp", "broken pdf", "too small", "too large"],
)
def test_a_file_that_read_does_not_accept_is_rejected_at_the_post(
    service: Service, content: bytes, code: str, message: str
) -> None:
    answer = service.post(content)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {"code": "InvalidRequest", "innererror": {"code": code, "message": message}, "message": message}
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?language=tlh", "NotSupportedLanguage"),
        ("?pages=0", "InvalidPageRange"),
        ("?pages=2", "InvalidPageRange"),
        ("?model-version=newest", "BadArgument"),
        ("?readingOrder=random", "InvalidReadingOrder"),
    ],
)
def test_an_unknown_parameter_is_rejected(service: Service, query: str, code: str) -> None:
    answer = service.post(picture(), query)
    assert answer.status_code == 400
    assert answer.json()["error"]["innererror"]["code"] == code


def test_a_picture_that_ends_early_is_accepted_and_fails(service: Service) -> None:
    body = service.read(picture("JPEG", size=(600, 800))[:2000])
    assert body["status"] == "failed"
    message = "Unable to read file: it ends early, or is damaged in the middle."
    assert body["analyzeResult"]["errors"] == [{"code": "2005", "message": message}]


@pytest.mark.parametrize(
    ("query", "columns"), [("", False), ("?readingOrder=basic", False), ("?readingOrder=natural", True)]
)
def test_natural_order_reads_columns(service: Service, query: str, columns: bool) -> None:
    service.read(picture(), query)
    assert service.engine.columns is columns


def test_an_unsupported_content_type_is_answered_415(service: Service) -> None:
    assert service.post(picture(), Content_Type="text/plain").status_code == 415


def test_an_unknown_operation_is_answered_404(service: Service) -> None:
    answer = service.get("/vision/v3.2/read/analyzeResults/00000000-0000-0000-0000-000000000000")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "BadArgument"


def test_a_result_is_gone_after_48_hours(service: Service) -> None:
    location = service.post(picture()).headers["Operation-Location"]
    service.clock.now += timedelta(hours=48)
    assert service.get(location).status_code == 200
    service.clock.now += timedelta(seconds=1)
    assert service.get(location).status_code == 404


def test_an_unknown_path_is_answered_404_by_the_gateway(service: Service) -> None:
    assert service.get("/vision/v9/read/analyze").json() == {"error": {"code": "404", "message": "Resource not found"}}
    assert service.get("/vision/v3.2/read/analyze").status_code == 404  # and this path has no GET


class OnePicture(BaseHTTPRequestHandler):
    """A server that holds one picture behind a redirect."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/picture" else 302)
        self.send_header("Location", "/picture")
        self.end_headers()
        self.wfile.write(picture() if self.path == "/picture" else b"")

    def log_message(self, *_: object) -> None:
        pass


def test_a_document_is_fetched_by_its_url(service: Service) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), OnePicture) as store:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        body = json.dumps({"url": f"http://127.0.0.1:{store.server_port}/elsewhere"}).encode()
        accepted = service.post(body, Content_Type="application/json; charset=utf-8")
        store.shutdown()
    assert service.result(accepted)["analyzeResult"]["readResults"][0]["height"] == 80


def test_a_url_that_does_not_lead_to_a_document_is_rejected(service: Service) -> None:
    # the emulator itself serves as the web server: /status is not a document, and nothing listens on port 9
    no_document = json.dumps({"url": f"{service.url}/status"}).encode()
    nowhere = json.dumps({"url": "http://127.0.0.1:9/x.png"}).encode()
    urls = ["file:///etc/hostname", "http://[", "no URL"]
    bodies = [
        no_document,
        nowhere,
        *(json.dumps({"url": url}).encode() for url in urls),
        b"{}",
        b"no JSON",
        b"[" * 100_000,
    ]
    codes = [
        service.post(body, Content_Type="application/json").json()["error"]["innererror"]["code"] for body in bodies
    ]
    assert codes == ["InvalidImage", "FailedToDownloadImage", *["InvalidImageUrl"] * 3, *["BadArgument"] * 3]


def test_a_wrong_key_is_answered_401_if_a_key_is_set() -> None:
    with read_emulator(key="right") as service:
        for headers in ({}, {"Ocp_Apim_Subscription_Key": "wrong"}):
            answer = service.post(picture(), **headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "401"
        assert service.post(picture(), Ocp_Apim_Subscription_Key="right").status_code == 202

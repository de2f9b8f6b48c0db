"""Microsoft's own clients of Read, unchanged, against the emulator."""

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from azure.ai.documentintelligence import DocumentIntelligenceClient
from azure.ai.documentintelligence.models import AnalyzeDocumentRequest
from azure.ai.formrecognizer import DocumentAnalysisClient
from azure.cognitiveservices.vision.computervision import ComputerVisionClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from msrest.authentication import CognitiveServicesCredentials

from tests.unit.local.read_emulator import Service, pdf, picture, read_emulator

KEY = "any key"
COMPUTER_VISION: Any = ComputerVisionClient  # ships no types


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with read_emulator(key=KEY) as running:
        yield running


def test_the_computer_vision_client_reads_a_picture(service: Service) -> None:
    client: Any = COMPUTER_VISION(service.url, CognitiveServicesCredentials(KEY))
    accepted = client.read_in_stream(io.BytesIO(picture("TIFF", frames=2)), raw=True, pages=["2"])
    operation_id = accepted.headers["Operation-Location"].split("/")[-1]
    result = client.get_read_result(operation_id)
    while result.status in ("notStarted", "running"):
        time.sleep(0.01)
        result = client.get_read_result(operation_id)
    (page,) = result.analyze_result.read_results
    assert (page.page, page.angle, page.width, page.unit) == (2, -90, 60, "pixel")
    assert page.lines[0].text == "page 2"
    assert page.lines[0].words[0].confidence == 0.988
    assert page.lines[0].appearance.style.name == "other"
    assert result.analyze_result.model_version == "2022-04-30"


def test_the_computer_vision_client_reports_a_rejection(service: Service) -> None:
    client: Any = COMPUTER_VISION(service.url, CognitiveServicesCredentials(KEY))
    with pytest.raises(Exception, match="Bad Request"):
        client.read_in_stream(io.BytesIO(b"no picture"))


def test_the_document_intelligence_client_reads_bytes_and_deletes_the_result(service: Service) -> None:
    client = DocumentIntelligenceClient(service.url, AzureKeyCredential(KEY))
    poller = client.begin_analyze_document(
        "prebuilt-read", AnalyzeDocumentRequest(bytes_source=pdf(2)), pages="2", polling_interval=0
    )
    result = poller.result()
    assert result.content == "page 2"
    assert [page.page_number for page in result.pages] == [2]
    assert [word.content for word in result.pages[0].words or []] == ["page", "2"]
    operation_id = poller.details["operation_id"]
    assert client.delete_analyze_result("prebuilt-read", operation_id) is None
    with pytest.raises(HttpResponseError) as gone:
        client.delete_analyze_result("prebuilt-read", operation_id)
    assert gone.value.status_code == 404


def test_the_document_intelligence_client_reports_a_rejection(service: Service) -> None:
    client = DocumentIntelligenceClient(service.url, AzureKeyCredential(KEY))
    with pytest.raises(HttpResponseError) as refused:
        client.begin_analyze_document("prebuilt-read", io.BytesIO(b"no picture"))
    assert refused.value.error is not None
    assert refused.value.error.innererror is not None
    assert refused.value.error.innererror["code"] == "InvalidContent"


@pytest.mark.parametrize("version", ["2022-08-31", "2023-07-31"])
def test_the_form_recognizer_client_reads_a_picture(service: Service, version: str) -> None:
    client = DocumentAnalysisClient(service.url, AzureKeyCredential(KEY), api_version=version)
    result = client.begin_analyze_document("prebuilt-read", picture(), polling_interval=0).result()
    (page,) = result.pages
    assert result.content == "page 1"
    assert (page.angle, page.width, page.height, page.unit) == (-90, 60, 80, "pixel")
    assert [word.content for word in page.lines[0].get_words()] == ["page", "1"]


def test_a_client_reports_a_wrong_key(service: Service) -> None:
    client = DocumentIntelligenceClient(service.url, AzureKeyCredential("wrong"))
    with pytest.raises(HttpResponseError) as refused:
        client.begin_analyze_document("prebuilt-read", io.BytesIO(picture()))
    assert refused.value.status_code == 401

"""The emulator's answers match Microsoft's own descriptions of the service."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # ships no types
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.unit.local.read_emulator import Service, pdf, picture, read_emulator

SWAGGER = Path(__file__).parents[4] / "shared" / "read-api" / "swagger"

pytestmark = pytest.mark.skipif(not SWAGGER.is_dir(), reason=f"the service's descriptions are not at {SWAGGER}")

DESCRIPTIONS = {
    "v2.0": ("cv-v2.0-Ocr", "ReadOperationResult", "ComputerVisionError"),
    "v2.1": ("cv-v2.1-Ocr", "ReadOperationResult", "ComputerVisionError"),
    "v3.0-preview": ("cv-v3.0-preview-Ocr", "ReadOperationResult", "ComputerVisionError"),
    "v3.0": ("cv-v3.0-Ocr", "ReadOperationResult", "ComputerVisionError"),
    "v3.1-preview.2": ("cv-v3.1-preview.2-Ocr", "ReadOperationResult", "ComputerVisionError"),
    "v3.1": ("cv-v3.1-Ocr", "ReadOperationResult", "ComputerVisionError"),
    "v3.2-preview.2": ("cv-v3.2-preview.2-Ocr", "ReadOperationResult", "ComputerVisionError"),
    "v3.2": ("cv-v3.2-Ocr", "ReadOperationResult", None),  # its description has flat errors, but the service wraps them
    "2022-08-31": ("fr-2022-08-31-FormRecognizer", "AnalyzeResultOperation", "ErrorResponse"),
    "2023-07-31": ("fr-2023-07-31-FormRecognizer", "AnalyzeResultOperation", "ErrorResponse"),
    # the description of the previous preview; what the release added is optional
    "2024-11-30": ("di-2024-02-29-preview-DocumentIntelligence", "AnalyzeResultOperation", "ErrorResponse"),
}
"""Each generation's description, and its definitions of a result and of an error."""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with read_emulator() as running:
        yield running


@cache
def description(name: str) -> Any:
    return json.loads((SWAGGER / f"{name}.json").read_text(encoding="utf-8"))


def faults(name: str, definition: str, body: Any) -> list[str]:
    """The places where the body differs from the description."""
    registry: Registry[Any] = Registry().with_resource("urn:read", DRAFT4.create_resource(description(name)))
    validator = Draft4Validator({"$ref": f"urn:read#/definitions/{definition}"}, registry=registry)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


@pytest.mark.parametrize("generation", DESCRIPTIONS)
@pytest.mark.parametrize("content", [picture(), pdf(2)], ids=["picture", "pdf"])
def test_a_result_is_as_described(service: Service, generation: str, content: bytes) -> None:
    name, result, _ = DESCRIPTIONS[generation]
    assert faults(name, result, service.speaking(generation).read(content)) == []


@pytest.mark.parametrize("generation", DESCRIPTIONS)
def test_a_failed_operation_is_as_described(service: Service, generation: str) -> None:
    name, result, _ = DESCRIPTIONS[generation]
    cut = picture("JPEG", size=(600, 800))[:2000]
    assert faults(name, result, service.speaking(generation).read(cut)) == []


@pytest.mark.parametrize("generation", DESCRIPTIONS)
@pytest.mark.parametrize("content", [b"", b"no picture", picture(size=(49, 60))], ids=["empty", "text", "small"])
def test_an_error_is_as_described(service: Service, generation: str, content: bytes) -> None:
    name, _, error = DESCRIPTIONS[generation]
    answer = service.speaking(generation).post(content)
    assert answer.status_code == 400
    if error is None:
        inner = answer.json()["error"]["innererror"]
        assert faults(name, "ComputerVisionOcrError", inner) == []
    else:
        assert faults(name, error, answer.json()) == []


def test_the_check_finds_a_deviation(service: Service) -> None:
    body = service.read(picture())
    del body["analyzeResult"]["readResults"][0]["lines"][0]["words"][0]["confidence"]
    assert faults("cv-v3.2-Ocr", "ReadOperationResult", body) == [
        "$.analyzeResult.readResults[0].lines[0].words[0]: 'confidence' is a required property"
    ]

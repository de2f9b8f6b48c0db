"""Advice tells a person what to do about this particular file."""

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import advice
from shared.advice import ADVICE, GENERAL, advice_for
from shared.document import Document, Status
from shared.read import answers, client
from shared.read.generations import all_generations
from shared.storage import inbox

REPOSITORY = Path(__file__).parents[3]
DESCRIPTIONS = REPOSITORY.parent / "shared" / "read-api" / "swagger"
VERSIONS = [each.version for each in all_generations()]
COMPUTER_VISION = [version for version in VERSIONS if version.startswith("v")]


def document(name: str = "scan.pdf", version: str | None = "v3.2", **columns: object) -> Document:
    return Document(name=name, status=Status.SUBMITTING, api_version=version).evolve(**columns)


# Codes, headings and code


def test_each_code_has_one_heading_and_each_heading_names_a_code() -> None:
    text = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^### (.+)$", text, re.MULTILINE)) == sorted(ADVICE)


def test_each_heading_has_something_to_say() -> None:
    text = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    assert all(len(part.split("\n\n")[1]) > 10 for part in text.split("\n### ")[1:])


def test_each_code_of_the_apps_own_has_advice() -> None:
    ours = {name for path in (REPOSITORY / "shared").rglob("*.py") for name in _codes_in(path)}
    ours |= set(answers._RETRYABLE.values()) | set(answers._TELLING_CODES.values())
    ours |= {code for _, code in answers._TELLING_WORDS} | set(client._ENDED.values())
    ours |= set(inbox._UNREADABLE.values())
    assert {"Throttled", "EmptyFile", "OperationExpired", "RegionalEndpoint", "ResultNotUnderstood"} <= ours
    assert ours <= set(ADVICE)


def _codes_in(path: Path) -> set[str]:
    """The texts that calls pass as an error code."""
    place = {"Rejected": 0, "Retryable": 0, "fail": 1, "wait": 1, "CredentialsUnavailable": 1}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            match node.args[place[called] :] if called in place else []:
                case [ast.Constant(value=str(code)), *_]:
                    found.add(code)
    return found


@pytest.mark.skipif(not DESCRIPTIONS.is_dir(), reason="the service's descriptions are not beside the repository")
def test_each_code_in_the_descriptions_of_computer_vision_has_advice() -> None:
    described: set[str] = set()
    for path in DESCRIPTIONS.glob("cv-*.json"):
        for name, definition in json.loads(path.read_text(encoding="utf-8"))["definitions"].items():
            if "Error" in name and "code" in definition.get("properties", {}):
                described |= set(definition["properties"]["code"]["enum"])
    assert len(described) >= 26
    assert described <= set(ADVICE)


@pytest.mark.parametrize(
    "code",
    [  # learn.microsoft.com, Resolve errors in Document Intelligence
        "InvalidRequest", "InvalidArgument", "Forbidden", "NotFound", "MethodNotAllowed", "Conflict",
        "UnsupportedMediaType", "InternalServerError", "ServiceUnavailable", "ContentSourceNotAccessible",
        "ContentSourceTimeout", "InvalidContent", "InvalidContentDimensions", "InvalidContentLength",
        "UnsupportedContent", "InvalidContentSourceFormat", "InvalidParameter", "InvalidParameterLength",
        "InvalidSasToken", "ParameterMissing", "NotSupportedApiVersion", "ModelNotFound", "OperationNotFound",
        "AuthorizationFailed", "OutboundAccessForbidden", "Unknown",
    ],
)  # fmt: skip
def test_each_documented_code_of_document_intelligence_has_advice(code: str) -> None:
    assert code in ADVICE


@pytest.mark.parametrize("version", [*VERSIONS, None])
def test_no_advice_has_an_unfilled_placeholder(version: str | None) -> None:
    for code in ADVICE:
        advice = advice_for(code, "", document(version=version))
        assert advice
        assert "{" not in advice


def test_an_unknown_code_gets_general_advice() -> None:
    assert advice_for("SomethingNew", "Words of Read's.", document()) == GENERAL


@pytest.mark.parametrize("code", ["Http400", "Http413", "Http422", "Http451"])
def test_an_error_without_a_code_gets_advice_by_its_status(code: str) -> None:
    assert advice_for(code, "", document(version=None)) == ADVICE["Http4xx"]


@given(
    code=st.sampled_from([*ADVICE, "Http413", "New"]) | st.text(),
    message=st.text(),
    name=st.text(),
    version=st.sampled_from([*VERSIONS, None, "v9"]),
    length=st.none() | st.integers(0, 10**12),
    option=st.none() | st.text(min_size=1),
)
def test_there_is_advice_for_anything(
    code: str, message: str, name: str, version: str | None, length: int | None, option: str | None
) -> None:
    about = document(name, version, content_length=length, requested_pages=option, requested_language=option)
    assert advice_for(code, message, about)


# The commonest mistakes


@pytest.mark.parametrize("version", ["v3.2"])
def test_a_document_intelligence_endpoint_under_computer_vision(version: str) -> None:
    assert advice_for("EndpointNotFound", "HTTP 404: 404. Resource not found", document(version=version)) == (
        "This resource does not speak v3.2. If it is Document Intelligence, set READ_API_VERSION=2024-11-30."
    )


@pytest.mark.parametrize("version", ["2022-08-31", "2023-07-31", "2024-11-30"])
def test_a_computer_vision_endpoint_under_document_intelligence(version: str) -> None:
    assert advice_for("EndpointNotFound", "HTTP 404: 404. Resource not found", document(version=version)) == (
        f"This resource does not speak {version}. If it is Computer Vision, set READ_API_VERSION=v3.2."
    )


def test_an_endpoint_that_no_longer_serves_a_retired_version() -> None:
    advice = advice_for("EndpointNotFound", "HTTP 404: 404. Resource not found", document(version="v3.0"))
    assert advice == (
        "This resource does not speak v3.0, which was retired on 13 September 2026."
        " Set READ_API_VERSION=v3.2, or 2024-11-30 with a Document Intelligence resource."
    )


@pytest.mark.parametrize("version", COMPUTER_VISION)
@pytest.mark.parametrize(
    "code", ["InvalidImage", "InvalidImageFormat", "UnsupportedImageFormat", "InvalidRequest", "BadArgument", "Http415"]
)
def test_a_heic_under_computer_vision(code: str, version: str) -> None:
    advice = advice_for(code, "The file could not be parsed.", document("photos/IMG_0042.HEIC", version))
    assert f"Read {version} takes no HEIC files" in advice
    assert "2022-08-31, 2023-07-31 and 2024-11-30 do" in advice
    assert "READ_API_VERSION=2024-11-30" in advice


@pytest.mark.parametrize("version", [*COMPUTER_VISION, "2022-08-31"])
@pytest.mark.parametrize("extension", ["docx", "xlsx", "pptx", "html", "htm"])
def test_an_office_file_or_html_before_2023_07_31(version: str, extension: str) -> None:
    code = "InvalidImageFormat" if version.startswith("v") else "InvalidContent"
    advice = advice_for(code, "The file could not be parsed.", document(f"report.{extension}", version))
    assert "2023-07-31 and 2024-11-30 do" in advice
    assert "2022-08-31 do" not in advice


@pytest.mark.parametrize("version", VERSIONS)
def test_a_webp_under_any_version(version: str) -> None:
    advice = advice_for("UnsupportedImageFormat", "", document("menu.webp", version))
    assert advice == "No version of Read takes WEBP files. Convert it to PDF, PNG or JPEG, then upload that."


@pytest.mark.parametrize(
    ("name", "version"),
    [("a.pdf", "v3.2"), ("a.JPG", "v2.0"), ("a.docx", "2024-11-30"), ("a", "v3.2"), ("a.2", "v3.2")],
)
def test_a_file_with_a_fitting_name_may_be_damaged_or_protected(name: str, version: str) -> None:
    advice = advice_for("InvalidImage", "", document(name, version))
    assert "password" in advice
    assert "damaged" in advice


def test_a_file_of_more_than_4_mb_points_to_the_free_tier() -> None:
    advice = advice_for("InvalidImageSize", "Input image is too large.", document(content_length=5_200_000))
    assert advice.startswith(
        "The file has 5.2 MB; the free tier (F0) takes 4 MB. Move the Read resource to a paid tier"
    )


def test_a_file_larger_than_any_tier_takes_has_to_be_split() -> None:
    advice = advice_for("InvalidContentLength", "", document(version="2024-11-30", content_length=700_000_000))
    assert advice.startswith("The file has 700 MB; Read 2024-11-30 takes 500 MB. Split")


@pytest.mark.parametrize("length", [30_000, 5_200_000])
def test_an_image_with_too_few_pixels_is_not_called_too_large(length: int) -> None:
    message = "Image must be at least 50 pixels in width and height"
    advice = advice_for("InvalidImageSize", message, document("a.png", content_length=length))
    assert "50 × 50 to 10,000 × 10,000" in advice


def test_a_size_error_about_a_small_file_is_about_its_pixels() -> None:
    advice = advice_for("InvalidImageSize", "Invalid image size.", document("a.png", "v2.1", content_length=30_000))
    assert "50 × 50 to 4,200 × 4,200" in advice


def test_a_size_error_about_a_file_of_unknown_size_gets_the_limits() -> None:
    assert "500 MB, and of 4 MB on the free tier" in advice_for("InvalidImageSize", "", document())


def test_a_page_range_beyond_the_end_names_the_range() -> None:
    message = "The parameter pages is invalid: The page range exceeds the number of pages in the document."
    about = document(version="2024-11-30", requested_pages="7-9", requested_language="de")
    advice = advice_for("InvalidParameter", message, about)
    assert advice.startswith("Read refused pages '7-9' for this file. Correct or remove READ_PAGES")


def test_a_refused_language_names_the_language() -> None:
    about = document(requested_pages="1", requested_language="xx")
    advice = advice_for("BadArgument", "The given locale is not supported.", about)
    assert advice.startswith("Read refused language 'xx' for this file. Correct or remove READ_LANGUAGE")


def test_a_bad_argument_that_the_app_did_not_send_gets_no_guess() -> None:
    assert advice_for("BadArgument", "The language is invalid.", document()).startswith(
        "Correct what the message names"
    )


@pytest.mark.parametrize(("version", "rate"), [("v3.2", "20/min"), ("2024-11-30", "1/s,1/s")])
def test_a_429_of_the_free_tier_names_the_rate_to_set(version: str, rate: str) -> None:
    message = (
        "HTTP 429: 429. Requests have exceeded rate limit of your current ComputerVision F0 pricing tier."
        " Please retry after 55 seconds."
    )
    advice = advice_for("Throttled", message, document(version=version))
    assert f"set READ_RATE={rate}, or move it to a paid tier" in advice


def test_a_429_of_a_paid_tier_needs_no_action() -> None:
    assert advice_for("Throttled", "of your current S0 pricing tier", document()).startswith(
        "There is nothing for you to do"
    )


@pytest.mark.parametrize("code", ["InternalServerError", "OperationFailed", "3014"])
def test_the_advice_for_a_failed_operation_says_that_it_is_final(code: str) -> None:
    assert "This failure is final" in advice_for(code, "", document())


@pytest.mark.parametrize("code", ["Timeout", "3013", "3018"])
def test_a_document_that_took_too_long_should_be_split(code: str) -> None:
    assert "Split the file" in advice_for(code, "", document())


def test_no_code_has_only_the_general_advice() -> None:
    assert advice.GENERAL not in ADVICE.values()

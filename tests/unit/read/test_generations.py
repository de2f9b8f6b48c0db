"""Every generation of Read: what goes over the wire, which options it takes, and how its answers are parsed."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.read.answers import Accepted, Rejected, Retryable, Running, Succeeded, parse_error, refusal, wait_named
from shared.read.client import ReadClient
from shared.read.generation import NotOurOperation, ReadOptions, UnsupportedOption
from shared.read.generations import UnknownGeneration, all_generations, generation
from shared.read.result import ResultNotUnderstood
from simulation.read_server import RUNNING, Answer, ReadServer, as_json
from tests.support.results import Read, parsed
from tests.support.wire import Wire
from tests.unit.read.samples import BOX, VERSIONS, answer_of

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
FILE = b"\x89PNG\r\n\x1a\n" * 5000
ID = "e1e9d6c8-09cc-4962-a7a2-529be3f28652"

PATHS = {
    "v2.0": ("/vision/v2.0/read/core/asyncBatchAnalyze", f"/vision/v2.0/read/operations/{ID}"),
    "v2.1": ("/vision/v2.1/read/core/asyncBatchAnalyze", f"/vision/v2.1/read/operations/{ID}"),
    "v3.0-preview": ("/vision/v3.0-preview/read/analyze", f"/vision/v3.0-preview/read/analyzeResults/{ID}"),
    "v3.0": ("/vision/v3.0/read/analyze", f"/vision/v3.0/read/analyzeResults/{ID}"),
    "v3.1-preview.2": ("/vision/v3.1-preview.2/read/analyze", f"/vision/v3.1-preview.2/read/analyzeResults/{ID}"),
    "v3.1": ("/vision/v3.1/read/analyze", f"/vision/v3.1/read/analyzeResults/{ID}"),
    "v3.2-preview.2": ("/vision/v3.2-preview.2/read/analyze", f"/vision/v3.2-preview.2/read/analyzeResults/{ID}"),
    "v3.2": ("/vision/v3.2/read/analyze", f"/vision/v3.2/read/analyzeResults/{ID}"),
    "2022-08-31": (
        "/formrecognizer/documentModels/prebuilt-read:analyze?api-version=2022-08-31",
        f"/formrecognizer/documentModels/prebuilt-read/analyzeResults/{ID}?api-version=2022-08-31",
    ),
    "2023-07-31": (
        "/formrecognizer/documentModels/prebuilt-read:analyze?api-version=2023-07-31",
        f"/formrecognizer/documentModels/prebuilt-read/analyzeResults/{ID}?api-version=2023-07-31",
    ),
    "2024-11-30": (
        "/documentintelligence/documentModels/prebuilt-read:analyze?api-version=2024-11-30",
        f"/documentintelligence/documentModels/prebuilt-read/analyzeResults/{ID}?api-version=2024-11-30",
    ),
}
COMPUTER_VISION = [version for version in PATHS if version.startswith("v")]
DOCUMENT_INTELLIGENCE = [version for version in PATHS if not version.startswith("v")]


class File(BytesIO):
    def __len__(self) -> int:
        return len(self.getbuffer())


def client(version: str, endpoint: str, wire: Wire | None = None) -> ReadClient:
    return ReadClient(
        endpoint,
        generation(version),
        key="the-key",
        token=None,
        now=lambda: NOW,
        session=wire.session() if wire else None,
    )


# From a POST to a result


@pytest.fixture
def server() -> Iterator[ReadServer]:
    with ReadServer() as server:
        yield server


@pytest.mark.parametrize("version", VERSIONS)
def test_a_document_is_submitted_and_polled_over_http(server: ReadServer, version: str) -> None:
    submit, operation = PATHS[version]
    body = json.dumps(answer_of(version), ensure_ascii=False, indent=1).encode()
    server.posts.append(Answer(202, headers={"Operation-Location": f"https://elsewhere.example{operation}"}))
    server.gets.extend([RUNNING, Answer(200, body)])
    read = client(version, server.endpoint)

    assert read.submit(File(FILE), ReadOptions()) == Accepted(server.endpoint + operation)
    assert read.poll(server.endpoint + operation) == Running()
    done = read.poll(server.endpoint + operation)

    assert isinstance(done, Succeeded)
    assert done.body == body
    assert [(each.method, each.path) for each in server.requests] == [
        ("POST", submit), ("GET", operation), ("GET", operation)
    ]  # fmt: skip
    assert server.requests[0].body == FILE
    assert server.requests[0].headers["Content-Type"] == "application/octet-stream"
    assert all(each.headers["Ocp-Apim-Subscription-Key"] == "the-key" for each in server.requests)
    result = parsed(version, done.answer)
    assert result.text == "Hello wörld\n\n2nd"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("word", ["notStarted", "NotStarted", "RUNNING", "Waiting for a machine"])
def test_any_status_that_is_not_final_means_not_ready(server: ReadServer, version: str, word: str) -> None:
    server.gets.append(as_json(200, {"status": word}))
    assert client(version, server.endpoint).poll(server.endpoint + PATHS[version][1]) == Running()


@pytest.mark.parametrize("version", COMPUTER_VISION)
@pytest.mark.parametrize("word", ["failed", "Failed"])
def test_a_failure_of_computer_vision_is_an_http_200(server: ReadServer, version: str, word: str) -> None:
    errors = [{"code": "2005", "message": "Unable to read file."}]
    server.gets.append(as_json(200, {"status": word, "analyzeResult": {"readResults": [], "errors": errors}}))
    answer = client(version, server.endpoint).poll(server.endpoint + PATHS[version][1])
    assert answer == Rejected("2005", "Unable to read file.")


@pytest.mark.parametrize("version", DOCUMENT_INTELLIGENCE)
def test_a_failure_of_document_intelligence_names_the_faulty_page(server: ReadServer, version: str) -> None:
    unexpected = {"code": "InternalServerError", "message": "An unexpected error occurred."}
    page = {"code": "InvalidContentDimensions", "message": "The dimensions are out of range.", "target": "2"}
    server.gets.append(as_json(200, {"status": "failed", "error": {**unexpected, "details": [unexpected, page]}}))
    answer = client(version, server.endpoint).poll(server.endpoint + PATHS[version][1])
    assert answer == Rejected("InvalidContentDimensions", "The dimensions are out of range.")


# Versions


def test_every_version_is_known_and_the_oldest_comes_first() -> None:
    assert list(PATHS) == VERSIONS


@pytest.mark.parametrize("version", ["v4.0", "v1.0", "3.2", "v3_2", "", "__init__", "v2024-11-30", "2024_11_30"])
def test_an_unknown_version_is_refused_with_the_known_ones(version: str) -> None:
    with pytest.raises(UnknownGeneration, match=r"v2\.0, .* and 2024-11-30|v2\.0, .*2024-11-30"):
        generation(version)


@pytest.mark.parametrize("version", ["v2.0", "v2.1", "v3.0", "v3.1"])
def test_the_notice_of_a_retired_version_says_since_when_and_what_to_use_instead(version: str) -> None:
    assert generation(version).notice == (
        f"Read {version} was retired on 13 September 2026: only containers and private deployments still answer it."
        " In Azure's cloud, set READ_API_VERSION=v3.2, or 2024-11-30 with a Document Intelligence resource."
    )


@pytest.mark.parametrize("version", ["v3.0-preview", "v3.1-preview.2", "v3.2-preview.2"])
def test_previews_were_retired_in_2023(version: str) -> None:
    assert "2023: only containers" in (generation(version).notice or "")


@pytest.mark.parametrize("version", ["v3.2", *DOCUMENT_INTELLIGENCE])
def test_a_supported_version_has_no_notice(version: str) -> None:
    assert generation(version).notice is None


# Options


@pytest.mark.parametrize(
    ("version", "options", "query"),
    [
        ("v3.0-preview", {"language": "es"}, {"language": ["es"]}),
        ("v3.0", {"language": "pt"}, {"language": ["pt"]}),
        ("v3.1", {"language": "nl"}, {"language": ["nl"]}),
        ("v3.1-preview.2", {"language": "ja", "pages": "1,3-5"}, {"language": ["ja"], "Pages": ["1,3-5"]}),
        ("v3.2-preview.2", {"language": "zh-Hant", "pages": "2"}, {"language": ["zh-Hant"], "Pages": ["2"]}),
        (
            "v3.2",
            {"language": "zh-Hans", "pages": "1,3-5,-2,8-", "model_version": "latest", "reading_order": "natural"},
            {
                "language": ["zh-Hans"],
                "pages": ["1,3-5,-2,8-"],
                "model-version": ["latest"],
                "readingOrder": ["natural"],
            },
        ),
        ("v3.2", {"model_version": "2021-09-30-preview"}, {"model-version": ["2021-09-30-preview"]}),
        (
            "2022-08-31",
            {"language": "en-US", "pages": "1-3, 5"},
            {"api-version": ["2022-08-31"], "locale": ["en-US"], "pages": ["1-3, 5"]},
        ),
        ("2024-11-30", {"pages": "7"}, {"api-version": ["2024-11-30"], "pages": ["7"]}),
    ],
)
def test_options_are_sent_with_the_parameter_names_of_the_version(
    version: str, options: dict[str, str], query: dict[str, list[str]]
) -> None:
    assert parse_qs(generation(version).query(ReadOptions(**options))) == query


ALL_BUT_V2 = "v3.0-preview, v3.0, v3.1-preview.2, v3.1, v3.2-preview.2, v3.2, 2022-08-31, 2023-07-31 and 2024-11-30 do"
WITH_PAGES = "v3.1-preview.2, v3.2-preview.2, v3.2, 2022-08-31, 2023-07-31 and 2024-11-30 do"


@pytest.mark.parametrize(
    ("version", "option", "value", "takers"),
    [
        ("v2.0", "language", "en", ALL_BUT_V2),
        ("v2.1", "pages", "1", WITH_PAGES),
        ("v2.1", "reading_order", "natural", "v3.2 does"),
        ("v3.0", "pages", "1", WITH_PAGES),
        ("v3.0-preview", "language", "fr", ALL_BUT_V2.removeprefix("v3.0-preview, ")),
        ("v3.2-preview.2", "pages", "3-", "v3.2 does"),
        ("v3.2-preview.2", "reading_order", "basic", "v3.2 does"),
        ("v3.2", "reading_order", "random", "no version does"),
        ("v3.2", "model_version", "newest", "no version does"),
        ("v3.2", "pages", "1, 2", "2022-08-31, 2023-07-31 and 2024-11-30 do"),
        ("v3.2", "pages", "٣", "no version does"),
        *(("v3.2", "pages", wrong, "no version does") for wrong in ("0", "1,0", "5-1", "0-3", "-0", "9" * 5000)),
        ("2024-11-30", "pages", "1, 5-1", "no version does"),
        ("v3.1-preview.2", "pages", "5-1", "no version does"),
        ("v3.2", "language", "en\n", "no version does"),
        ("2022-08-31", "reading_order", "natural", "v3.2 does"),
        ("2023-07-31", "model_version", "latest", "v3.2 does"),
        ("2024-11-30", "pages", "3-", "v3.2 does"),
        ("2024-11-30", "pages", "-3", "v3.2 does"),
    ],
)  # fmt: skip
def test_an_option_that_a_version_does_not_take_is_refused_with_the_versions_that_do(
    version: str, option: str, value: str, takers: str
) -> None:
    with pytest.raises(UnsupportedOption) as refused:
        generation(version).query(ReadOptions(**{option: value}))
    assert refused.value.option == option
    assert option in str(refused.value)
    assert version in str(refused.value)
    assert takers in str(refused.value)


# Operations


@pytest.mark.parametrize("version", VERSIONS)
def test_only_path_and_query_of_an_operations_url_are_used(version: str) -> None:
    operation = PATHS[version][1]
    for location in (
        f"https://westus.api.cognitive.microsoft.com{operation}",
        f"http://behind-a-tls-proxy.example{operation}",
        f"https://gateway.example/ocr/tier-2{operation}",
        operation,
    ):
        assert generation(version).operation_path(location) == operation


@pytest.mark.parametrize("version", VERSIONS)
def test_an_operation_url_may_have_a_query(version: str) -> None:
    path = PATHS[version][1].partition("?")[0]
    assert generation(version).operation_path(f"http://h{path}?a=1&b=2024-11-30") == f"{path}?a=1&b=2024-11-30"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_path_segment_which_a_container_drops_is_restored(version: str) -> None:
    operation = PATHS[version][1]
    assert generation(version).operation_path("http://vision" + operation[operation.index("/", 1) :]) == operation


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "location",
    [
        "",
        "http://h/",
        "http://[::1",
        f"http://h/secrets/{ID}",
        f"http://h/vision/v9.9/read/analyzeResults/{ID}",
        f"http://h/vision/v3.2/read/{ID}",
        f"http://h/vision/v3.2/read/analyzeResults/{ID}/../../..",
        "http://h/vision/v3.2/read/analyzeResults/",
        f"http://h/vision/v3.2/read/analyzeResults/{ID}%0a",
        f"http://h/formrecognizer/documentModels/../analyzeResults/{ID}",
        f"http://h/documentintelligence/documentModels/prebuilt-read/analyzeResults/{ID}?u=http://evil",
    ],
)
def test_a_path_of_a_different_version_is_not_followed(version: str, location: str) -> None:
    with pytest.raises(NotOurOperation):
        generation(version).operation_path(location)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_version_follows_an_operation_of_another(version: str) -> None:
    same_path = {version} | ({"2022-08-31", "2023-07-31"} if version in ("2022-08-31", "2023-07-31") else set())
    for other in set(VERSIONS) - same_path:
        with pytest.raises(NotOurOperation):
            generation(version).operation_path(f"http://h{PATHS[other][1]}")


def test_an_operation_of_a_different_model_is_followed() -> None:
    path = f"/formrecognizer/documentModels/prebuilt-layout/analyzeResults/{ID}?api-version=2022-08-31"
    assert generation("2022-08-31").operation_path(f"https://endpoint{path}") == path


# Deleting


@pytest.mark.parametrize(("status", "gone"), [(204, True), (404, True), (401, False), (500, False)])
def test_version_2024_11_30_deletes_a_result(status: int, gone: bool) -> None:
    wire = Wire(status)
    path = PATHS["2024-11-30"][1]
    assert client("2024-11-30", "https://read.example", wire).delete(f"https://read.example{path}") is gone
    (request,) = wire.sent
    assert (request.method, request.url) == ("DELETE", f"https://read.example{path}")
    assert request.headers["Ocp-Apim-Subscription-Key"] == "the-key"


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != "2024-11-30"])
def test_a_version_that_cannot_delete_is_not_asked_to(version: str) -> None:
    wire = Wire(204)
    assert not client(version, "https://read.example", wire).delete(f"https://read.example{PATHS[version][1]}")
    assert not wire.sent


def test_a_result_is_deleted_by_the_version_that_it_was_submitted_to() -> None:
    wire = Wire(204)
    assert client("v3.2", "https://read.example", wire).delete(PATHS["2024-11-30"][1], "2024-11-30")


def test_a_delete_without_an_answer_or_of_a_foreign_url_raises_nothing() -> None:
    unreachable = Wire(error=ConnectionError())
    assert not client("2024-11-30", "https://read.example", Wire(204)).delete("https://read.example/else")
    assert not client("2024-11-30", "http://localhost:1").delete(PATHS["2024-11-30"][1])
    assert not unreachable.sent


# Signing in


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://westus.api.cognitive.microsoft.com",
        "https://usgovvirginia.api.cognitive.microsoft.us",
        "https://chinaeast2.api.cognitive.azure.cn",
    ],
)
def test_a_regional_endpoint_takes_no_tokens_and_gets_none(endpoint: str) -> None:
    wire = Wire(202)
    read = ReadClient(
        endpoint, generation("v3.2"), key=None, token=lambda: "t", now=lambda: NOW, session=wire.session()
    )
    assert read.submit(File(FILE), ReadOptions()) == Retryable(
        "RegionalEndpoint", "A region's endpoint takes no Microsoft Entra tokens."
    )
    assert not wire.sent


def test_a_regional_endpoint_takes_a_key() -> None:
    wire = Wire(200, {}, RUNNING.body)
    endpoint = "https://westus.api.cognitive.microsoft.com"
    assert client("v3.2", endpoint, wire).poll(PATHS["v3.2"][1]) == Running()


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (400, "BadRequest", "Please provide a custom subdomain for token authentication", "RegionalEndpoint"),
        (401, "PermissionDenied", "Principal does not have access to API/Operation.", "RoleMissing"),
        (401, "401", "Access denied due to invalid subscription key or wrong API endpoint.", "CredentialsRefused"),
        (403, "AuthenticationTypeDisabled", "Key based authentication is disabled.", "KeysDisabled"),
        (403, "403", "Access denied due to Virtual Network/Firewall rules.", "FirewallRefused"),
        (403, "403", "Public access is disabled. Please configure private endpoint.", "FirewallRefused"),
        (403, "403", "Out of call volume quota for ComputerVision F0 pricing tier.", "QuotaExhausted"),
        (403, "OutboundAccessForbidden", "That domain is not allowed.", "OutboundAccessForbidden"),
        (403, "403", "No.", "AccessDenied"),
        (404, "404", "Resource not found", "EndpointNotFound"),
        (410, "", "", "EndpointNotFound"),
        (400, "NotSupportedApiVersion", "The requested API version is not supported.", "EndpointNotFound"),
        (409, "Conflict", "The request could not be completed.", "ReadUnavailable"),
        (429, "429", "Requests have exceeded rate limit.", "Throttled"),
        (500, "FailedToProcess", "Could not extract.", "ReadServerError"),
        (503, "ServiceUnavailable", "A transient error has occurred.", "ReadUnavailable"),
        (400, "InternalServerError", "Internal server error.", "ReadServerError"),
        (400, "Timeout", "Image process timed out.", "ReadServerError"),
        (400, "StorageException", "Storage.", "ReadServerError"),
        (400, "ServiceUnavailable", "Later.", "ReadUnavailable"),
    ],
)  # fmt: skip
def test_an_error_that_waiting_or_a_repair_can_fix_is_retryable(
    status: int, code: str, message: str, expected: str
) -> None:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    answer = refusal(status, {}, body, NOW)
    assert isinstance(answer, Retryable)
    assert answer.code == expected
    assert message in answer.message


@pytest.mark.parametrize("code", ["InvalidImage", "FailedToProcess", "Unspecified", "InvalidSasToken", "BadArgument"])
def test_an_error_that_waiting_cannot_fix_is_rejected_with_reads_own_code(code: str) -> None:
    body = json.dumps({"code": code, "message": "No."}).encode()
    assert refusal(400, {}, body, NOW) == Rejected(code, "No.")


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please retry after 55 seconds.", 55),
        ("Please retry after 15 days. To increase your call volume switch to a paid tier.", 15 * 86400),
        ("Quota will be replenished in 22.14:18:12.", ((22 * 24 + 14) * 60 + 18) * 60 + 12),
        ("Quota will be replenished in 14:18:12.", (14 * 60 + 18) * 60 + 12),
        ("Please retry later.", None),
    ],
)
def test_a_wait_given_only_in_the_message_is_kept(message: str, seconds: float | None) -> None:
    assert wait_named({}, message, NOW) == seconds


# Parsing answers


@pytest.mark.parametrize("version", VERSIONS)
def test_every_versions_answer_is_parsed_into_the_same_shape(version: str) -> None:
    result = parsed(version, answer_of(version))
    box = tuple(BOX)
    (first,), (second,) = (page.lines for page in result.pages)
    assert [page.number for page in result.pages] == [1, 2]
    assert [(page.width, page.height, page.unit) for page in result.pages] == [(800, 600, "pixel")] * 2
    assert [page.angle for page in result.pages] == [-10.5] * 2
    assert [(line.text, line.box) for line in (first, second)] == [("Hello wörld", box), ("2nd", box)]
    assert [(word.text, word.box) for word in first.words] == [("Hello", box), ("wörld", box)]
    assert first.confidence == (None if version.startswith("v2") else 0.5)
    assert result.language == (None if version.startswith("v2") else "en")
    assert first.handwritten is (True if version in ("v3.1-preview.2", "v3.2", *DOCUMENT_INTELLIGENCE) else None)
    assert result.model_version == ("2022-04-30" if version == "v3.2" else None)


def v3_2(**page: Any) -> Read:
    return parsed("v3.2", {"analyzeResult": {"readResults": [{"page": 1, "lines": [], **page}]}})


def test_an_answer_of_recognize_text_has_one_page() -> None:
    result = parsed("v2.1", {"status": "Succeeded", "recognitionResult": {"lines": [{"text": "Hi"}]}})
    assert result.text == "Hi"


@pytest.mark.parametrize(("orientation", "angle"), [(0, 0), (90, 90), (180, 180), (232.25, -127.75), (359, -1)])
def test_the_orientation_of_v2_becomes_an_angle_as_in_later_versions(orientation: float, angle: float) -> None:
    page = {"clockwiseOrientation": orientation, "lines": []}
    assert parsed("v2.0", {"recognitionResults": [page]}).pages[0].angle == angle


@pytest.mark.parametrize("key", ["modelVersion", "model-version"])
def test_both_spellings_of_the_model_version_are_read(key: str) -> None:
    answer = {"analyzeResult": {"readResults": [], key: "2021-04-12"}}
    assert parsed("v3.2", answer).model_version == "2021-04-12"


@pytest.mark.parametrize(
    ("appearance", "handwritten"),
    [
        ({"style": {"name": "handwriting", "confidence": 1}}, True),
        ({"style": {"name": "other", "confidence": 1}}, False),
        ({"style": "handwriting", "styleConfidence": 1}, True),
        ({"style": "print", "styleConfidence": 1}, False),
        ({}, None),
        (None, None),
    ],
)
def test_the_handwriting_style_may_be_an_object_or_a_text(appearance: object, handwritten: bool | None) -> None:
    (page,) = v3_2(lines=[{"text": "Hi", "appearance": appearance}]).pages
    assert page.lines[0].handwritten is handwritten


@pytest.mark.parametrize(
    "box",
    [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        [{"x": 1, "y": 2}, {"x": 3, "y": 4}, {"x": 5, "y": 6}, {"x": 7, "y": 8}],
    ],
)
def test_a_box_may_be_eight_numbers_or_four_points(box: object) -> None:
    (page,) = v3_2(lines=[{"text": "Hi", "boundingBox": box}]).pages
    assert page.lines[0].box == (1, 2, 3, 4, 5, 6, 7, 8)


def test_a_page_without_text_is_still_a_page() -> None:
    result = v3_2()
    assert (len(result.pages), result.text) == (1, "")


def test_no_two_pages_share_a_number() -> None:
    pages: list[dict[str, Any]] = [{"page": number, "lines": []} for number in (2, 2, None, 0, 5, 10**9)]
    result = parsed("v3.2", {"analyzeResult": {"readResults": pages}})
    assert [page.number for page in result.pages] == [2, 3, 4, 5, 6, 7]


def test_pages_that_failed_in_a_document_that_succeeded_are_named() -> None:
    analyzed = {"readResults": [], "errors": [{"code": "2005", "message": "Unable to read file.", "target": "3"}]}
    assert parsed("v3.2", {"analyzeResult": analyzed}).warnings == ("2005: Unable to read file. (3)",)


# Arbitrary answers

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 2**63, 1e308])
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "a\udc00", "\x00", "en"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["page", "text", "spans"]), inner),
    max_leaves=8,
)
MISSING = object()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


@st.composite
def broken_answers(draw: st.DrawFn, version: str) -> Any:
    """A valid answer with arbitrary values in some places."""
    answer = copy.deepcopy(answer_of(version))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(answer))[1:]))
        parent = answer
        for key in path[:-1]:
            parent = parent[key]
        graft = draw(JSON | st.just(MISSING))
        if graft is MISSING:
            del parent[path[-1]]
        else:
            parent[path[-1]] = graft
    return answer


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_answer_parses_or_raises_the_documented_error(version: str, data: st.DataObject) -> None:
    answer = data.draw(broken_answers(version) | st.dictionaries(st.text(), JSON))
    try:
        result = parsed(version, answer)
    except ResultNotUnderstood:
        return
    "".join(page.text_file for page in result.pages).encode()
    numbers = [page.number for page in result.pages]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 100_000 + len(numbers) for number in numbers)
    for page in result.pages:
        for line in page.lines:
            assert line.box is None or len(line.box) == 8
            assert line.confidence is None or isinstance(line.confidence, float | int)
            json.dumps([line.box, line.confidence, line.handwritten, line.language], allow_nan=False)
            (line.language or "").encode()


@settings(max_examples=100, deadline=None)
@given(JSON, st.integers(200, 599), st.text())
def test_any_body_of_an_error_answer_is_handled(body: Any, status: int, wait: str) -> None:
    answer = refusal(status, {"Retry-After": wait}, json.dumps({"error": body}).encode(), NOW)
    assert isinstance(answer, Rejected | Retryable)
    answer.message.encode()
    answer.code.encode()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["error", "analyzeResult", "code", "message", "details", "innererror"]), JSON))
def test_any_error_object_yields_a_code_and_a_message(body: dict[str, Any]) -> None:
    code, message = parse_error(body)
    (code + message).encode()


@settings(max_examples=100, deadline=None)
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | st.builds(
    lambda status, rest: json.dumps({"status": status, **rest}).encode(),
    st.sampled_from(["succeeded", "failed", "canceled", "running"]) | JSON,
    st.dictionaries(st.sampled_from(["error", "analyzeResult"]), JSON),
))  # fmt: skip
def test_any_answer_to_a_poll_is_handled(body: bytes) -> None:
    answer = client("v3.2", "https://read.example", Wire(200, {}, body)).poll(PATHS["v3.2"][1])
    assert isinstance(answer, Running | Succeeded | Rejected | Retryable)


def test_each_generation_declares_everything_in_one_place() -> None:
    for each in all_generations():
        assert urlsplit(each.analyze).path == each.analyze
        assert each.url_field == ("url" if each.service == "Computer Vision" else "urlSource")
        assert {"JPEG", "PNG", "BMP", "PDF", "TIFF"} <= set(each.formats)
        assert ("HEIF" in each.formats) == (each.service == "Document Intelligence")
        assert bool(each.retired) == bool(each.instead)

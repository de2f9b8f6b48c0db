"""Recorded answers of the real service are parsed into what anybody sees in their JSON."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.read.answers import Accepted, Gone, Rejected, Retryable, Running, Succeeded, refusal, wait_named
from shared.read.client import ReadClient
from shared.read.generation import ReadOptions
from shared.read.generations import generation
from tests.support.results import parsed
from tests.support.wire import Wire

RECORDINGS = Path(__file__).parents[4] / "shared" / "read-api" / "recordings"
if not RECORDINGS.is_dir():
    pytest.skip(f"no recordings of the service at {RECORDINGS}", allow_module_level=True)

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
VERSION_OF_FOLDER = {
    "cv-v2.0": "v2.0",
    "cv-v3.0": "v3.0",
    "cv-v3.1": "v3.1",
    "cv-v3.2": "v3.2",
    "di-2022-08-31": "2022-08-31",
    "di-2024-11-30": "2024-11-30",
    "fr-v2.x-layout": "v3.2",  # Form Recognizer's, from the same engine and of the same shape
}


class Seen(NamedTuple):
    """A line, as somebody who reads the JSON sees it."""

    page: int
    text: str
    box: tuple[float, ...] | None
    words: list[str]


def recordings(pattern: str) -> list[Any]:
    found = sorted(RECORDINGS.glob(pattern))
    assert found
    return [pytest.param(path, id=str(path.relative_to(RECORDINGS))) for path in found]


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())


def version_of(path: Path) -> str:
    return VERSION_OF_FOLDER.get(path.parent.name) or path.name.removesuffix(".body.json")


def seen_in(answer: dict[str, Any]) -> list[Seen]:
    """Parse an answer without the code under test; for one page, match words to lines by their characters."""
    if "recognitionResults" in answer:
        return [seen for page in answer["recognitionResults"] for seen in seen_on(page)]
    analyzed = answer["analyzeResult"]
    if "readResults" in analyzed:
        return [seen for page in analyzed["readResults"] for seen in seen_on(page)]
    if any("lines" in page for page in analyzed["pages"]):
        return [
            Seen(page["pageNumber"], line["content"], tuple(line["polygon"]), words_in(page, line["spans"]))
            for page in analyzed["pages"]
            for line in page["lines"]
        ]
    (page,) = analyzed["pages"]
    content = analyzed["content"]
    assert content.isascii()  # so that every string index counts characters the same way
    starts = [at for at in range(len(content)) if at == 0 or content[at - 1] == "\n"]
    lines = [(start, content[start:].split("\n")[0]) for start in starts]
    return [
        Seen(page["pageNumber"], text, None, words_in(page, [{"offset": start, "length": len(text)}]))
        for start, text in lines
    ]


def seen_on(page: dict[str, Any]) -> list[Seen]:
    return [
        Seen(page["page"], line["text"], tuple(line["boundingBox"]), [word["text"] for word in line["words"]])
        for line in page["lines"]
    ]


def words_in(page: dict[str, Any], spans: list[dict[str, int]]) -> list[str]:
    characters = {at for span in spans for at in range(span["offset"], span["offset"] + span["length"])}
    return [
        word["content"]
        for word in page["words"]
        if characters & set(range(word["span"]["offset"], word["span"]["offset"] + word["span"]["length"]))
    ]


@pytest.mark.parametrize("path", recordings("[!e]*/*.body.json"))
def test_a_recording_is_parsed_into_what_a_reader_of_it_sees(path: Path) -> None:
    answer = load(path)
    result = parsed(version_of(path), answer)
    expected = seen_in(answer)
    read = [
        Seen(page.number, line.text, line.box, [word.text for word in line.words])
        for page in result.pages
        for line in page.lines
    ]
    assert read == expected
    assert "".join(page.text_file for page in result.pages).splitlines() == [seen.text for seen in expected]
    assert result.line_count == len(expected)
    assert result.word_count == sum(len(seen.words) for seen in expected)


@pytest.mark.parametrize("path", recordings("[!e]*/*.body.json"))
def test_the_confidence_of_a_recorded_line_is_the_mean_of_its_words(path: Path) -> None:
    result = parsed(version_of(path), load(path))
    for page in result.pages:
        for line in page.lines:
            known = [word.confidence for word in line.words if word.confidence is not None]
            assert line.confidence == (pytest.approx(sum(known) / len(known)) if known else None)
            assert all(0 <= confidence <= 1 for confidence in known)
    if version_of(path).startswith("v2"):
        assert all(line.confidence is None for page in result.pages for line in page.lines)


def test_the_first_model_versions_had_a_hyphen() -> None:
    result = parsed("v3.2", load(RECORDINGS / "cv-v3.2" / "net-readtest-signage.body.json"))
    assert result.model_version == "2021-04-12"


class File(BytesIO):
    def __len__(self) -> int:
        return len(self.getbuffer())


@pytest.mark.parametrize("path", recordings("[cd]*/*.exchanges.json"))
def test_recorded_exchanges_lead_from_a_file_to_a_result(path: Path) -> None:
    wire = Wire()
    version = version_of(path)
    read = ReadClient(
        "https://read.example", generation(version), key="k", token=None, now=lambda: NOW, session=wire.session()
    )
    submitted, *polls = load(path)
    answers(wire, submitted, path)
    accepted = read.submit(File(b"file"), ReadOptions())
    assert isinstance(accepted, Accepted)
    assert polls
    for each_poll in polls:
        recorded = each_poll["request"]["uri"].removeprefix("https://endpoint")
        assert accepted.operation_url == f"https://read.example{recorded}"
        body = answers(wire, each_poll, path)
        answer = read.poll(accepted.operation_url)
        if body["status"].casefold() == "succeeded":
            assert isinstance(answer, Succeeded)
            assert parsed(version, answer.answer).line_count == len(seen_in(body))
        else:
            wait = each_poll["response"]["headers"].get("Retry-After")
            assert answer == Running(float(wait) if wait else None)


def answers(wire: Wire, exchange: dict[str, Any], path: Path) -> Any:
    """Let the wire answer as recorded. Returns the body."""
    response = exchange["response"]
    body = response["body"]
    if body and "__see__" in body:
        body = load(path.parent / body["__see__"])
    wire.status = response["status"]
    wire.headers = {name: value for name, value in response["headers"].items() if name != "Content-Length"}
    wire.body = json.dumps(body).encode() if body else b""
    return body


@pytest.mark.parametrize("path", recordings("errors/*/*error-4*.body.json"))
def test_a_recorded_error_is_rejected_with_its_innermost_code_or_is_retryable(path: Path) -> None:
    error = load(path)["error"]
    inner = error.get("innererror") or error.get("innerError") or error
    status = int(path.name.split("error-")[1][:3])
    answer = refusal(status, {}, path.read_bytes(), NOW)
    if status == 400:
        assert answer == Rejected(inner["code"], inner["message"])
    else:
        assert isinstance(answer, Retryable)
        assert answer.code == {401: "CredentialsRefused", 429: "Throttled"}[status]
        assert error["message"] in answer.message


def test_the_recorded_429_names_its_wait_only_in_its_text() -> None:
    (exchange,) = load(RECORDINGS / "errors" / "fr-v2.x" / "http-429-rate-limit.exchanges.json")
    response = exchange["response"]
    assert wait_named(response["headers"], response["body"]["error"]["message"], NOW) == 3


def test_the_recorded_failure_is_an_http_200() -> None:
    (path,) = RECORDINGS.glob("errors/fr-v2.x/operation-failed-*.body.json")
    wire = Wire(200, {}, path.read_bytes())
    read = ReadClient(
        "https://read.example", generation("v3.2"), key="k", token=None, now=lambda: NOW, session=wire.session()
    )
    answer = read.poll("/vision/v3.2/read/analyzeResults/1")
    assert not isinstance(answer, Gone)
    assert answer == Rejected("2005", "Unable to read file.")

"""Log lines are JSON, have the fields that queries use, and show nothing of a document except its name."""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shared import log
from shared.document import Document, Status
from shared.quota.rate import Call
from tests.support.markdown import anchors, names, section, tables
from tests.support.markdown import document as document_of

QUERIES = Path(__file__).parents[2] / "infra" / "queries"
NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
URL = "https://read.example/vision/v3.2/read/analyzeResults/0f"
CALLED = log.Called(Call.POLL, timedelta(milliseconds=1234.4))


def document(status: Status, **others: Any) -> Document:
    known: dict[str, Any] = {"operation_url": URL, "trace_id": "ab" * 16, "submits": 1, **others}
    return Document(name="a\nb.png", status=status, **known)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """One line for every event, with every field that it can have."""
    caplog.set_level(logging.DEBUG, "shared.log")
    times = {"uploaded_at": NOW, "submitted_at": NOW, "completed_at": NOW + timedelta(seconds=3)}
    log.step(None, document(Status.SUBMITTING), None)
    log.step(document(Status.SUBMITTING, operation_url=None), document(Status.READING), CALLED)
    log.step(document(Status.READING), document(Status.READING), CALLED)
    log.step(document(Status.READING), document(Status.WAITING, error_code="Throttled"), CALLED)
    log.step(document(Status.READING), document(Status.FAILED, error_code="InvalidImage", **times), CALLED)
    log.skipped("a", "why", "trace")
    log.deferred(document(Status.READING), 2)
    log.requeued(document(Status.READING, due_at=NOW))
    log.trouble("what", document="a", code="code")
    worklist = log.Worklist(in_flight=3, overdue=1, oldest=700, failed=2)
    log.sweep(worklist, unreadable=0, complete=True)
    log.comparison(enqueued=1, read_by=NOW.isoformat(), complete=True)
    return [json.loads(record.getMessage()) for record in caplog.records]


@pytest.fixture
def every_line(logged: list[dict[str, Any]]) -> Mapping[str, set[str]]:
    return {line["event"]: set(line) - {"event"} for line in logged}


def test_the_events_are_those_of_the_modules_functions(every_line: Mapping[str, set[str]]) -> None:
    assert set(every_line) == {
        "claimed", "submitted", "polled", "waiting", "ended",
        "skipped", "deferred", "requeued", "trouble", "sweep", "comparison",
    }  # fmt: skip


def test_every_event_is_explained_with_its_fields(every_line: Mapping[str, set[str]]) -> None:
    (rows,) = tables(section(document_of("docs/operations.md"), "What is logged"))
    assert {name for row in rows for name in names(row[0])} == set(every_line)
    fields_told = {name for row in rows for name in names(row[2])}
    assert fields_told == {field for found in every_line.values() for field in found}


def test_a_step_is_one_line_with_document_attempt_and_duration(
    every_line: Mapping[str, set[str]], logged: list[dict[str, Any]]
) -> None:
    polled = next(line for line in logged if line["event"] == "polled")
    assert polled == {
        "event": "polled",
        "document": "a\nb.png",
        "trace": "ab" * 16,
        "operation": "0f",
        "attempt": 1,
        "status": "reading",
        "call": "GET",
        "ms": 1234,
    }
    assert {"since_upload", "since_submit", "code"} <= every_line["ended"]


@pytest.mark.parametrize("file", sorted(QUERIES.glob("*.kql")), ids=lambda file: file.stem)
def test_every_field_that_a_query_names_is_one_that_the_code_writes(
    file: Path, every_line: Mapping[str, set[str]]
) -> None:
    query = file.read_text(encoding="utf-8")
    named = set(re.findall(r"\be\.(\w+)", query))
    if match := re.search(r"""startswith '\{"event": "(\w+)"'""", query):
        assert named <= every_line[match[1]]
    elif "parse_json" in query:
        assert """startswith '{"event":'""" in query
        assert named <= {"event", *(field for line in every_line.values() for field in line)}
    else:
        assert not named


@pytest.mark.parametrize("file", sorted(QUERIES.glob("*.kql")), ids=lambda file: file.stem)
def test_every_value_that_a_query_compares_with_is_one_that_the_code_writes(file: Path) -> None:
    known = {
        "status": {str(status) for status in Status},
        "call": {call.value for call in Call},
        "code": {"Throttled"} if "throttled" in anchors(document_of("docs/errors.md")) else set(),
        "document": {"NAME"},
        "trace": {"…"},
    }
    for field, value in re.findall(r"\be\.(\w+) == '([^']*)'", file.read_text(encoding="utf-8")):
        assert value in known[field]


@pytest.mark.parametrize("file", sorted(QUERIES.glob("*.kql")), ids=lambda file: file.stem)
def test_a_query_finds_lines_by_their_beginning(
    file: Path, logged: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    lines = [record.getMessage() for record in caplog.get_records("setup")]
    assert len(lines) == len(logged)
    for beginning in re.findall(r"message startswith '([^']*)'", file.read_text(encoding="utf-8")):
        assert any(line.startswith(beginning) for line in lines)


def test_functions_that_a_query_names_exist() -> None:
    source = (QUERIES.parents[1] / "function_app.py").read_text(encoding="utf-8")
    functions = set(re.findall(r"^ *def (\w+)\(", source, re.MULTILINE))
    named = {
        name
        for file in QUERIES.glob("*.kql")
        for name in re.findall(r"operation_Name == '(\w+)'", file.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= functions


def test_every_query_is_used_or_documented() -> None:
    infra = QUERIES.parent
    used = " ".join(file.read_text(encoding="utf-8") for file in infra.glob("*.bicep"))
    docs = (infra.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    for file in QUERIES.glob("*.kql"):
        assert f"queries/{file.name}" in used or file.name in docs, file.name


def test_only_the_name_of_a_document_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "shared.log")
    texts = [field.name for field in fields(Document) if "str" in str(field.type)]
    said = ("name", "status", "error_code", "operation_url", "trace_id")
    values: dict[str, Any] = {name: f"<{name}>" for name in texts if name not in said}
    log.step(None, Document(name="a.png", status=Status.FAILED, operation_url=f"{URL}?sig=secret", **values))
    assert "<" not in caplog.text.partition("{")[2]
    assert "secret" not in caplog.text


def test_failures_are_logged_as_warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "shared.log")
    log.step(None, document(Status.FAILED, error_code="InvalidImage"))
    log.step(None, document(Status.SUCCEEDED))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_name_with_a_line_break_is_still_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "shared.log")
    log.skipped("a\nb.png", "why")
    assert "\n" not in caplog.records[0].getMessage()


def test_a_trace_id_is_one_of_w3cs() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", log.new_trace_id(Random(1)))  # noqa: S311 - not a secret

"""The state diagram in docs/reliability.md matches the code: each arrow exists there, and none is missing."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

from shared import decide
from shared.decide import Adopt, Claim, Outputs, Transition
from shared.document import Document, Status, Version
from shared.read.answers import Accepted, AnswerLost, Gone, Rejected, Retryable, Running
from shared.read.result import Summary
from shared.settings import from_environment
from tests.support.markdown import blocks, document, names, section, tables

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = from_environment({
    "DocumentStorage": "UseDevelopmentStorage=true",
    "READ_ENDPOINT": "http://localhost:5000",
    "READ_FILES_FROM": "2026-01-01T00:00:00Z",
})  # fmt: skip
NEW = "[*]"
"""Where the life of a file begins, and that of a newer version, whatever happened to the older one."""
ANY = "any"

Edge = tuple[str, str]


def documents() -> Iterator[Document]:
    """Rows of every status, with and without an operation, due and not due, around every limit of a decision."""
    operations = (None, "http://localhost:5000/vision/v3.2/read/analyzeResults/1")
    dues = (None, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    ages = (timedelta(minutes=1), timedelta(days=9))
    for status, operation, due, age, many in product(Status, operations, dues, ages, (0, 99)):
        if (status is Status.READING and not operation) or (status is Status.SUBMITTING and operation):
            continue
        yield Document(
            name="a.pdf",
            status=status,
            operation_url=operation,
            source_etag="old",
            content_md5="content",
            content_length=3,
            api_version=SETTINGS.generation.version,
            submitted_at=NOW - age,
            due_at=due,
            error_code="ProcessingFailed" if many else None,
            attempts=many,
            lost_answers=many,
            server_errors=many,
            not_found_polls=many,
            resubmits=many,
        )


def versions() -> Iterator[Version]:
    """What storage may hold: the row's version, the same content again, other content, and a file that is not read."""
    for etag, md5, length, days, unreadable, metadata in (
        ("old", "content", 3, 0, None, {}),
        ("new", "content", 3, 0, None, {}),
        ("new", "other", 3, 0, None, {}),
        ("new", "other", 0, 0, None, {}),
        ("new", "other", 3, 999, None, {}),
        ("new", "other", 3, 0, "BlobArchived", {}),
        ("new", "other", 3, 0, None, {"language": "?"}),
    ):
        yield Version(etag, length, md5, NOW - timedelta(days=days), metadata, unreadable)


def answers() -> Iterator[Any]:
    yield from (Accepted("http://localhost:5000/x"), Running(), AnswerLost("lost"), Gone("404"))
    yield Rejected("InvalidImage", "no")
    yield from (Retryable(code, "later") for code in ("Throttled", "ReadServerError", "EndpointNotFound"))


def decided() -> Iterator[Edge]:
    """The old and new status for each decision that changes the status."""
    for before in (None, *documents()):
        for start, after in every_decision(before):
            if start != after.status:
                yield start, after.status


def every_decision(before: Document | None) -> Iterator[tuple[str, Document]]:
    here = before.status if before else NEW
    for version, due, adopt in product(versions(), (True, False), (True, False)):
        match decide.on_version(before, "a.pdf", version, NOW, SETTINGS, due=due, adopt=adopt):
            case Claim(after) as claim:
                start = here if before and before.source_etag == version.etag else NEW
                yield start, after
                yield start, decide.deferred(claim.document, 60, NOW).document
            case Transition(after):
                is_newer = before is None or (before.source_etag != version.etag and after.operation_url is None)
                yield (NEW if is_newer else here), after
                if is_newer and after.status.final:
                    yield from after_cleaning_up(after)
            case Adopt(after):
                yield here, after
    yield from others(before, here)


def after_cleaning_up(ended: Document) -> Iterator[tuple[str, Document]]:
    """A version that ends unread first claims the row until the older version's outputs are deleted."""
    yield NEW, (held := decide.reserve_for_cleanup(ended, NOW, SETTINGS))
    yield held.status, ended


def others(before: Document | None, here: str) -> Iterator[tuple[str, Document]]:
    random = Random(1)  # noqa: S311 - jitter
    steps: list[Any] = [
        decide.on_unsafe_name(before, "a.pdf", NOW),
        decide.on_storage_trouble(before, "a.pdf", "StorageUnavailable", "x", NOW, random),
        decide.on_own_error(before, "a.pdf", "ValueError", NOW, random),
    ]
    if before is None:
        yield NEW, decide.requested_again(None, "a.pdf", NOW, SETTINGS) or Document(name="", status=Status.WAITING)
    else:
        steps.append(decide.on_missing(before, NOW))
        if before.status is Status.SUBMITTING:
            steps += [decide.after_post(before, each, NOW, random) for each in answers() if not of_a_poll(each)]
        if before.operation_url and not before.status.final:
            steps += [
                decide.after_poll(before, each, NOW, random, SETTINGS) for each in answers() if not of_a_post(each)
            ]
            outputs = Outputs(container="r", result_blob="a", text_blob="b", pages_blob="c", lines_table="l",
                              lines_key="k")  # fmt: skip
            steps.append(decide.after_result(before, Summary(), outputs, NOW, model_version=None, warning=None))
        if (again := decide.requested_again(before, "a.pdf", NOW, SETTINGS)) and before.status.final:
            yield here, again
        yield here, decide.forgotten(before, "a.pdf", None, NOW, SETTINGS)
        for same in (decide.rescheduled(before, NOW), decide.settled(before, None)):
            yield here, same
    for step in steps:
        if isinstance(step, Transition):
            yield here, step.document


def of_a_poll(answer: Any) -> bool:
    return isinstance(answer, Running | Gone)


def of_a_post(answer: Any) -> bool:
    return isinstance(answer, Accepted | AnswerLost)


def drawn() -> set[Edge]:
    """The arrows of the diagram, and those in the table below it, which would clutter the diagram."""
    part = section(document("docs/reliability.md"), "States")
    (diagram,) = blocks(part, "mermaid")
    edges = set(re.findall(r"^ *(\[\*\]|\w+) --> (\w+): ", diagram, re.MULTILINE))
    for row in tables(part)[0]:
        starts, (end,) = names(row[0]), names(row[1])
        edges |= {(start, end) for start in (set(Status) if starts == [ANY] else starts) if start != end}
    return edges


def test_the_diagram_has_exactly_the_transitions_of_the_code() -> None:
    assert drawn() == {(start, str(end)) for start, end in decided()}


def test_every_arrow_has_a_reason() -> None:
    (diagram,) = blocks(section(document("docs/reliability.md"), "States"), "mermaid")
    arrows = [line for line in diagram.splitlines() if "-->" in line]
    assert arrows
    assert all(re.fullmatch(r" +\S+ --> \S+: \S.*", line) for line in arrows)

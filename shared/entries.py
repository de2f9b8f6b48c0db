"""Entries of the library, read from rows: a document in a listing, a line, counts, and rows that cannot be read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from shared.document import Document, from_row
from shared.keys import document_key
from shared.storage.rows import stored_time

TROUBLE = "trouble"
"""The status of a row that the app cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A document's row that the app cannot read, because a person or another program has edited it."""

    name: str
    error_code: str
    error_message: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A document in a listing. ``status`` is a Status, or TROUBLE.

    A listing of one status comes from the worklist (but for succeeded and ignored). It has only the name, the status,
    ``uploaded_at``, ``due_at``, the code and the advice.
    """

    name: str
    status: str
    page_count: int | None = None
    line_count: int | None = None
    word_count: int | None = None
    uploaded_at: datetime | None = None
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    due_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    advice: str | None = None
    warning: str | None = None
    language: str | None = None

    @classmethod
    def of(cls, document: "Document | Trouble") -> "Summary":
        """The summary of a document whose whole row was read."""
        if isinstance(document, Trouble):
            return cls(
                name=document.name,
                status=TROUBLE,
                error_code=document.error_code,
                error_message=document.error_message,
                advice=document.advice,
            )
        return cls(**{field.name: getattr(document, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many documents have which status."""

    by_status: Mapping[str, int]
    """For every Status, and for TROUBLE, which counts rows without a known status. Listings check the other columns."""
    waiting: Mapping[str, int]
    """How many documents wait for which ErrorCode; "" if a row has none."""
    due_at: datetime | None
    """When the next of the waiting documents is tried again."""
    complete: bool = True
    """False if counting stopped at ``most`` documents."""

    @property
    def files(self) -> int:
        """The number of all documents."""
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """A row of the lines table. ``bounding_box`` is x1, y1 … x4, y4 in ``unit``."""

    page: int
    line: int
    text: str
    bounding_box: tuple[float, ...] | None = None
    unit: str | None = None
    confidence: float | None = None
    handwritten: bool | None = None
    language: str | None = None


def document_of(row: Mapping[str, Any]) -> Document | Trouble:
    """The document of a row, or what is wrong with it."""
    document = from_row(row, row.get("etag"), name_of(row))
    if document.error_code != "RowEdited":
        return document
    return Trouble(
        name=document.name,
        error_code=document.error_code,
        error_message=document.error_message or "",
        advice=document.advice or "",
    )


def worklist_entry(entry: Mapping[str, Any]) -> Summary:
    """The summary of a worklist entry. Only its key is needed, so a damaged entry has a summary too."""

    def text(column: str) -> str | None:
        return value if isinstance(value := entry.get(column), str) else None

    return Summary(
        name=name_of(entry),
        status=text("Status") or TROUBLE,
        uploaded_at=stored_time(entry.get("Since")),
        due_at=stored_time(entry.get("DueAt")),
        error_code=text("ErrorCode"),
        advice=text("Advice"),
    )


def name_of(row: Mapping[str, Any]) -> str:
    """The document's name. If the column was edited, it comes from the key, unless the key was cut."""
    key = str(row["RowKey"]).removeprefix("!")
    name = row.get("Name")
    if isinstance(name, str) and document_key(name) == key:
        return name
    return key if re.search(r"~[0-9a-f]{64}\Z", key) else unquote(key.replace(":", "/").replace("=", "%"))


def line_of(row: Mapping[str, Any]) -> StoredLine:
    """The line of a row of the lines table. A box that was edited is left out."""
    page, _, line = row["RowKey"].partition("-")
    return StoredLine(
        page=int(page),
        line=int(line),
        text=str(row.get("Text", "")),
        bounding_box=_box(row.get("BoundingBox")),
        unit=row.get("Unit"),
        confidence=row.get("Confidence"),
        handwritten=row.get("Handwritten"),
        language=row.get("Language"),
    )


def is_page(row: Mapping[str, Any]) -> bool:
    """Whether a row is not a line's: it is a page's, or its key is not of the app's form."""
    page, _, line = row["RowKey"].partition("-")
    return not (page.isdecimal() and line.isdecimal() and int(line))


def _box(text: object) -> tuple[float, ...] | None:
    try:
        values = json.loads(text) if isinstance(text, str) else None
        return tuple(float(value) for value in values) if values else None
    except (ValueError, TypeError):
        return None

"""How documents are shown: to programs as JSON, to people as text."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from local.commands.store import Store
from shared.document import Document, Status


def print_json(value: Mapping[str, Any]) -> None:
    """One line; in ASCII where standard output could not write all characters."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not unicode), flush=True)


def document_json(store: Store, document: Document) -> dict[str, Any]:
    """A document, its text and its lines."""
    read = document.status is Status.SUCCEEDED
    return {
        "name": document.name,
        "status": str(document.status),
        "text": joined(store.text(document)) if read else None,
        "pageCount": document.page_count,
        "lines": [
            {
                "page": line["Page"],
                "line": line["Line"],
                "text": line["Text"],
                "boundingBox": json.loads(line.get("BoundingBox") or "null"),
            }
            for line in (store.lines(document) if read else ())
        ],
        "resultBlob": document.result_blob,
        "textBlob": document.text_blob,
        "error": {"code": document.error_code, "message": document.error_message, "advice": document.advice}
        if document.status is Status.FAILED
        else None,
    }


def joined(text_file: str) -> str:
    """The text of an output blob as the row has it: lines joined by a line feed, pages by an empty line."""
    return "\n\n".join(page.removesuffix("\n") for page in text_file.split("\f"))


def for_terminal(text: str) -> str:
    """Text without the control characters that would move a terminal's cursor or worse; tab and line feed stay."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", text)


def amount(number: int, noun: str) -> str:
    """``1 page``, ``3,000 pages``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """A number of bytes: ``512 bytes``, ``8.2 GB``."""
    for unit, bytes_ in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= max(1000, 0.99995 * bytes_):  # which would be shown as 1000.0 of the next smaller unit
            return f"{number / bytes_:.1f} {unit}"
    return amount(number, "byte")


def reason(code: str) -> str:
    """An ErrorCode in words: ``ReadUnavailable`` is ``read unavailable``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code).lower()


def state(document: Document, now: datetime) -> str:
    """How a document stands, why, and what to do. Times are shown in the time zone of ``now``."""
    message = for_terminal(document.error_message or "")
    match document.status:
        case Status.SUCCEEDED:
            size = f"{amount(document.page_count or 0, 'page')}, {amount(document.line_count or 0, 'line')}"
            return f"succeeded: {size}"
        case Status.FAILED:
            return f"failed ({document.error_code}): {message} {document.advice or ''}".rstrip()
        case Status.WAITING:
            look = f", next look {clock(document.due_at, now)}" if document.due_at else ""
            return f"waiting ({reason(document.error_code or '')}{look}): {message} {document.advice or ''}".rstrip()
        case Status.IGNORED:
            return f"ignored: {document.warning or ''}"
        case other:
            return str(other)


def by_status(counts: Mapping[str, int], waiting: str = "") -> str:
    """``3,000 files: 2,941 succeeded, 59 waiting``, and in brackets what there is to say of those that wait."""
    notes = {Status.WAITING: f" ({waiting})" if waiting else ""}
    parts = [f"{counts[status]:,} {status}{notes.get(status, '')}" for status in _ORDER if counts.get(status)]
    return f"{amount(sum(counts.values()), 'file')}{': ' if parts else ''}{', '.join(parts)}"


def waiting_note(waiting: Iterable[tuple[str | None, datetime | None]], now: datetime) -> str:
    """``throttled, next look 14:32``, given the ErrorCode and DueAt of each document that waits."""
    pairs = list(waiting)
    codes = Counter(reason(code) for code, _ in pairs if code)
    parts = [code if len(codes) == 1 else f"{number:,} {code}" for code, number in codes.most_common()]
    if due := min((due for _, due in pairs if due), default=None):
        parts.append(f"next look {clock(due, now)}")
    return ", ".join(parts)


def clock(time: datetime, now: datetime) -> str:
    """``14:32``, with the date if that is not today's, in the time zone of ``now``."""
    local = time.astimezone(now.tzinfo)
    return f"{local:%H:%M}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"


_ORDER = (Status.SUCCEEDED, Status.FAILED, Status.READING, Status.SUBMITTING, Status.WAITING, Status.IGNORED)

"""How things are shown: to programs as JSON, to people as text without terminal control characters."""

import json
import re
import sys
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.document import Document, Status
from shared.entries import TROUBLE
from shared.library import Library


def print_json(value: Mapping[str, Any]) -> None:
    """Print one line; in ASCII if standard output cannot write all characters."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not unicode), flush=True)


def document_json(library: Library, document: Document, page: int | None = None) -> dict[str, Any]:
    """A document, its text and its lines, or those of one page."""
    read = document.status is Status.SUCCEEDED
    text = None
    if read:
        text = joined("".join(library.text(document) if page is None else library.page_text(document, page)))
    return {
        "name": document.name,
        "status": str(document.status),
        "text": text,
        "pageCount": document.page_count,
        "lines": [
            {"page": line.page, "line": line.line, "text": line.text, "boundingBox": line.bounding_box}
            for line in library.each_line(document, page)
        ],
        "resultBlob": document.result_blob,
        "textBlob": document.text_blob,
        "error": {"code": document.error_code, "message": document.error_message, "advice": document.advice}
        if document.status is Status.FAILED
        else None,
    }


def joined(text_file: str) -> str:
    """An output blob's text as the row stores it: lines joined by a line feed, pages by an empty line."""
    return "\n\n".join(page.removesuffix("\n") for page in text_file.split("\f"))


def one_line(text: str) -> str:
    """A name, a code or a message on one line, for people.

    Characters that move the cursor, break the line or change the text's direction are shown as escapes: ``\\n``,
    ``\\u202e``. So no name can imitate a line of output, or another name.
    """
    return "".join(_escape(c) if unicodedata.category(c) in _ESCAPED and c not in _JOINERS else c for c in text)


def for_terminal(text: str) -> str:
    """A document's text for a terminal: line feeds and tabs as is, form feeds as empty lines, else as one_line."""
    return "".join(c if c in "\n\t" else "\n" if c == "\f" else one_line(c) for c in text)


_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories: controls, formats (bidi and zero-width marks), surrogates, line and paragraph separators."""

_JOINERS = "\u200c\u200d"
"""Zero-width joiners: Persian, Hindi and emoji need them, and they do not change the text's direction."""


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def amount(number: int, noun: str) -> str:
    """``1 page``, ``3,000 pages``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """A number of bytes: ``512 bytes``, ``8.2 GB``."""
    for unit, bytes_ in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= max(1000, 0.99995 * bytes_):  # 999,950 bytes would otherwise be shown as 1000.0 kB
            return f"{number / bytes_:.1f} {unit}"
    return amount(number, "byte")


def reason(code: str) -> str:
    """An ErrorCode in words: ``ReadUnavailable`` is ``read unavailable``."""
    return one_line(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code).lower())


def state(document: Document, now: datetime) -> str:
    """A document's status, the reason, and what to do. Times are shown in the time zone of ``now``."""
    message, advice = one_line(document.error_message or ""), one_line(document.advice or "")
    match document.status:
        case Status.SUCCEEDED:
            size = f"{amount(document.page_count or 0, 'page')}, {amount(document.line_count or 0, 'line')}"
            return f"succeeded: {size}"
        case Status.FAILED:
            return f"failed ({one_line(document.error_code or '')}): {message} {advice}".rstrip()
        case Status.WAITING:
            due = f", next try {clock(document.due_at, now)}" if document.due_at else ""
            return f"waiting ({reason(document.error_code or '')}{due}): {message} {advice}".rstrip()
        case Status.IGNORED:
            return f"ignored: {one_line(document.warning or '')}"
        case other:
            return str(other)


def by_status(counts: Mapping[str, int], waiting: str = "") -> str:
    """``3,000 files: 2,941 succeeded, 59 waiting``, with the note about waiting files in brackets."""
    notes: dict[str, str] = {Status.WAITING: f" ({waiting})" if waiting else ""}
    parts = [f"{counts[status]:,} {status}{notes.get(status, '')}" for status in _ORDER if counts.get(status)]
    return f"{amount(sum(counts.values()), 'file')}{': ' if parts else ''}{', '.join(parts)}"


def waiting_note(codes: Mapping[str, int], due_at: datetime | None, now: datetime) -> str:
    """``throttled, next try 14:32``, given how many documents wait for which ErrorCode, and when the first is due."""
    known = sorted(((code, number) for code, number in codes.items() if code), key=lambda pair: -pair[1])
    parts = [reason(code) if len(known) == 1 else f"{number:,} {reason(code)}" for code, number in known]
    if due_at:
        parts.append(f"next try {clock(due_at, now)}")
    return ", ".join(parts)


def clock(time: datetime, now: datetime) -> str:
    """``14:32``, with the date if it is not today, in the time zone of ``now``."""
    local = time.astimezone(now.tzinfo)
    return f"{local:%H:%M}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"


_ORDER = (
    Status.SUCCEEDED,
    Status.FAILED,
    Status.READING,
    Status.SUBMITTING,
    Status.WAITING,
    Status.IGNORED,
    TROUBLE,
)

"""Reads a Markdown file of this project for tests."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.document import Document, Status

ROOT = Path(__file__).parents[2]


def document(path: str) -> str:
    """The text of a file, by its path in the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The text under a heading, with its subsections. Raises AssertionError if there is no such heading."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.MULTILINE)
    assert found, f"no heading {heading!r}"
    end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE).search(text, found.end())
    return text[found.end() : end.start() if end else len(text)]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def tables(text: str) -> list[list[list[str]]]:
    """Every table as rows of cells, without its header."""
    found = re.findall(r"^\|.*\|\n\|[-| ]+\|\n((?:\|.*\|\n)*)", text, re.MULTILINE)
    return [[[cell.strip() for cell in row[1:-1].split("|")] for row in rows.splitlines()] for rows in found]


def names(cell: str) -> list[str]:
    """The texts set as code in a cell or a sentence."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes from headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> Iterator[str]:
    """The targets of all links that stay within the repository."""
    return (target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith(("https://", "http://")))


def commands(path: str) -> list[list[str]]:
    """The arguments of every ``python3 dev.py`` that a file's blocks show."""
    lines = [line for block in blocks(document(path), "bash") for line in block.splitlines()]
    return [shlex.split(line.split("dev.py", 1)[1], comments=True) for line in lines if "python3 dev.py" in line]


def full_document() -> Document:
    """A document with a value in every field."""
    values = {
        field.name: _example(str(field.type)) for field in fields(Document) if field.name not in ("status", "others")
    }
    return Document(**values, status=Status.FAILED)


def _example(annotation: str) -> Any:
    if "datetime" in annotation:
        return datetime(2026, 11, 22, tzinfo=UTC)
    return 1 if "int" in annotation or "bool" in annotation else "x"

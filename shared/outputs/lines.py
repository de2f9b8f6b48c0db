"""The rows of the lines table: one for the page itself, then one for each line."""

from collections.abc import Iterator
from typing import Any

from shared.read.result import Page
from shared.text import truncate

_LONGEST_NAME = 100
"""UTF-16 units of a unit's or a language's name. Read's names are short, and a row holds 1 MiB."""


def rows_of(page: Page, document_name: str, offset: int, length: int) -> Iterator[dict[str, Any]]:
    """A page's rows without their PartitionKey, in the order of their keys.

    ``offset`` and ``length`` are where the page's line is in the pages blob, in bytes.
    """
    yield _known(
        {
            "RowKey": f"{page.number:05}-00000",
            "Name": document_name,
            "Page": page.number,
            "Width": page.width,
            "Height": page.height,
            "Unit": _short(page.unit),
            "Angle": page.angle,
            "Language": _short(page.language),
            "Offset": offset,
            "Length": length,
        }
    )
    for number, line in enumerate(page.lines, start=1):
        yield _known(
            {
                "RowKey": f"{page.number:05}-{number:05}",
                "Name": document_name,
                "Page": page.number,
                "Line": number,
                "Text": truncate(line.text),
                "BoundingBox": None if line.box is None else "[" + ",".join(f"{value:.6g}" for value in line.box) + "]",
                "Unit": _short(page.unit),
                "Confidence": line.confidence,
                "Handwritten": line.handwritten,
                "Language": _short(line.language or page.language),
            }
        )


def _short(name: str | None) -> str | None:
    return None if name is None else truncate(name, _LONGEST_NAME)


def _known(row: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in row.items() if value is not None}

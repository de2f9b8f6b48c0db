"""The pages blob: one page a line, as JSON, in the same shape for every generation of Read.

The row ``PPPPP-00000`` of the lines table says where a page's line begins, so one ranged read gets it.
"""

import json
from collections.abc import Mapping
from typing import Any

from shared.read.result import Box, Line, Page, Word


class PagesWriter:
    """See PageWriter."""

    extension = ".jsonl"
    content_type = "application/jsonl; charset=utf-8"

    def page(self, page: Page) -> bytes:
        """The page as a line of JSON, ended by a line feed."""
        return json.dumps(page_json(page), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def page_json(page: Page) -> dict[str, Any]:
    """A page in the shape of the pages blob. A value that Read does not give is null."""
    return {
        "page": page.number,
        "width": page.width,
        "height": page.height,
        "unit": page.unit,
        "angle": page.angle,
        "language": page.language,
        "text": page.text_file,
        "lines": [_line(line) for line in page.lines],
    }


def _line(line: Line) -> Mapping[str, Any]:
    return {
        "text": line.text,
        "box": _box(line.box),
        "confidence": line.confidence,
        "handwritten": line.handwritten,
        "language": line.language,
        "words": [_word(word) for word in line.words],
    }


def _word(word: Word) -> Mapping[str, Any]:
    return {"text": word.text, "box": _box(word.box), "confidence": word.confidence}


def _box(box: Box | None) -> list[float] | None:
    """Six significant digits, as in the lines table: a tenth of a pixel on the largest page."""
    return None if box is None else [float(value) for value in ("%.6g " * len(box) % box).split()]

"""A result of Read in one shape for every generation: document, page, line, word."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import fsum

from shared.read.json_walk import Answer
from shared.text import TEXT_LIMIT

Box = tuple[float, ...]
"""Four points, clockwise from the text's own top left: x1, y1 … x4, y4, in the page's unit."""


class ResultNotUnderstood(Exception):
    """A result is JSON, but not in the form of its generation."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word. ``confidence`` is 0 to 1, or None where the generation gives none."""

    text: str
    box: Box | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line, its words in order."""

    text: str
    box: Box | None
    words: tuple[Word, ...] = ()
    handwritten: bool | None = None
    language: str | None = None

    @property
    def confidence(self) -> float | None:
        """The mean of its words' confidences, or None where no word has one."""
        known = [word.confidence for word in self.words if word.confidence is not None]
        # Not sum(), which rounds differently since Python 3.12: outputs must be the same on every Python.
        return fsum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``angle`` is the clockwise turn of its text, in degrees within (-180, 180]."""

    number: int
    lines: tuple[Line, ...]
    width: float | None = None
    height: float | None = None
    unit: str | None = None
    angle: float | None = None
    language: str | None = None

    @property
    def text_file(self) -> str:
        """Each line ended by a line feed."""
        return "".join(f"{line.text}\n" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Result:
    """A document's pages, and what else Read says about the document.

    ``pages`` yields one page at a time, so that a document need not fit into memory. May raise ResultNotUnderstood.
    """

    pages: Callable[[Answer], Iterator[Page]]
    """Takes the same answer that this result was parsed from."""
    model_version: str | None = None
    warnings: tuple[str, ...] = ()
    """What went wrong, according to Read, although the operation succeeded."""


class Summary:
    """The counts, the text and the main language of a document, collected page by page."""

    def __init__(self) -> None:
        self.page_count = self.line_count = self.word_count = 0
        self._texts: list[str] = []
        self._kept = 0
        self._lines_in: dict[str, int] = {}

    def add(self, page: Page) -> None:
        """Count the next page."""
        if self._kept <= TEXT_LIMIT + 2:
            text = "\n".join(line.text for line in page.lines)
            self._texts.append(text)
            self._kept += len(text) + 2
        self.page_count += 1
        self.line_count += len(page.lines)
        for line in page.lines:
            self.word_count += len(line.words)
            if language := line.language or page.language:
                self._lines_in[language] = self._lines_in.get(language, 0) + 1
        if not page.lines and page.language:
            self._lines_in.setdefault(page.language, 0)

    @property
    def text(self) -> str:
        """Lines joined by a line feed, pages by an empty line. After TEXT_LIMIT, pages are left out."""
        return "\n\n".join(self._texts)

    @property
    def language(self) -> str | None:
        """The language of most lines, as far as Read says."""
        return max(self._lines_in, key=lambda language: self._lines_in[language], default=None)

"""What Read reads, in one shape for every generation: document, page, line, word."""

from collections.abc import Iterable
from dataclasses import dataclass

Box = tuple[float, ...]
"""Four points, clockwise from the text's own top left: x1, y1 … x4, y4, in the page's unit."""


class ResultNotUnderstood(Exception):
    """A result is JSON, but not of the shape that its generation answers with."""


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
        return sum(known) / len(known) if known else None


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


@dataclass(frozen=True, slots=True)
class Result:
    """All pages of a document, and what Read says went wrong although it succeeded."""

    pages: tuple[Page, ...]
    model_version: str | None = None
    language: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def line_count(self) -> int:
        """Lines of all pages."""
        return sum(len(page.lines) for page in self.pages)

    @property
    def word_count(self) -> int:
        """Words of all pages."""
        return sum(len(line.words) for page in self.pages for line in page.lines)

    @property
    def text(self) -> str:
        """Lines joined by a line feed, pages by an empty line."""
        return "\n\n".join("\n".join(line.text for line in page.lines) for page in self.pages)

    @property
    def text_file(self) -> str:
        """Each line ended by a line feed, pages parted by a form feed."""
        return "\f".join("".join(f"{line.text}\n" for line in page.lines) for page in self.pages)


def main_language(pages: Iterable[Page]) -> str | None:
    """The language that most lines are in, as far as Read says."""
    counts: dict[str, int] = {}
    for page in pages:
        for line in page.lines:
            if language := line.language or page.language:
                counts[language] = counts.get(language, 0) + 1
        if not page.lines and page.language:
            counts.setdefault(page.language, 0)
    return max(counts, key=lambda language: counts[language], default=None)

"""Parses the answers of Document Intelligence's prebuilt-read.

Its lines do not hold their words, handwriting and language. Spans join them: offsets and lengths in ``content``. All
spans of an answer use the same string index, so they can be compared as they are.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.read import json_shapes as shapes
from shared.read.json_walk import Answer, Path, elements, outline
from shared.read.result import Box, Line, Page, Result, Word
from shared.text import utf16_units

Span = tuple[int, int]
"""Start and end in ``content``, counted in the answer's string index."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that becomes a line: one of Read's lines, a paragraph, or a line of ``content``."""

    text: str
    spans: list[Span]
    box: Box | None = None
    page: int | None = None
    """The number of its page, if the answer says so."""


_PAGES, _PARAGRAPHS, _STYLES, _LANGUAGES, _WARNINGS, _CONTENT = (
    ("analyzeResult", name) for name in ("pages", "paragraphs", "styles", "languages", "warnings", "content")
)
_WITHOUT_CONTENT = (_CONTENT,)
"""``content`` repeats the whole text as one string, which is skipped."""

_NOWHERE = 2**40
"""Longer than any content."""


def parse_analyze_result(answer: Answer) -> Result:
    """Pages and lines. If no page has a line, as with Office files and HTML, paragraphs become lines without a box.

    If there are no paragraphs either, ``content`` is split at its line feeds.
    """
    handwriting = _Region()
    languages: dict[str, _Region] = {}
    warnings: list[object] = []
    has_lines = False

    def see_page(value: object) -> None:
        nonlocal has_lines
        has_lines = has_lines or bool(shapes.optional_objects(shapes.is_object(value, "pages"), "lines"))

    def see_style(value: object) -> None:
        style = shapes.is_object(value, "styles")
        if style.get("isHandwritten") is True:
            handwriting.add(_spans(style))

    def see_language(value: object) -> None:
        language = shapes.is_object(value, "languages")
        languages.setdefault(shapes.text(language, "locale"), _Region()).add(_spans(language))

    takers: dict[Path, Callable[[Any], None]] = {
        _PAGES: see_page,
        _STYLES: see_style,
        _LANGUAGES: see_language,
        _WARNINGS: warnings.append,
    }
    analyzed = shapes.mapping(outline(answer.parts(_WITHOUT_CONTENT), takers), "analyzeResult")
    shapes.objects(analyzed, "pages")
    for name in ("styles", "languages"):
        shapes.optional_objects(analyzed, name)
    says_handwritten = analyzed.get("styles") is not None

    def line(text: _Text, words: tuple[Word, ...]) -> Line:
        return Line(
            text=text.text,
            box=text.box,
            words=words,
            handwritten=handwriting.covers_most_of(text.spans) if says_handwritten else None,
            language=_main_locale(languages, text.spans),
        )

    def pages(stored: Answer) -> Iterator[Page]:
        placed = None if has_lines else _loose_texts(stored, analyzed)
        numbers = shapes.PageNumbers()
        # If there are texts but no page, they are put on one page.
        nowhere: list[Mapping[str, Any]] = [{}] if placed and not _count(stored) else []
        for position, page in enumerate(nowhere or _page_objects(stored)):
            if placed is None:
                texts = [_line(each) for each in shapes.optional_objects(page, "lines")]
            else:
                texts = placed.get(position, [])
            yield Page(
                number=numbers.next(page.get("pageNumber")),
                lines=tuple(line(text, words) for text, words in zip(texts, _words(page, texts), strict=True)),
                width=shapes.number(page.get("width")),
                height=shapes.number(page.get("height")),
                unit=shapes.optional_text(page, "unit"),
                angle=shapes.number(page.get("angle")),
            )

    return Result(pages=pages, warnings=shapes.complaints(warnings))


def _loose_texts(answer: Answer, analyzed: Mapping[str, Any]) -> dict[int, list[_Text]]:
    """The texts of an answer whose pages have no lines, by the position of their page. All of them are in memory."""
    numbers = shapes.PageNumbers()
    starts: list[tuple[int, int]] = []
    position_of: dict[int, int] = {}
    for position, page in enumerate(_page_objects(answer)):
        position_of[numbers.next(page.get("pageNumber"))] = position
        starts.extend((start, position) for start, _ in _spans(page)[:1])
    shapes.optional_objects(analyzed, "paragraphs")
    loose = [
        _paragraph(shapes.is_object(each, "paragraphs")) for each in elements(answer, _PARAGRAPHS, _WITHOUT_CONTENT)
    ]
    return _placed(loose or _lines_of_content(answer, analyzed), position_of, sorted(starts))


def _page_objects(answer: Answer) -> Iterator[Mapping[str, Any]]:
    return (shapes.is_object(page, "pages") for page in elements(answer, _PAGES, _WITHOUT_CONTENT))


def _count(answer: Answer) -> int:
    return sum(1 for _ in elements(answer, _PAGES, _WITHOUT_CONTENT))


def _line(line: Mapping[str, Any]) -> _Text:
    return _Text(shapes.text(line, "content"), _spans(line), shapes.box(line.get("polygon")))


def _paragraph(paragraph: Mapping[str, Any]) -> _Text:
    regions = paragraph.get("boundingRegions")
    region = regions[0] if isinstance(regions, list) and regions and isinstance(regions[0], Mapping) else {}
    page = region.get("pageNumber")
    return _Text(shapes.text(paragraph, "content"), _spans(paragraph), page=page if isinstance(page, int) else None)


def _lines_of_content(answer: Answer, analyzed: Mapping[str, Any]) -> list[_Text]:
    """The lines of ``content``.

    Their spans are counted in code points, or in UTF-16 units if the answer uses those. The service's default are
    grapheme clusters: an emoji or an accent counts differently then, which moves a word by one line at most.
    """
    length = utf16_units if analyzed.get("stringIndexType") == "utf16CodeUnit" else len
    content = {"content": next((value for path, value in answer.parts() if path == _CONTENT), None)}
    lines = []
    offset = 0
    for line in (shapes.optional_text(content, "content") or "").split("\n"):
        end = offset + length(line + "\n")
        if line.strip():
            lines.append(_Text(line.removesuffix("\r"), [(offset, end - 1)]))
        offset = end
    return lines


def _placed(
    texts: list[_Text], position_of: Mapping[int, int], starts: list[tuple[int, int]]
) -> dict[int, list[_Text]]:
    """The texts of each page, by the page number of a text, else by its spans, else on the first page."""
    placed: dict[int, list[_Text]] = {}
    for text in texts:
        position = position_of.get(text.page or 0)
        if position is None and text.spans and starts:
            position = starts[max(0, bisect_right(starts, (text.spans[0][0], len(position_of))) - 1)][1]
        placed.setdefault(position or 0, []).append(text)
    return placed


def _words(page: Mapping[str, Any], texts: list[_Text]) -> list[tuple[Word, ...]]:
    """The words of each text of a page. A word belongs to the first text that it overlaps."""
    found: list[list[Word]] = [[] for _ in texts]
    spans = sorted((span, position) for position, text in enumerate(texts) for span in text.spans)
    starts = [start for (start, _), _ in spans]
    for word in shapes.optional_objects(page, "words"):
        read = Word(
            text=shapes.text(word, "content"),
            box=shapes.box(word.get("polygon")),
            confidence=shapes.number(word.get("confidence")),
        )
        for start, end in _spans({"spans": [word.get("span")]}):
            nearest = max(0, bisect_right(starts, start) - 1)
            for (first, last), position in spans[nearest : nearest + 2]:
                if first < end and start < last:
                    found[position].append(read)
                    break
    return [tuple(words) for words in found]


class _Region:
    """A set of spans, in which overlaps count once. Arrays, since a document may have very many spans."""

    def __init__(self) -> None:
        self._starts, self._covered = array("q"), array("q")
        """For each part, where it begins, and the length of it and of all parts before it."""
        self._in_order = True

    def add(self, spans: Iterable[Span]) -> None:
        """Add spans. They usually come in order; if not, all of them are sorted at the first ``overlap``."""
        for start, end in spans:
            last = len(self._starts) - 1
            if last >= 0 and self._starts[last] <= start <= self._end(last):
                self._covered[last] += max(0, end - self._end(last))
                continue
            self._in_order = self._in_order and (last < 0 or self._starts[last] <= start)
            self._covered.append(self._before(last + 1) + end - start)
            self._starts.append(start)

    def overlap(self, spans: list[Span]) -> int:
        """The length of the spans within the region."""
        if not self._in_order:
            parts = sorted((start, self._end(part)) for part, start in enumerate(self._starts))
            del self._starts[:], self._covered[:]
            self._in_order = True
            self.add(parts)
        return sum(self._up_to(end) - self._up_to(start) for start, end in spans)

    def covers_most_of(self, spans: list[Span]) -> bool:
        """Whether at least half of the spans' length is within the region."""
        return self.overlap(spans) * 2 >= sum(end - start for start, end in spans) > 0

    def _up_to(self, offset: int) -> int:
        part = bisect_left(self._starts, offset) - 1
        return 0 if part < 0 else min(self._before(part) + offset - self._starts[part], self._covered[part])

    def _before(self, part: int) -> int:
        return self._covered[part - 1] if part else 0

    def _end(self, part: int) -> int:
        return self._starts[part] + self._covered[part] - self._before(part)


def _main_locale(languages: Mapping[str, _Region], spans: list[Span]) -> str | None:
    """The language of the largest part of a text."""
    overlaps = {locale: overlap for locale, region in languages.items() if (overlap := region.overlap(spans))}
    return max(overlaps, key=lambda locale: overlaps[locale], default=None)


def _spans(container: Mapping[str, Any]) -> list[Span]:
    """The valid spans of an object."""
    found = container.get("spans")
    return [
        (offset, offset + length)
        for span in (found if isinstance(found, list) else [])
        if isinstance(span, Mapping)
        and isinstance(offset := span.get("offset"), int)
        and isinstance(length := span.get("length"), int)
        and offset >= 0
        and length >= 0
        and offset + length < _NOWHERE
    ]

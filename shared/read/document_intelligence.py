"""How the answers of Document Intelligence's prebuilt-read become pages.

Its lines have no words, no handwriting and no language: all of that is joined by spans, which are offsets and lengths
in ``content``. All spans of an answer count in the same string index, so they are compared as they are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.read import json_shapes as shapes
from shared.read.result import Box, Line, Page, Result, Word, main_language
from shared.read.string_index import length_in

Span = tuple[int, int]
"""Start and end in ``content``, in the answer's string index."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What becomes a line: a line, a paragraph, or a line of the content."""

    text: str
    spans: list[Span]
    box: Box | None = None
    page: int | None = None
    """The number of the page that it says it is on."""


def parse_analyze_result(answer: Mapping[str, Any]) -> Result:
    """Pages and lines. Where no page has a line, as with Office files and HTML, paragraphs are lines without a box.

    Where there are no paragraphs either, the content is split at its line feeds.
    """
    analyzed = shapes.mapping(answer, "analyzeResult")
    pages = shapes.objects(analyzed, "pages")
    numbers = shapes.page_numbers(pages, "pageNumber")
    texts = [[_line(line) for line in shapes.optional_objects(page, "lines")] for page in pages]
    if not any(texts):
        loose = [_paragraph(each) for each in shapes.optional_objects(analyzed, "paragraphs")]
        loose = loose or _lines_of_content(analyzed)
        if loose and not pages:
            pages, numbers = [{}], [1]
        texts = _placed(loose, pages, numbers)
    handwriting = _handwriting(analyzed)
    languages = _languages(analyzed)
    read = tuple(
        Page(
            number=number,
            lines=tuple(
                Line(
                    text=text.text,
                    box=text.box,
                    words=words,
                    handwritten=None if handwriting is None else handwriting.covers_most_of(text.spans),
                    language=_main_locale(languages, text.spans),
                )
                for text, words in zip(on_page, _words(page, on_page), strict=True)
            ),
            width=shapes.number(page.get("width")),
            height=shapes.number(page.get("height")),
            unit=shapes.optional_text(page, "unit"),
            angle=shapes.number(page.get("angle")),
        )
        for page, number, on_page in zip(pages, numbers, texts, strict=True)
    )
    return Result(pages=read, language=main_language(read), warnings=shapes.complaints(analyzed, "warnings"))


def _line(line: Mapping[str, Any]) -> _Text:
    return _Text(shapes.text(line, "content"), _spans(line), shapes.box(line.get("polygon")))


def _paragraph(paragraph: Mapping[str, Any]) -> _Text:
    regions = paragraph.get("boundingRegions")
    region = regions[0] if isinstance(regions, list) and regions and isinstance(regions[0], Mapping) else {}
    page = region.get("pageNumber")
    return _Text(shapes.text(paragraph, "content"), _spans(paragraph), page=page if isinstance(page, int) else None)


def _lines_of_content(analyzed: Mapping[str, Any]) -> list[_Text]:
    length = length_in(shapes.optional_text(analyzed, "stringIndexType"))
    lines = []
    offset = 0
    for line in (shapes.optional_text(analyzed, "content") or "").split("\n"):
        end = offset + length(line + "\n")
        if line.strip():
            lines.append(_Text(line.removesuffix("\r"), [(offset, end - 1)]))
        offset = end
    return lines


def _placed(texts: list[_Text], pages: list[Mapping[str, Any]], numbers: list[int]) -> list[list[_Text]]:
    """For each page the texts on it: by the number that they state, else by their spans, else all on the first."""
    placed: list[list[_Text]] = [[] for _ in pages]
    position_of = {number: position for position, number in enumerate(numbers)}
    starts = sorted((start, position) for position, page in enumerate(pages) for start, _ in _spans(page)[:1])
    for text in texts:
        position = position_of.get(text.page or 0)
        if position is None and text.spans and starts:
            position = starts[max(0, bisect_right(starts, (text.spans[0][0], len(pages))) - 1)][1]
        placed[position or 0].append(text)
    return placed


def _words(page: Mapping[str, Any], texts: list[_Text]) -> list[tuple[Word, ...]]:
    """For each text of a page its words. A word belongs to one text, the first of those that it overlaps."""
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
    """Spans as one region of the content, overlaps counted once."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before: list[int] = []  # the length of all earlier parts
        total = 0
        for start, end in sorted(spans):
            if self._ends and start <= self._ends[-1]:
                total += max(0, end - self._ends[-1])
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)
                self._before.append(total)
                total += end - start

    def overlap(self, spans: list[Span]) -> int:
        """How much of the spans is in the region."""
        return sum(self._up_to(end) - self._up_to(start) for start, end in spans)

    def covers_most_of(self, spans: list[Span]) -> bool:
        """Whether at least half of the spans is in the region."""
        return self.overlap(spans) * 2 >= sum(end - start for start, end in spans) > 0

    def _up_to(self, offset: int) -> int:
        part = bisect_left(self._starts, offset) - 1
        return 0 if part < 0 else self._before[part] + min(offset, self._ends[part]) - self._starts[part]


def _handwriting(analyzed: Mapping[str, Any]) -> _Region | None:
    """Where the text is handwritten; None where the answer says nothing of styles."""
    if analyzed.get("styles") is None:
        return None
    styles = shapes.optional_objects(analyzed, "styles")
    return _Region(span for style in styles if style.get("isHandwritten") is True for span in _spans(style))


def _languages(analyzed: Mapping[str, Any]) -> dict[str, _Region]:
    spans: dict[str, list[Span]] = {}
    for language in shapes.optional_objects(analyzed, "languages"):
        spans.setdefault(shapes.text(language, "locale"), []).extend(_spans(language))
    return {locale: _Region(spans[locale]) for locale in spans}


def _main_locale(languages: Mapping[str, _Region], spans: list[Span]) -> str | None:
    """The language of the largest part of a text."""
    overlaps = {locale: overlap for locale, region in languages.items() if (overlap := region.overlap(spans))}
    return max(overlaps, key=lambda locale: overlaps[locale], default=None)


def _spans(container: Mapping[str, Any]) -> list[Span]:
    """Those of an object's spans that are some."""
    found = container.get("spans")
    return [
        (offset, offset + length)
        for span in (found if isinstance(found, list) else [])
        if isinstance(span, Mapping)
        and isinstance(offset := span.get("offset"), int)
        and isinstance(length := span.get("length"), int)
        and offset >= 0
        and length >= 0
    ]

"""How the answers of Computer Vision's Read become pages: ``readResults`` since v3.0, ``recognitionResults`` before."""

from collections.abc import Mapping
from typing import Any

from shared.read import json_shapes as shapes
from shared.read.result import Line, Page, Result, Word, main_language


def parse_read_results(answer: Mapping[str, Any]) -> Result:
    """v3.x. The service of March 2021 wrote ``model-version`` for ``modelVersion``; containers may write neither."""
    analyzed = shapes.mapping(answer, "analyzeResult")
    pages = _pages(shapes.objects(analyzed, "readResults"), angle_key="angle")
    return Result(
        pages=pages,
        model_version=shapes.optional_text(analyzed, "modelVersion", "model-version"),
        language=main_language(pages),
        warnings=shapes.complaints(analyzed, "errors"),
    )


def parse_recognition_results(answer: Mapping[str, Any]) -> Result:
    """v2.x: ``clockwiseOrientation`` within [0, 360) for the angle; a confidence is the word "Low" or missing: none.

    ``recognizeText`` answers with one page, as ``recognitionResult``.
    """
    single = answer.get("recognitionResult")
    found = [single] if isinstance(single, Mapping) else shapes.objects(answer, "recognitionResults")
    pages = _pages(found, angle_key="clockwiseOrientation")
    return Result(pages=pages, language=main_language(pages))


def _pages(found: list[Mapping[str, Any]], angle_key: str) -> tuple[Page, ...]:
    numbers = shapes.page_numbers(found, "page")
    return tuple(_page(page, number, angle_key) for page, number in zip(found, numbers, strict=True))


def _page(page: Mapping[str, Any], number: int, angle_key: str) -> Page:
    angle = shapes.number(page.get(angle_key))
    return Page(
        number=number,
        lines=tuple(_line(line) for line in shapes.optional_objects(page, "lines")),
        width=shapes.number(page.get("width")),
        height=shapes.number(page.get("height")),
        unit=shapes.optional_text(page, "unit"),
        angle=angle - 360 if angle is not None and angle > 180 else angle,
        language=shapes.optional_text(page, "language"),
    )


def _line(line: Mapping[str, Any]) -> Line:
    return Line(
        text=shapes.text(line, "text"),
        box=shapes.box(line.get("boundingBox")),
        words=tuple(_word(word) for word in shapes.optional_objects(line, "words")),
        handwritten=_handwritten(line),
        language=shapes.optional_text(line, "language"),
    )


def _word(word: Mapping[str, Any]) -> Word:
    return Word(
        text=shapes.text(word, "text"),
        box=shapes.box(word.get("boundingBox")),
        confidence=shapes.number(word.get("confidence")),
    )


def _handwritten(line: Mapping[str, Any]) -> bool | None:
    """``appearance.style`` is a text in v3.1-preview.2 and an object with a name in v3.2."""
    appearance = line.get("appearance")
    style = appearance.get("style") if isinstance(appearance, Mapping) else None
    name = style.get("name") if isinstance(style, Mapping) else style
    return name.casefold() == "handwriting" if isinstance(name, str) else None

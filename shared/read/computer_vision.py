"""Parses the answers of Computer Vision's Read: ``readResults`` since v3.0, ``recognitionResults`` before."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.read import json_shapes as shapes
from shared.read.json_walk import ELEMENT, Answer, Path, outline
from shared.read.result import Line, Page, Result, Word

_READ_RESULTS = ("analyzeResult", "readResults", ELEMENT)
_RECOGNITION_RESULTS = ("recognitionResults", ELEMENT)
_RECOGNITION_RESULT = ("recognitionResult",)


def parse_read_results(answer: Answer) -> Result:
    """v3.x. The service of March 2021 wrote ``model-version`` for ``modelVersion``; containers may write neither."""
    errors: list[object] = []
    analyzed = shapes.mapping(outline(answer.parts(), {("analyzeResult", "errors"): errors.append}), "analyzeResult")
    shapes.objects(analyzed, "readResults")
    return Result(
        pages=lambda stored: _pages(stored, _READ_RESULTS, angle_key="angle"),
        model_version=shapes.optional_text(analyzed, "modelVersion", "model-version"),
        warnings=shapes.complaints(errors),
    )


def parse_recognition_results(answer: Answer) -> Result:
    """v2.x. The angle is ``clockwiseOrientation``, within [0, 360). A confidence is the word "Low" or missing, so None.

    ``recognizeText`` answers with one page, as ``recognitionResult``.
    """
    kept = outline(answer.parts(), {})
    single = isinstance(kept.get("recognitionResult"), Mapping)
    if not single:
        shapes.objects(kept, "recognitionResults")
    path = _RECOGNITION_RESULT if single else _RECOGNITION_RESULTS
    return Result(pages=lambda stored: _pages(stored, path, angle_key="clockwiseOrientation"))


def _pages(answer: Answer, path: Path, angle_key: str) -> Iterator[Page]:
    numbers = shapes.PageNumbers()
    for where, value in answer.parts():
        if where == path:
            page = shapes.is_object(value, path[-2] if len(path) > 1 else path[0])
            yield _page(page, numbers.next(page.get("page")), angle_key)


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

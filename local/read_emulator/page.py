"""The engine's result, from which every generation makes its answer: pages, lines, words.

A box is eight numbers, x and y of four corners, clockwise from the corner where reading starts, in the page's unit.
Boxes, width and height are those of the page as given: a page on its side is not turned, and its angle says how far
the text is turned (recorded answer of v3.0 to a page turned by 90 degrees: openmpf/openmpf-components, eng-90deg).
"""

from dataclasses import dataclass
from typing import Literal

Box = tuple[float, float, float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or one character of Chinese or Japanese, which are written without spaces."""

    box: Box
    text: str
    confidence: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Line:
    """Words in a row, as a reader would see them as one line."""

    box: Box
    text: str
    words: tuple[Word, ...]
    handwritten: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page, in the unit of its document: inches for PDF, pixels for pictures."""

    number: int
    """From 1, in the document, also when only some pages were asked for."""
    angle: float
    """Clockwise turn of the text in degrees, at least -180 and less than 180."""
    width: float
    height: float
    unit: Literal["pixel", "inch"]
    lines: tuple[Line, ...]
    broken: bool = False
    """Whether it could not be decoded, so that only its size is known."""
    unknown_script: bool = False
    """Whether most of its text is in a script that the engine does not know, and so is nonsense."""


def is_cjk(character: str) -> bool:
    """Whether the character is of a script written without spaces: Han, kana, and their full-width punctuation."""
    return "\u3000" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff" or character >= "\uf900"

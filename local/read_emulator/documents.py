"""An opened file (opening.py): its pages, decoded one at a time, within Read's limits.

Runs in a decoder process (decoder.py), since a malicious file can crash a decoder, or keep it busy for hours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A picture of shape (height, width, 3), in OpenCV's order: blue, green, red."""

MIN_SIDE = 50

MAX_DECODED_PIXELS = 32_000_000
"""A picture with more pixels is reduced before it is read, so that one page takes some 100 MB. Read accepts up to three
times as many pixels; text that a detector can find in such a picture is still large enough."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a generation (docs/settings.md; sources in generations/)."""

    megabytes: int = 500
    side: int = 10_000
    """Pixels of a picture's longer side."""
    pages: int = 2_000
    """Further pages are ignored."""


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page as pixels, with its size in its own unit; the pixels may have another scale."""

    number: int
    pixels: Pixels
    width: float
    height: float
    unit: Literal["pixel", "inch"]
    expected: float
    """The direction in which its text should run, in degrees, by its EXIF orientation."""


class Document(ABC):
    """A file that Read accepts."""

    unit: Literal["pixel", "inch"]
    page_count: int

    @abstractmethod
    def page(self, number: int) -> PageImage:
        """Decode a page, from 1. Raises Unreadable."""

    @abstractmethod
    def searchable(self, texts: list[list[tuple[str, list[float]]]], numbers: list[int]) -> bytes:
        """A PDF of these pages, with the text of each in its place, invisible.

        Each text is a word and its box, eight numbers in the page's unit. Raises Unreadable.
        """

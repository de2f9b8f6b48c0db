"""What a file is once it is opened (opening.py): pages, decoded one at a time, within Read's limits.

Runs in a decoder process (decoder.py), since a file can be made to crash a decoder, or to keep it busy for hours.
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
"""A picture of more pixels is reduced before it is read, so that one page takes some 100 MB. Read takes pictures of up
to three times as many; text that a detector finds in one of those is large enough after it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a generation takes (README, "Versions of Read"; sources in generations/)."""

    megabytes: int = 500
    side: int = 10_000
    """Pixels of a picture's longer side."""
    pages: int = 2_000
    """Further pages are left out."""


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page as pixels, with its size in its own unit, to which the pixels may have another scale."""

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
        """A PDF of these pages, with the text of each in its place, unseen.

        Each text is a word and its box, eight numbers in the page's unit. Raises Unreadable.
        """

"""What is drawn, and how it fits the page that Read saw."""

import math
from dataclasses import dataclass

MOST_OUTPUT_PIXELS = 24_000_000
MOST_SOURCE_PIXELS = 110_000_000
"""Read takes 10,000 × 10,000."""


class NotDrawable(Exception):
    """There is no picture of this page. The text says why."""


@dataclass(frozen=True, slots=True)
class Job:
    """One page to draw, at most so many pixels wide. ``page_size`` is Read's, in whatever unit."""

    page: int
    width: int
    page_size: tuple[float, float]

    def fits(self, width: float, height: float) -> bool:
        """Whether a picture of this size has the page's shape, so that places on one are places on the other."""
        page_width, page_height = self.page_size
        one, other = width * page_height, height * page_width
        return min(one, other) > 0 and abs(one - other) <= 0.015 * max(one, other)

    def scale(self, width: float, height: float) -> float:
        """How much larger than this a picture is drawn."""
        return min(self.width / width, math.sqrt(MOST_OUTPUT_PIXELS / (width * height)))

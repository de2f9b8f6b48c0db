"""Which page to draw, and whether a picture has the shape of the page that Read saw."""

import math
from dataclasses import dataclass

MOST_OUTPUT_PIXELS = 24_000_000
MOST_SOURCE_PIXELS = 110_000_000
"""Read takes pictures of up to 10,000 × 10,000 pixels."""


class NotDrawable(Exception):
    """The page cannot be drawn. The text says why."""


@dataclass(frozen=True, slots=True)
class Job:
    """One page to draw, at most ``width`` pixels wide. ``page_size`` is what Read gives, in any unit."""

    page: int
    width: int
    page_size: tuple[float, float]

    def fits(self, width: float, height: float) -> bool:
        """Whether a picture of this size has the page's shape, so that Read's boxes fit it."""
        page_width, page_height = self.page_size
        one, other = width * page_height, height * page_width
        return min(one, other) > 0 and abs(one - other) <= 0.015 * max(one, other)

    def scale(self, width: float, height: float) -> float:
        """The factor by which to scale a picture of this size."""
        return min(self.width / width, math.sqrt(MOST_OUTPUT_PIXELS / (width * height)))

"""Turns boxes on a page into lines in reading order. Pure geometry: no pixels, no recognition.

A quad is an array of four corners, shape (4, 2), clockwise, in pixels, y downwards. A direction is the angle, in
degrees, in which text runs: 0 to the right, 90 downwards, -90 upwards.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from local.read_emulator.page import Box, Line, is_cjk

Quad = NDArray[np.float64]

ELONGATED = 1.5
"""A box this much longer than high shows by its shape which way its text runs; a squarer one does not."""

ALONG = 5.0
"""Degrees by which the detector's angle of a line may be wrong."""

ANGLE_SHOWS = 5.0
"""A line this much longer than high shows its angle by its ink."""

SLOPE = 0.5
"""A line that rises by more than this, in its heights, over its length is not straightened: it would overlap others."""

WHITE = 0.2
"""The part of a line above and below its ink, in heights of the ink; line heights below include it."""

SAME_LINE_GAP = 0.45
"""Boxes in a row are one line up to this gap, in line heights: a wide space between words, not between columns."""

PROSE_LEADING = 1.2
"""Lines closer than this, in line heights, are a block of text; further apart, they are rows of a form or table."""

PROSE_WIDTH = 5.0
"""A column of text is at least this wide, in line heights; a narrower one is a table's."""

PARAGRAPH_LEADING = 0.4
"""Lines closer than this, in line heights, may be one paragraph."""

SECTION_GAP = 2.0
"""White across the whole page, in line heights, that divides it before columns are searched."""


def box_of(quad: Quad) -> Box:
    """The quad as eight numbers."""
    x1, y1, x2, y2, x3, y3, x4, y4 = (float(number) for number in quad.ravel())
    return x1, y1, x2, y2, x3, y3, x4, y4


def quad_of(box: Box) -> Quad:
    """The box as four corners."""
    return np.array(box, dtype=np.float64).reshape(4, 2)


def scaled(box: Box, scale: float) -> Box:
    """The box in another unit."""
    return box_of(quad_of(box) * scale)


def turn_between(direction: float, other: float) -> float:
    """The turn from one direction to the other, at least -180 and less than 180."""
    return (other - direction + 180) % 360 - 180


def edge(quad: Quad, first: int) -> tuple[float, float]:
    """Length and direction of the edge that starts at a corner."""
    x, y = quad[(first + 1) % 4] - quad[first % 4]
    return float(np.hypot(x, y)), float(np.degrees(np.arctan2(y, x)))


def length(quad: Quad) -> float:
    """The length of the quad's long side."""
    return max(edge(quad, 0)[0], edge(quad, 1)[0])


def elongation(quad: Quad) -> tuple[float, float]:
    """How much longer than wide the quad is (at least 1), and the direction of its long side, -90 to 90."""
    (long, direction), (short, other) = edge(quad, 0), edge(quad, 1)
    if short > long:
        long, short, direction = short, long, other
    return long / max(short, 1.0), (direction + 90) % 180 - 90


def axis(quads: Iterable[Quad]) -> float | None:
    """The direction, -90 to 90, along which most of the page's text lies; None if no box shows one."""
    sides = [(elongation(quad), length(quad)) for quad in quads]
    directions = np.array([direction for (ratio, direction), _ in sides if ratio >= ELONGATED])
    if not directions.size:
        return None
    lengths = np.array([long for (ratio, _), long in sides if ratio >= ELONGATED])
    apart = np.abs((directions[:, None] - directions[None, :] + 90) % 180 - 90)
    centre = directions[int(np.argmax((apart < 5) @ lengths))]  # the one that most text agrees with
    near = np.abs((directions - centre + 90) % 180 - 90) < 5
    offsets = (directions[near] - centre + 90) % 180 - 90
    return float(centre + _weighted_median(offsets, lengths[near]))


def nearest(direction: float, along: float | None) -> float:
    """Of the two directions along an axis, the one closer to the given direction; without an axis, that direction."""
    if along is None:
        return direction
    return min(along, along + 180, key=lambda each: abs(turn_between(direction, each)))


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(values[order][half])


def is_along(quad: Quad, along: float) -> bool:
    """Whether the quad is a line long enough for its ink to show its angle, and lies roughly along this axis."""
    ratio, own = elongation(quad)
    return ratio >= ANGLE_SHOWS and abs((own - along + 90) % 180 - 90) < ALONG


def framed(quad: Quad, along: float) -> Quad:
    """The rectangle along this axis around the quad; the quad itself if its shape shows another direction."""
    ratio, own = elongation(quad)
    off = abs((own - along + 90) % 180 - 90)
    if ratio >= ELONGATED and (off > ALONG or np.sin(np.radians(off)) * ratio > SLOPE):
        return quad
    view = _view(along)
    corners = quad @ view
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ view.T


def starting_where_read(quad: Quad, direction: float) -> Quad:
    """The same quad, with its corners counted from where reading starts if text runs in this direction."""
    nearest = min(range(4), key=lambda corner: abs(turn_between(edge(quad, corner)[1], direction)))
    return np.roll(quad, -nearest, axis=0)


def quarters(direction: float) -> int:
    """How many quarter turns counter-clockwise bring text of this direction closest to running rightwards."""
    return round(direction / 90) % 4


def turned_back(quad: Quad, quarters: int, width: int, height: int) -> Quad:
    """The position, in a picture of this size, of a quad found after this many quarter turns counter-clockwise."""
    x, y = np.asarray(quad, dtype=np.float64).T
    match quarters:
        case 1:
            x, y = width - y, x
        case 2:
            x, y = width - x, height - y
        case 3:
            x, y = y, height - x
    return np.stack([x, y], axis=1)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line, and its bounds in the reader's view: the page turned so that text runs to the right."""

    line: Line
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def arrange(lines: Iterable[Line], direction: float, *, columns: bool = False) -> list[Line]:
    """The lines in reading order, the parts of one line joined.

    From top to bottom and left to right, which is Read's `basic` order; with columns, each column of text to its end
    before the next, which is its `natural` order. Rows of forms and tables are read across in both.
    """
    placed = _placed(lines, direction)
    joined = [part for row in _rows(placed) for part in _joined(row)]
    ordered = _in_columns(joined) if columns else (part for row in _rows(joined) for part in row)
    return [part.line for part in ordered]


def paragraphs(lines: Iterable[Line], direction: float) -> list[list[Line]]:
    """Lines in reading order as paragraphs: close, of one height, and all but the last as wide as the paragraph."""
    found: list[list[_Placed]] = []
    for part in _placed(lines, direction):
        last = found[-1][-1] if found else None
        if (
            last
            and abs(part.top - last.bottom) < PARAGRAPH_LEADING * last.height
            and abs(part.height - last.height) < 0.3 * last.height
            and abs(part.left - last.left) < 2 * last.height
            and last.right > max(each.right for each in [*found[-1], part]) - 4 * last.height
        ):
            found[-1].append(part)
        else:
            found.append([part])
    return [[part.line for part in paragraph] for paragraph in found]


def around(lines: Iterable[Line], direction: float) -> Box:
    """The smallest box in this direction that contains the lines."""
    view = _view(direction)
    corners = np.concatenate([quad_of(line.box) for line in lines]) @ view
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return box_of(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ view.T)


def _view(direction: float) -> NDArray[np.float64]:
    """Maps points to the reader's view: x along the text, y across it."""
    radians = np.radians(direction)
    return np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])


def _placed(lines: Iterable[Line], direction: float) -> list[_Placed]:
    view = _view(direction)
    placed = []
    for line in lines:
        x, y = (quad_of(line.box) @ view).T
        # the middles of the long sides: corners would make a slightly tilted long line look high
        top, bottom = sorted(((y[0] + y[1]) / 2, (y[2] + y[3]) / 2))
        white = WHITE * float(bottom - top)
        placed.append(_Placed(line, float(x.min()), float(x.max()), float(top) - white, float(bottom) + white))
    return placed


def _rows(placed: Iterable[_Placed]) -> Iterator[list[_Placed]]:
    """Groups at one height, each from left to right."""
    row: list[_Placed] = []
    for part in sorted(placed, key=lambda part: part.middle):
        if row and part.middle - row[0].middle > min(part.height, row[0].height) / 2:
            yield sorted(row, key=lambda part: part.left)
            row = []
        row.append(part)
    if row:
        yield sorted(row, key=lambda part: part.left)


def _joined(row: list[_Placed]) -> Iterator[_Placed]:
    last = row[0]
    for part in row[1:]:
        small, large = sorted((last.height, part.height))
        if part.left - last.right < SAME_LINE_GAP * small and large < 2 * small:
            last = _Placed(
                _join(last.line, part.line),
                last.left,
                max(last.right, part.right),
                min(last.top, part.top),
                max(last.bottom, part.bottom),
            )
        else:
            yield last
            last = part
    yield last


def _join(left: Line, right: Line) -> Line:
    space = "" if is_cjk(left.text[-1]) and is_cjk(right.text[0]) else " "
    return Line(
        box=(*left.box[:2], *right.box[2:6], *left.box[6:]),
        text=f"{left.text}{space}{right.text}",
        words=left.words + right.words,
    )


def _in_columns(placed: Sequence[_Placed]) -> Iterator[_Placed]:
    """Order by cutting the page along its white: wide white across it, then between columns, then any across it."""
    if len(placed) < 2:
        yield from placed
        return
    height = median(part.height for part in placed)
    across = _widest_gap([(part.top, part.bottom) for part in placed])
    between = None if across and across[0] >= SECTION_GAP * height else _column_gap(placed)
    if between:
        yield from _in_columns([part for part in placed if part.right <= between])
        yield from _in_columns([part for part in placed if part.right > between])
    elif across and across[0] > 0:
        yield from _in_columns([part for part in placed if part.bottom <= across[1]])
        yield from _in_columns([part for part in placed if part.bottom > across[1]])
    else:
        for row in _rows(placed):
            yield from row


def _column_gap(placed: Sequence[_Placed]) -> float | None:
    """Where white runs down between two blocks of text, if it does."""
    gap = _widest_gap([(part.left, part.right) for part in placed])
    if gap is None or gap[0] <= 0:
        return None
    sides = [part for part in placed if part.right <= gap[1]], [part for part in placed if part.right > gap[1]]
    return gap[1] if all(_is_prose(side) for side in sides) else None


def _is_prose(placed: Sequence[_Placed]) -> bool:
    if len(placed) < 2:
        return False
    height = median(part.height for part in placed)
    leading = median(lower.top - upper.bottom for upper, lower in pairwise(sorted(placed, key=lambda part: part.top)))
    width = median(part.right - part.left for part in placed)
    return leading < PROSE_LEADING * height and width > PROSE_WIDTH * height


def _widest_gap(spans: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Width and start of the widest stretch that no span covers; negative widths if all overlap."""
    best: tuple[float, float] | None = None
    end = -float("inf")
    for start, stop in sorted(spans):
        if end > -float("inf") and (best is None or start - end > best[0]):
            best = start - end, end
        end = max(end, stop)
    return best

"""Where the ink is in a picture. It makes boxes fit the text, and gives a page's angle better than the detector."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from local.read_emulator.documents import Pixels

Mask = NDArray[np.bool_]

CONTRAST = 24
"""The least difference of grey levels between ink and paper; with less, they are not distinguished."""

MARGIN = 0.06
"""White above and below the ink that belongs to its box, in heights of the ink, as in the service's boxes."""

POINTS = 40_000
"""Pixels of ink that are used to find a page's angle."""

ENOUGH = 500
"""The fewest pixels of ink that show a page's angle."""

REACH = 3.0
"""Degrees around the detector's angle in which the true angle is searched."""

STEPS = (0.25, 0.05)
"""Steps in degrees: of the search, and of the finer search around its result."""

EXACT = 0.15
"""A page closer to upright than this counts as upright: its angle comes from the printer, not the scanner."""

AS_SHARP = 0.97
"""So does a page whose rows are nearly as sharp when upright: a line or two cannot show tenths of a degree."""

DETECTED_EXACT = 1.0
"""The same for pages with short lines only, whose angle the detector does not know better."""

STRIP = 2.5
"""A picture this much longer than wide, or wider than long, is taken for a line or two, or for a receipt."""

STANDING_PIXELS = 400_000
STANDING = 1.5
STRONGEST_EDGE = 60
"""Text seems to stand where, in a picture of so many pixels, columns differ so much more than rows in their edges, of
which the strongest, of photos and rules, count no more than a letter's. Upright pages have 0.2 to 1.3, pages on their
side 2 to 5 (measured)."""

RULE = 0.9
"""A column of ink over so much of a line's height, at its edge, is a table's rule and no letter."""

CELLS = 400
"""A page is divided into this many cells along its longer side to see where its ink is."""

JOINED = 5
"""Ink at most this many cells apart belongs together."""

LARGEST_ISLAND = 0.25
"""Share of a page: larger parts were already seen by the detector."""

FAINT = 0.12
"""A row with less than this share of the fullest row's ink is the tip of a neighbouring letter, or dirt."""


def is_blank(picture: Pixels) -> bool:
    """Whether nothing stands out from the picture's background."""
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return int(small.max(axis=(0, 1)).astype(int).max() - small.min(axis=(0, 1)).min()) < CONTRAST


def mask(picture: Pixels) -> Mask | None:
    """Which pixels of a cutting are ink: the class by Otsu that is rarer at its edge; None if contrast is low."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    _, light = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    above: Mask = np.asarray(light > 0)
    if not above.any() or above.all() or grey[above].mean() - grey[~above].mean() < CONTRAST:
        return None
    edge = np.concatenate([above[0], above[-1], above[:, 0], above[:, -1]])
    if edge.mean() > 0.5:
        above = np.invert(above)
    return above


def extent(found: Mask) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the line of text that runs through the middle of a cutting; None if none does."""
    height = len(found)
    columns = _without_rules(found)
    rows = columns.sum(axis=1)
    band = _band(rows > FAINT * rows.max(), max(1, round(0.08 * height))) if rows.max() else None
    if band is None:
        return None
    top, bottom = band
    there = np.nonzero(columns[top:bottom].any(axis=0))[0]
    margin = round(MARGIN * (bottom - top))
    top, bottom = max(0, top - margin), min(height, bottom + margin)
    return (int(there[0]), top, int(there[-1]) + 1, bottom) if there.size else None


def gaps(found: Mask) -> NDArray[np.bool_]:
    """Which columns of a line have no ink."""
    empty: NDArray[np.bool_] = np.asarray(~found.any(axis=0))
    return empty


def angle(pieces: Iterable[tuple[Mask, float, float]], along: float) -> float:
    """The angle, in degrees, at which the ink of the pieces (each at x, y) falls into the sharpest rows.

    `along` is the detector's angle.
    """
    upright = round(along / 90) * 90.0
    points = [np.argwhere(piece)[:, ::-1] + (x, y) for piece, x, y in pieces]
    ink = np.concatenate(points) if points else np.empty((0, 2))
    if len(ink) < ENOUGH:
        return upright if abs(along - upright) <= DETECTED_EXACT else along
    ink = ink[:: max(1, len(ink) // POINTS)]
    ink = ink - ink.mean(axis=0)
    best, reach = along, REACH
    for step in STEPS:
        tried = best + np.arange(-reach, reach + step / 2, step)
        tried = np.append(tried, upright) if abs(upright - best) <= reach else tried
        best = float(tried[int(np.argmax([_sharpness(ink, each) for each in tried]))])
        reach = step
    if abs(best - upright) <= EXACT or _sharpness(ink, upright) >= AS_SHARP * _sharpness(ink, best):
        return upright
    return best


def islands(picture: Pixels) -> list[tuple[int, int, int, int]]:
    """Isolated areas of ink, as left, top, right, bottom, with white around; the largest first.

    Specks are left out, and so are areas that fill much of the page, such as photos.
    """
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cell = max(4, max(half.shape) // CELLS)
    rows, columns = (side // cell for side in half.shape[:2])
    cells = half[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell, 3)
    contrast = cells.max(axis=(1, 3, 4)).astype(np.int16) - cells.min(axis=(1, 3, 4))
    joined = cv2.dilate((contrast >= CONTRAST).astype(np.uint8), np.ones((JOINED, JOINED), np.uint8))
    _, _, found, _ = cv2.connectedComponentsWithStats(joined)
    height, width = picture.shape[:2]
    scale, spread = 2 * cell, JOINED // 2
    boxes = []
    for left, top, across, down, _ in found[1:]:
        if max(across, down) - 2 * spread < 3 or across * down * scale**2 > LARGEST_ISLAND * width * height:
            continue
        margin = max(spread, (down - 2 * spread) // 2)
        boxes.append(
            (
                max(0, int(left - margin) * scale),
                max(0, int(top - margin) * scale),
                min(width, int(left + across + margin) * scale),
                min(height, int(top + down + margin) * scale),
            )
        )
    return sorted(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), reverse=True)


def stands(picture: Pixels) -> bool:
    """Whether lines of text seem to run up or down the picture: if so, its columns differ more than its rows."""
    height, width = picture.shape[:2]
    if max(height, width) > STRIP * min(height, width):  # too few lines to tell
        return False
    scale = min(1.0, (STANDING_PIXELS / (width * height)) ** 0.5)
    grey = cv2.cvtColor(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    edges = np.minimum(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), STRONGEST_EDGE)
    window = max(3, min(grey.shape) // 60)
    rows, columns = (_unevenness(edges.mean(axis=axis), window) for axis in (1, 0))
    return columns > STANDING * rows


def _unevenness(profile: NDArray[np.float32], window: int) -> float:
    smooth = np.convolve(profile, np.ones(window) / window, "valid")
    return float(np.abs(smooth[window:] - smooth[:-window]).mean()) if len(smooth) > window else 0.0


def _sharpness(ink: NDArray[np.float64], degrees: float) -> float:
    """The share of the ink that is in common rows, if text runs in this direction."""
    radians = np.radians(degrees)
    across = ink[:, 1] * np.cos(radians) - ink[:, 0] * np.sin(radians)
    rows = np.bincount(np.round(across - across.min()).astype(np.intp)).astype(np.float64)
    return float(np.square(rows).sum())


def _without_rules(found: Mask) -> Mask:
    """The ink without the rules of a table at either end, and without underlines that run from end to end."""
    kept = found.copy()
    width = found.shape[1]
    full = found.mean(axis=0) >= RULE
    margin = max(1, len(found) // 2)
    kept[:, :margin][:, full[:margin]] = False
    kept[:, width - margin :][:, full[width - margin :]] = False
    kept[found.mean(axis=1) >= RULE] = False
    return kept


def _band(rows: NDArray[np.bool_], bridge: int) -> tuple[int, int] | None:
    """The run of rows, with gaps of up to this size, that has the most rows near the middle."""
    runs: list[list[int]] = []
    for row in np.nonzero(rows)[0]:
        if runs and row - runs[-1][1] <= bridge:
            runs[-1][1] = int(row) + 1
        else:
            runs.append([int(row), int(row) + 1])
    if not runs:
        return None
    middle = len(rows) / 2
    start, end = max(runs, key=lambda run: (run[1] - run[0]) - abs((run[0] + run[1]) / 2 - middle) / 2)
    return start, end


def words_apart(empty: NDArray[np.bool_], centres: Sequence[tuple[float, float]]) -> list[tuple[int, int] | None]:
    """For each pair of adjacent words, the widest stretch without ink between their last and first letters."""
    found: list[tuple[int, int] | None] = []
    for before, after in centres:
        first, last = max(0, round(before)), min(len(empty), round(after) + 1)
        best: tuple[int, int] | None = None
        start = None
        for column in range(first, last + 1):
            if column < last and empty[column]:
                start = column if start is None else start
            elif start is not None:
                if best is None or column - start > best[1] - best[0]:
                    best = start, column
                start = None
        found.append(best)
    return found

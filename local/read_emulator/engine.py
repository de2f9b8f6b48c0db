"""The OCR engine: rapidocr's detector and recogniser (PP-OCRv6), and what a page needs around them.

rapidocr reads lines that run to the right; a page that lies on its side or upside down comes out as garbage. So the
direction of the text is found first, from the shape of the boxes and from how well their text reads each way, and
each box is cut out of the picture in that direction. Only those cuttings are turned, so every box stays in the
coordinates of the page as given, as the service reports them.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from statistics import fmean, median
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR

from local.read_emulator import ink, layout
from local.read_emulator.documents import PageImage, Pixels
from local.read_emulator.layout import Quad
from local.read_emulator.page import Box, Line, Page, Word, is_cjk

ENLARGED = 2.0
ENLARGED_PIXELS = 1_000_000
DETECTED_PIXELS = 2_400_000
DETECTED_SIDE = 736
"""For detection, the picture is enlarged until its shorter side has this many pixels (PaddleOCR's own value), by at
most the first factor and to at most the second number of pixels, or reduced to the third. Recognition uses the
original picture."""

LONG = 4.0
"""A picture this much longer than wide is split into pieces, so that its text is not reduced too far to be found."""

BLANK_ROWS = 0.15
"""How far from the end of a piece to search for a row without text, in lengths of a piece."""

MOST_ISLANDS = 8
"""The most isolated parts of a page for which detection runs again."""

READS_WELL = 0.9
"""Mean confidence of text cut out in the right direction; upside down it is 0.55 to 0.8 (measured)."""

LEGIBLE = 0.5
"""Lines with a lower confidence are texture, not text (rapidocr's own default)."""

NONSENSE = 0.88
NONSENSE_LINES = 3
"""A page with at least this many lines and a lower median confidence seems to be in a script that the engine does not
know: Arabic, Hebrew, Armenian have 0 to 0.87, handwriting and photos 0.95 and more (measured)."""

SPARSE = 0.4
"""The fewest letters of a line, per height of length, if the engine knows its script."""

ANGLE_LINES = 30
"""How many of the longest lines determine the text's angle."""

SAMPLE = 8
"""How many of the longest lines determine the text's direction."""

COLUMN_GAP = 1.2
"""Words further apart than this, in heights of their ink, are not one line: columns, a label and its value."""

SPACE = 5
"""The distance between two letters of different words (PaddleOCR's rule), in columns of 8 pixels of a line 48 pixels
high; in wide type, twice the line's usual distance."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a page: its direction in degrees, and its lines, unordered, in pixels."""

    direction: float
    lines: tuple[Line, ...]
    is_nonsense: bool = False
    """Whether most of it seems to be in a script that the engine does not know."""


@dataclass(frozen=True, slots=True)
class _Character:
    text: str
    confidence: float
    column: int
    """Where the recogniser saw it, in columns of 8 pixels of a line 48 pixels high."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the recogniser found in one cutting."""

    quad: Quad
    """Where it was cut out, from the corner where reading starts."""
    cutting: Pixels
    words: list[list[_Character]]
    text: str
    confidence: float
    columns: float
    """The width of the cutting."""


class Engine:
    """Loads the models when created, which takes a second or two; safe to use from several threads at once."""

    def __init__(self, threads: int | None = None) -> None:
        # One thread a line, rather than several a model run: measured 1.3 times faster, for a page alone and for two
        # at once. Lines are not batched, so that a line's text does not depend on its neighbours' lengths.
        self._threads = ThreadPoolExecutor(threads or min(os.cpu_count() or 1, 4), thread_name_prefix="recognise")
        self._ocr = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_preprocess_img": False,  # off, since they enlarge long pictures too much
                "Global.use_vertical_padding": False,
                "Det.box_thresh": 0.6,  # PaddleOCR's; at rapidocr's 0.5, lights in a photo read as 6
                "Det.limit_type": "max",
                "Det.limit_side_len": 1_000_000,
                "Global.use_cls": False,
                "Global.use_rec": False,
                "Global.return_word_box": True,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        blank = np.zeros((64, 64, 3), dtype=np.uint8)
        self._ocr(blank)  # rapidocr loads a model at its first use
        self._ocr.recognize_txt([blank])

    def read_page(self, image: PageImage, columns: bool) -> Page:
        """One page in its own unit, its lines in reading order."""
        reading = self.read(image.pixels, image.expected)
        scale = image.width / image.pixels.shape[1]
        lines = layout.arrange(reading.lines, reading.direction, columns=columns)
        return Page(
            image.number,
            reading.direction,
            image.width,
            image.height,
            image.unit,
            tuple(
                replace(
                    line,
                    box=layout.scaled(line.box, scale),
                    words=tuple(replace(word, box=layout.scaled(word.box, scale)) for word in line.words),
                )
                for line in lines
            ),
            unknown_script=reading.is_nonsense,
        )

    def read(self, picture: Pixels, expected: float = 0.0) -> Reading:
        """Find and recognise the text of one page; `expected` is its expected direction, if known."""
        if ink.is_blank(picture):
            return Reading(0.0, ())
        likely = expected + (90 if ink.stands(picture) != bool(layout.quarters(expected) % 2) else 0)
        quads = self._detect(picture, likely)
        if not quads:
            return Reading(0.0, ())
        direction, quads, seen = self._direction(picture, quads, expected)
        if (layout.quarters(direction) - layout.quarters(likely)) % 2:  # the detector misses upright lines
            quads, seen = self._detect(picture, direction), {}
            along = layout.axis(quads)
            if along is not None:
                along = self._straight(picture, quads, along)
                direction = layout.nearest(direction, along)
                quads = [layout.framed(quad, along) for quad in quads]
        found = list(
            self._threads.map(partial(self._lines, picture, direction), quads, map(seen.get, range(len(quads))))
        )
        lines = tuple(line for _, parts in found for line in parts)
        return Reading(layout.turn_between(0, direction), lines, _is_nonsense([confidence for confidence, _ in found]))

    def _detect(self, picture: Pixels, direction: float) -> list[Quad]:
        """Where text is, in the picture as given; the detector gets it turned so that the text runs to the right.

        On a nearly blank page the detector misses text, so it runs again on isolated lines, without the white around
        them.
        """
        quarters = layout.quarters(direction)
        quads = [
            quad + np.array([left, top])
            for piece, left, top in _pieces(picture)
            if not ink.is_blank(piece)
            for quad in self._detect_in(piece, quarters)
        ]
        centres = [quad.mean(axis=0) for quad in quads]
        alone = [
            (left, top, right, bottom)
            for left, top, right, bottom in ink.islands(picture)
            if not any(left <= x <= right and top <= y <= bottom for x, y in centres)
        ]
        for left, top, right, bottom in alone[:MOST_ISLANDS]:
            found = self._detect_in(picture[top:bottom, left:right], quarters)
            quads += [quad + np.array([left, top]) for quad in found]
        return quads

    def _detect_in(self, picture: Pixels, quarters: int) -> list[Quad]:
        height, width = picture.shape[:2]
        pixels = width * height
        larger = min(ENLARGED, DETECTED_SIDE / min(width, height), (ENLARGED_PIXELS / pixels) ** 0.5)
        scale = min(max(1.0, larger), (DETECTED_PIXELS / pixels) ** 0.5)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=interpolation)
        output: Any = self._ocr(np.ascontiguousarray(np.rot90(seen, quarters)))
        if output.boxes is None:
            return []
        boxes = [np.asarray(box, dtype=np.float64) / scale for box in output.boxes]
        return [layout.turned_back(box, quarters, width, height) for box in boxes]

    def _straight(self, picture: Pixels, quads: Sequence[Quad], along: float) -> float:
        """The axis of the page's text by its ink, close to the axis of its boxes."""
        pieces = []
        height, width = picture.shape[:2]
        for quad in sorted(quads, key=layout.length, reverse=True)[:ANGLE_LINES]:
            if not layout.is_along(quad, along):
                continue
            left, top = np.maximum(np.floor(quad.min(axis=0)), 0).astype(int)
            right, bottom = np.minimum(np.ceil(quad.max(axis=0)), (width, height)).astype(int)
            if (
                right - left > 1
                and bottom - top > 1
                and (found := ink.mask(picture[top:bottom, left:right])) is not None
            ):
                pieces.append((found, float(left), float(top)))
        return ink.angle(pieces, along)

    def _direction(
        self, picture: Pixels, quads: Sequence[Quad], expected: float
    ) -> tuple[float, list[Quad], dict[int, "_Seen"]]:
        """The direction of the page's text, which is the one along its boxes that reads best; the boxes straightened to
        it; and what was read in them, by their number.
        """
        along = layout.axis(quads)
        if along is not None:
            along = self._straight(picture, quads, along)
            quads = [layout.framed(quad, along) for quad in quads]
        sample = sorted(range(len(quads)), key=lambda n: layout.length(quads[n]), reverse=True)[:SAMPLE]

        def read(direction: float) -> tuple[float, dict[int, _Seen]]:
            seen = list(self._threads.map(lambda n: self._recognise(picture, quads[n], direction), sample))
            return fmean(each.confidence for each in seen), dict(zip(sample, seen, strict=True))

        def nearest(directions: Iterable[float]) -> list[float]:
            return sorted(directions, key=lambda each: abs(layout.turn_between(expected, each)))

        likely = nearest([along, along + 180] if along is not None else [0, 90, 180, -90])
        found = []
        for direction in likely:
            legibility, seen = read(direction)
            found.append((legibility, direction, seen))
            if legibility >= READS_WELL:
                return direction, list(quads), seen
        if along is not None:  # boxes can mislead: a column of single tall digits is not a line
            for direction in nearest([along + 90, along - 90]):
                legibility, seen = read(direction)
                if legibility >= READS_WELL:
                    return direction, list(quads), seen
        _, direction, seen = max(found, key=lambda each: each[0])
        return direction, list(quads), seen

    def _lines(self, picture: Pixels, direction: float, quad: Quad, seen: "_Seen | None") -> tuple[float, list[Line]]:
        """The text and confidence of one box; if its shape shows that it runs across the page, it is read in its own
        direction.
        """
        ratio, along = layout.elongation(quad)
        across = 45 < abs(layout.turn_between(direction, along)) < 135 and ratio >= layout.ELONGATED
        found = [seen or self._recognise(picture, quad, direction)]
        if across:
            found += [self._recognise(picture, quad, each) for each in (along, along + 180)]
        best = max(found, key=lambda each: each.confidence)
        height, width = best.cutting.shape[:2]
        letters = len(best.text.replace(" ", ""))
        return best.confidence if letters >= SPARSE * width / height else 0.0, _lines(best)

    def _recognise(self, picture: Pixels, quad: Quad, direction: float) -> "_Seen":
        quad = layout.starting_where_read(quad, direction)
        cutting = _cut(picture, quad)
        output: Any = self._ocr.recognize_txt([cutting])
        text, info = output.txts[0], output.word_results[0]
        places = [column for word in info.word_cols for column in word]  # of all but the spaces
        gap = max(SPACE, 2 * median([after - before for before, after in pairwise(places)] or [0]))
        columns = iter(places)
        words: list[list[_Character]] = []
        spaced = ""
        apart = True
        for symbol, confidence in zip(text, info.confs, strict=False):
            if symbol.isspace():
                apart = True
                continue
            character = _Character(symbol, confidence, next(columns))
            last = words[-1][-1] if words else None
            apart = apart or (last is not None and character.column - last.column > gap and not is_cjk(symbol))
            if last and not apart and not is_cjk(symbol) and not is_cjk(last.text):
                words[-1].append(character)
            else:
                words.append([character])
            spaced += f" {symbol}" if apart and spaced else symbol
            apart = False
        return _Seen(quad, cutting, words, spaced, fmean(info.confs), info.line_txt_len)


def _cut(picture: Pixels, quad: Quad) -> Pixels:
    """The quad's part of the picture, with its first edge on top."""
    width = max(1, round(max(layout.edge(quad, 0)[0], layout.edge(quad, 2)[0])))
    height = max(1, round(max(layout.edge(quad, 1)[0], layout.edge(quad, 3)[0])))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    transform = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    cutting = cv2.warpPerspective(
        picture, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Pixels, cutting)


def _lines(seen: _Seen) -> list[Line]:
    """The text with its words' boxes, each as large as its ink: one line, or several if wide white separates them."""
    if not seen.text or seen.confidence < LEGIBLE:
        return []
    height, width = seen.cutting.shape[:2]
    scale = width / seen.columns
    found = ink.mask(seen.cutting)
    whole = (0, 0, width, height)
    left, top, right, bottom = whole if found is None else ink.extent(found) or whole
    centres = [((word[0].column + 0.5) * scale, (word[-1].column + 0.5) * scale) for word in seen.words]
    left, right = min(left, round(centres[0][0])), max(right, round(centres[-1][1]))
    empty = np.zeros(width, dtype=np.bool_) if found is None else ink.gaps(found[top:bottom])
    pairs = [(before[1], after[0]) for before, after in pairwise(centres)]
    white = ink.words_apart(empty, pairs)
    seams = [gap or (sum(pair) / 2, sum(pair) / 2) for gap, pair in zip(white, pairs, strict=True)]
    starts, ends = [left, *(seam[1] for seam in seams)], [*(seam[0] for seam in seams), right]
    words = [
        Word(
            _part(seen.quad, start / width, top / height, end / width, bottom / height),
            "".join(character.text for character in word),
            fmean(character.confidence for character in word),
        )
        for word, start, end in zip(seen.words, starts, ends, strict=True)
    ]
    lines: list[list[int]] = [[0]]
    for number, (end, start) in enumerate(seams, 1):
        if start - end > COLUMN_GAP * (bottom - top):
            lines.append([])
        lines[-1].append(number)
    return [
        Line(
            _part(seen.quad, starts[line[0]] / width, top / height, ends[line[-1]] / width, bottom / height),
            _text(seen.text, [words[number].text for number in line]),
            tuple(words[number] for number in line),
        )
        for line in lines
    ]


def _text(whole: str, words: Sequence[str]) -> str:
    """The part of a text that consists of these words, with the spaces between them; some scripts have no spaces."""
    start = whole.index(words[0])
    end = start
    for word in words:
        end = whole.index(word, end) + len(word)
    return whole[start:end]


def _part(quad: Quad, left: float, top: float, right: float, bottom: float) -> Box:
    """The part of a quad between these fractions of its width and height."""

    def at(x: float, y: float) -> NDArray[np.float64]:
        above, below = quad[0] + x * (quad[1] - quad[0]), quad[3] + x * (quad[2] - quad[3])
        found: NDArray[np.float64] = above + y * (below - above)
        return found

    return layout.box_of(np.array([at(left, top), at(right, top), at(right, bottom), at(left, bottom)]))


def _is_nonsense(confidences: Sequence[float]) -> bool:
    """Whether most of a page's text looks like an unknown script."""
    return len(confidences) >= NONSENSE_LINES and median(confidences) < NONSENSE


def _pieces(picture: Pixels) -> Iterator[tuple[Pixels, int, int]]:
    """The picture or, if it is very long, pieces of it with their left and top, cut where there is no text."""
    height, width = picture.shape[:2]
    short, long = min(height, width), max(height, width)
    if long < LONG * short or width * height <= DETECTED_PIXELS:
        yield picture, 0, 0
        return
    along = picture if height > width else np.swapaxes(picture, 0, 1)
    count = max(2, round(long / (short * LONG / 2)))
    step = long / count
    start = 0
    for number in range(1, count + 1):
        end = long if number == count else _blank_row(along, round(number * step), round(BLANK_ROWS * step))
        piece = picture[start:end] if height > width else picture[:, start:end]
        yield piece, 0 if height > width else start, start if height > width else 0
        start = end


def _blank_row(picture: Pixels, row: int, reach: int) -> int:
    """Of the rows within this distance, the one with the least ink."""
    rows = picture[row - reach : row + reach].astype(np.int16)
    contrast = np.ptp(rows, axis=1).max(axis=1)
    calm = np.nonzero(contrast <= contrast.min() + 8)[0]
    return row - reach + int(calm[np.argmin(np.abs(calm - reach))])

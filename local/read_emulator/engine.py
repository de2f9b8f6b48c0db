"""The OCR engine: rapidocr's detector and recogniser (PP-OCRv6), and what a page needs around them.

rapidocr reads lines that run to the right; a page that lies on its side or upside down comes out as garbage. So the
direction of the text is found first, from the shape of the boxes and from how well their text reads each way, and
each box is cut out of the picture in that direction. Nothing is turned but those cuttings, so that every box stays
in the coordinates of the page as it was given, as the service reports them.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, repeat
from statistics import fmean, median
from typing import Any, cast

import cv2
import numpy as np
from rapidocr import RapidOCR

from local.read_emulator import layout
from local.read_emulator.documents import PageImage, Pixels
from local.read_emulator.layout import Quad
from local.read_emulator.page import Box, Line, Page, Word, is_cjk

DETECTED_SIDE = 736
DETECTED_PIXELS = 2_400_000
"""Text is looked for in the picture enlarged to the first, at its shorter side (PaddleOCR's own measure), or reduced to
the second, whatever its shape, so that long receipts stay legible and thin strips fit into the memory. It is read from
the picture as it is."""

READS_WELL = 0.9
"""Mean confidence of text cut out in the right direction; upside down it is 0.55 to 0.8 (measured)."""

LEGIBLE = 0.5
"""Lines of a lower confidence are texture, not text (rapidocr's own default)."""

SAMPLE = 8
"""How many of the longest lines decide in which direction the text runs."""

SPACE = 5
"""Columns of 8 pixels, in a line 48 pixels high, between two letters that are not of one word (PaddleOCR's rule); in
wide type, twice the line's usual distance."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands on a page: the direction in which its text runs, in degrees, and its lines, unordered, in pixels."""

    direction: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Character:
    text: str
    confidence: float
    column: int
    """Where the recogniser saw it, in columns of 8 pixels of a line 48 pixels high."""


@dataclass(frozen=True, slots=True)
class _Recognised:
    """What the recogniser saw in one cutting."""

    words: list[list[_Character]]
    text: str
    confidence: float
    columns: float
    """The width of the cutting."""


class Engine:
    """Loads the models when made, which takes a second or two; safe to use from several threads at once."""

    def __init__(self, threads: int | None = None) -> None:
        # One thread a line, rather than several a model run: measured 1.3 times faster, for a page alone and for two
        # at once. Lines are not batched, so that a line's text does not depend on its neighbours' lengths.
        self._threads = ThreadPoolExecutor(threads or min(os.cpu_count() or 1, 4), thread_name_prefix="recognise")
        self._ocr = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_preprocess_img": False,  # neither of these: they blow up long pictures
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
        )

    def read(self, picture: Pixels, expected: float = 0.0) -> Reading:
        """Find and recognise the text of one page; `expected` is the direction it should run in, if anything says."""
        quads = self._detect(picture, expected)
        if not quads:
            return Reading(0.0, ())
        direction = self._direction(quads, partial(self._recognise, picture), expected)
        if layout.quarters(direction) != layout.quarters(expected):  # lines that stand upright hide from the detector
            quads = self._detect(picture, direction)
            direction = layout.nearest(direction, layout.axis(quads))
        lines = self._threads.map(partial(self._line, picture, direction), quads)
        return Reading(layout.turn_between(0, direction), tuple(line for line in lines if line))

    def _detect(self, picture: Pixels, direction: float) -> list[Quad]:
        """Where text is, in the picture as given; looked for in the one turned so that the direction is rightwards."""
        quarters = layout.quarters(direction)
        height, width = picture.shape[:2]
        scale = min(max(1.0, DETECTED_SIDE / min(width, height)), (DETECTED_PIXELS / (width * height)) ** 0.5)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=interpolation)
        output: Any = self._ocr(np.ascontiguousarray(np.rot90(seen, quarters)))
        if output.boxes is None:
            return []
        boxes = [np.asarray(box, dtype=np.float64) / scale for box in output.boxes]
        return [layout.turned_back(box, quarters, width, height) for box in boxes]

    def _direction(
        self, quads: Sequence[Quad], recognise: Callable[[Quad, float], _Recognised], expected: float
    ) -> float:
        """The direction of the page's text: along its boxes, the way that reads best."""
        along = layout.axis(quads)
        sample = sorted(quads, key=layout.length, reverse=True)[:SAMPLE]

        def legibility(direction: float) -> float:
            return fmean(found.confidence for found in self._threads.map(recognise, sample, repeat(direction)))

        def nearest(directions: Iterable[float]) -> list[float]:
            return sorted(directions, key=lambda each: abs(layout.turn_between(expected, each)))

        likely = nearest([along, along + 180] if along is not None else [0, 90, 180, -90])
        found = []
        for direction in likely:
            found.append((legibility(direction), direction))
            if found[-1][0] >= READS_WELL:
                return direction
        if along is not None:  # boxes can mislead: a column of single tall digits is no line
            for direction in nearest([along + 90, along - 90]):
                if legibility(direction) >= READS_WELL:
                    return direction
        return max(found, key=lambda pair: pair[0])[1]

    def _line(self, picture: Pixels, direction: float, quad: Quad) -> Line | None:
        """What one box says; read in its own direction where its shape shows that it lies across the page's."""
        ratio, along = layout.elongation(quad)
        across = 45 < abs(layout.turn_between(direction, along)) < 135 and ratio >= layout.ELONGATED
        directions = (direction, along, along + 180) if across else (direction,)
        found = [(each, self._recognise(picture, quad, each)) for each in directions]
        best, recognised = max(found, key=lambda pair: pair[1].confidence)
        return _line(layout.starting_where_read(quad, best), recognised)

    def _recognise(self, picture: Pixels, quad: Quad, direction: float) -> _Recognised:
        output: Any = self._ocr.recognize_txt([_cut(picture, layout.starting_where_read(quad, direction))])
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
        return _Recognised(words, spaced, fmean(info.confs), info.line_txt_len)


def _cut(picture: Pixels, quad: Quad) -> Pixels:
    """What the quad holds, its first edge on top."""
    width = max(1, round(max(layout.edge(quad, 0)[0], layout.edge(quad, 2)[0])))
    height = max(1, round(max(layout.edge(quad, 1)[0], layout.edge(quad, 3)[0])))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    transform = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    cutting = cv2.warpPerspective(
        picture, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Pixels, cutting)


def _line(quad: Quad, recognised: _Recognised) -> Line | None:
    """The line with its words' boxes, or nothing where there is no text."""
    if not recognised.text or recognised.confidence < LEGIBLE:
        return None
    inside = [after.column - before.column for word in recognised.words for before, after in pairwise(word)]
    half = (median(inside) if inside else 2.0) / 2
    spans = [[word[0].column + 0.5 - half, word[-1].column + 0.5 + half] for word in recognised.words]
    for before, after in pairwise(spans):
        if before[1] > after[0]:
            before[1] = after[0] = (before[1] + after[0]) / 2
    return Line(
        layout.box_of(quad),
        recognised.text,
        tuple(
            Word(
                _part(quad, max(0.0, start / recognised.columns), min(1.0, end / recognised.columns)),
                "".join(character.text for character in word),
                fmean(character.confidence for character in word),
            )
            for word, (start, end) in zip(recognised.words, spans, strict=True)
        ),
    )


def _part(quad: Quad, start: float, end: float) -> Box:
    """The part of a line's box between two fractions of its length."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return layout.box_of(
        np.array([quad[0] + start * top, quad[0] + end * top, quad[3] + end * bottom, quad[3] + start * bottom])
    )

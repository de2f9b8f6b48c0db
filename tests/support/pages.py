"""Generated pages whose words are blocks, each with its own colour, at known positions."""

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

COLOURS = ((200, 0, 0), (0, 150, 0), (0, 0, 200), (160, 0, 160), (0, 140, 140))

Quad = tuple[float, ...]
"""Eight numbers: x and y of four corners."""


@dataclass(frozen=True)
class DrawnPage:
    """A page as Read describes it: its size in its unit, and a quad for each word."""

    width: float
    height: float
    words: tuple[Quad, ...]


def words_of(width: float, height: float, count: int = 4) -> list[Quad]:
    """Words spread over a page without symmetry, so that any rotation, mirroring or shift shows."""
    quads: list[Quad] = []
    for at in range(count):
        left, top = width * (0.08 + 0.17 * at), height * (0.07 + 0.21 * at)
        right, bottom = left + width * (0.12 + 0.03 * at), top + height * 0.06
        quads.append((left, top, right, top, right, bottom, left, bottom))
    return quads


def picture_of(width: int, height: int, quads: Sequence[Quad]) -> Image.Image:
    """The words on white."""
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    for quad, colour in zip(quads, COLOURS, strict=False):
        pen.polygon(points(quad), fill=colour)
    return image


def turned(quads: Iterable[Quad], degrees: float, centre: tuple[float, float]) -> list[Quad]:
    """Quads turned clockwise about a point."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    x0, y0 = centre
    return [
        tuple(
            number
            for x, y in points(quad)
            for number in (
                x0 + (x - x0) * cosine - (y - y0) * sine,
                y0 + (x - x0) * sine + (y - y0) * cosine,
            )
        )
        for quad in quads
    ]


def points(quad: Quad) -> list[tuple[float, float]]:
    """A quad's corners."""
    return list(zip(quad[::2], quad[1::2], strict=True))


def overlaps(picture: bytes, page: DrawnPage) -> list[float]:
    """For each word, the intersection over union of its box and its pixels."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    pixels = np.asarray(image, dtype=np.int16)
    across, down = image.width / page.width, image.height / page.height
    found = []
    for quad, colour in zip(page.words, COLOURS, strict=False):
        said = Image.new("1", image.size)
        ImageDraw.Draw(said).polygon([(x * across, y * down) for x, y in points(quad)], fill=1)
        said_there = np.asarray(said)
        is_there = (np.abs(pixels - np.array(colour)) < 60).all(axis=2)
        found.append(float((said_there & is_there).sum() / (said_there | is_there).sum()))
    return found


@dataclass(frozen=True)
class PdfPage:
    """A page of a PDF: boxes are left, bottom, right, top in points; words are rectangles in the same space."""

    media: tuple[float, float, float, float] = (0, 0, 612, 792)
    crop: tuple[float, float, float, float] | None = None
    rotate: int = 0
    user_unit: float = 1

    @property
    def shown(self) -> tuple[float, float, float, float]:
        """The part that is shown."""
        return self.crop or self.media

    def seen(self, *, box: tuple[float, float, float, float] | None = None, turn: bool = True) -> DrawnPage:
        """The page as Read describes it, in inches: this box (the shown one by default), turned by /Rotate or not."""
        left, bottom, right, top = box or self.shown
        inch = self.user_unit / 72
        width, height = (right - left) * inch, (top - bottom) * inch
        quads = [
            tuple(
                number
                for x, y in ((x1, y2), (x2, y2), (x2, y1), (x1, y1))
                for number in ((x - left) * inch, (top - y) * inch)
            )
            for x1, y1, x2, y2 in self.rectangles
        ]
        for _ in range(self.rotate // 90 % 4 if turn else 0):
            quads = [tuple(n for x, y in points(quad) for n in (height - y, x)) for quad in quads]
            width, height = height, width
        return DrawnPage(width, height, tuple(quads))

    @property
    def rectangles(self) -> list[tuple[float, float, float, float]]:
        """The rectangles of the words: left, bottom, right, top."""
        left, bottom, right, top = self.shown
        return [
            (left + quad[0], bottom + quad[1], left + quad[2], bottom + quad[5])
            for quad in words_of(right - left, top - bottom)
        ]

    @property
    def content(self) -> bytes:
        """What draws the words."""
        lines = [
            f"{' '.join(f'{part / 255:.4f}' for part in colour)} rg {x1:.3f} {y1:.3f} {x2 - x1:.3f} {y2 - y1:.3f} re f"
            for (x1, y1, x2, y2), colour in zip(self.rectangles, COLOURS, strict=False)
        ]
        return "\n".join(lines).encode()


def pdf_of(*pages: PdfPage) -> bytes:
    """A PDF of these pages."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for page in pages:
        number = len(objects) + 1
        kids.append(f"{number} 0 R")
        boxes = f"/MediaBox [{' '.join(map(str, page.media))}]"
        if page.crop:
            boxes += f" /CropBox [{' '.join(map(str, page.crop))}]"
        unit = f" /UserUnit {page.user_unit}" if page.user_unit != 1 else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R {boxes} /Rotate {page.rotate}{unit} /Contents {number + 1} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(page.content), page.content))
    objects[1] = f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(kids)}] >>".encode()
    body = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(body)

"""A searchable PDF, as `output=pdf` requests it: the pages unchanged, with invisible text over them.

The text's font has one glyph, a box, for all letters, as in other OCR programs: text that is never drawn needs no
more, in any script. Without a glyph, viewers that measure letters by glyphs do not find text that runs upwards.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # ships no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # as above
from numpy.typing import NDArray
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

WIDTH = 0.5
"""Width of every letter, in heights."""

_TO_UNICODE = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
1 beginbfrange <0000> <FFFF> <0000> endbfrange
endcmap CMapName currentdict /CMap defineresource pop end end"""
"""Every code is its own UTF-16 unit."""


def searchable(
    file: IO[bytes],
    numbers: list[int],
    texts: list[list[tuple[str, list[float]]]],
    points: float,
    units: Mapping[int, float] | None = None,
) -> bytes:
    """The pages of a PDF with these numbers, in this order, with the words of each.

    A word's box is eight numbers, in a unit of this many points; a page's UserUnit divides that.
    """
    file.seek(0)
    writer = PdfWriter()
    pages = PdfReader(file).pages
    font = writer._add_object(_font(writer))
    for number, words in zip(numbers, texts, strict=True):
        page = writer.add_page(pages[number - 1])
        scale = points / (units or {}).get(number, 1.0)
        _put_over(writer, page, _content(words, scale, _placed(page)), font)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def _dictionary(**entries: Any) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in entries.items()})


def _stream(content: bytes) -> StreamObject:
    stream = StreamObject()
    stream.set_data(content)
    return stream.flate_encode()


def _font(writer: PdfWriter) -> DictionaryObject:
    name = NameObject("/ReadText")
    letters = _dictionary(
        Type=NameObject("/Font"),
        Subtype=NameObject("/CIDFontType2"),
        BaseFont=name,
        CIDSystemInfo=_dictionary(
            Registry=TextStringObject("Adobe"), Ordering=TextStringObject("Identity"), Supplement=NumberObject(0)
        ),
        DW=NumberObject(round(WIDTH * 1000)),
        FontDescriptor=_dictionary(
            Type=NameObject("/FontDescriptor"),
            FontName=name,
            Flags=NumberObject(5),
            FontBBox=ArrayObject(NumberObject(each) for each in (0, 0, round(WIDTH * 1000), 1000)),
            ItalicAngle=NumberObject(0),
            Ascent=NumberObject(1000),
            Descent=NumberObject(0),
            CapHeight=NumberObject(1000),
            StemV=NumberObject(80),
            FontFile2=writer._add_object(_stream(_box_font())),
        ),
        CIDToGIDMap=writer._add_object(_stream(bytes(2 * 0x10000))),
    )
    return _dictionary(
        Type=NameObject("/Font"),
        Subtype=NameObject("/Type0"),
        BaseFont=name,
        Encoding=NameObject("/Identity-H"),
        DescendantFonts=ArrayObject([letters]),
        ToUnicode=writer._add_object(_stream(_TO_UNICODE)),
    )


def _box_font() -> bytes:
    pen = TTGlyphPen(None)
    width = round(WIDTH * 1000)
    pen.moveTo((0, 0))
    for corner in ((0, 1000), (width, 1000), (width, 0)):
        pen.lineTo(corner)
    pen.closePath()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef"])
    font.setupCharacterMap({})
    font.setupGlyf({".notdef": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (width, 0)})
    font.setupHorizontalHeader(ascent=1000, descent=0)
    font.setupNameTable({"familyName": "ReadText", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


def _put_over(writer: PdfWriter, page: Any, content: bytes, font: Any) -> None:
    given = page.get("/Contents")
    given = given.get_object() if given is not None else ArrayObject()
    parts = list(given) if isinstance(given, ArrayObject) else [page.raw_get("/Contents")]
    before, after = (writer._add_object(_stream(part)) for part in (b"q\n", b"\nQ\n" + content))
    page[NameObject("/Contents")] = ArrayObject([before, *parts, after])
    resources = DictionaryObject(page.get("/Resources", DictionaryObject()).get_object())  # other pages may share it
    fonts = DictionaryObject(resources.get("/Font", DictionaryObject()).get_object())
    fonts[NameObject("/ReadText")] = font
    resources[NameObject("/Font")] = fonts
    page[NameObject("/Resources")] = resources


def _placed(page: Any) -> NDArray[np.float64]:
    """Maps a point of the page as shown, (x, y downwards, 1) in points, to the page's own space."""
    box, media = page.cropbox, page.mediabox
    left, bottom = max(box.left, media.left), max(box.bottom, media.bottom)
    right, top = min(box.right, media.right), min(box.top, media.top)
    if left >= right or bottom >= top:  # viewers then show the MediaBox
        page.cropbox = media
        left, bottom, right, top = media.left, media.bottom, media.right, media.top
    match page.rotation % 360:
        case 90:
            rows = [[0, 1, left], [1, 0, bottom]]
        case 180:
            rows = [[-1, 0, right], [0, 1, bottom]]
        case 270:
            rows = [[0, -1, right], [-1, 0, top]]
        case _:
            rows = [[1, 0, left], [0, -1, top]]
    return np.array(rows, dtype=np.float64)


def _content(words: list[tuple[str, list[float]]], scale: float, placed: NDArray[np.float64]) -> bytes:
    parts = ["BT 3 Tr"]  # text mode: invisible
    for text, box in words:
        corners = np.column_stack([np.array(box, dtype=np.float64).reshape(4, 2) * scale, np.ones(4)]) @ placed.T
        start, along, up = corners[3], corners[2] - corners[3], corners[0] - corners[3]
        length, height = float(np.hypot(*along)), float(np.hypot(*up))
        codes = f"{text} ".encode("utf-16-be")
        if not (length and height and text):
            continue
        x, y = along / length
        stretch = 100 * length / (WIDTH * height * (len(codes) / 2 - 1))
        parts.append(
            f"/ReadText {height:.2f} Tf {stretch:.2f} Tz"
            f" {x:.5f} {y:.5f} {-y:.5f} {x:.5f} {start[0]:.2f} {start[1]:.2f} Tm <{codes.hex()}> Tj"
        )
    return "\n".join([*parts, "ET"]).encode()

"""Unusual files, made byte by byte: those that few programs write, and those that attackers send."""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, TiffImagePlugin

TEXT = "Harbour 4711"


def drawn(text: str = TEXT, size: tuple[int, int] = (420, 120)) -> Image.Image:
    """A grey picture with this text, black on white."""
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).text((30, 30), text, fill=0, font=ImageFont.load_default(48))
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(
    pixels: NDArray[Any],
    *,
    order: Literal["<", ">"] = "<",
    planes_apart: bool = False,
    tags: Mapping[int, Sequence[int]] | None = None,
) -> bytes:
    """An uncompressed TIFF; pixels are (height, width), (height, width, samples), or (planes, height, width)."""
    planes = pixels if planes_apart else pixels[np.newaxis]
    height, width = planes.shape[1:3]
    samples = len(planes) if planes_apart else (pixels.shape[2] if pixels.ndim == 3 else 1)
    data = planes.astype(pixels.dtype.newbyteorder(order)).tobytes()
    strip = len(data) // len(planes)
    directory: dict[int, Sequence[int]] = {
        256: [width],
        257: [height],
        258: [pixels.dtype.itemsize * 8] * samples,
        259: [1],
        262: [1 if samples < 3 else 2],
        273: [8 + strip * n for n in range(len(planes))],
        277: [samples],
        278: [height],
        279: [strip] * len(planes),
        284: [2 if planes_apart else 1],
        339: [{"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]] * samples,
        **(tags or {}),
    }
    entries, beyond = b"", b""
    for tag, values in sorted(directory.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(packed) > 4:
            packed, beyond = struct.pack(f"{order}I", 8 + len(data) + len(beyond)), beyond + packed
        entries += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(data) + len(beyond))
    return start + data + beyond + struct.pack(f"{order}H", len(directory)) + entries + bytes(4)


def frames(*images: Image.Image, tags: Sequence[Mapping[int, int]] | None = None) -> bytes:
    """A TIFF of several frames, each with further tags."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file, new=True) as writer:
        for image, extra in zip(images, tags or [{}] * len(images), strict=True):
            directory = TiffImagePlugin.ImageFileDirectory_v2()
            for tag, value in extra.items():
                directory.tagtype[tag] = 4
                directory[tag] = value
            image.save(writer, "TIFF", tiffinfo=directory)
            writer.newFrame()
    return file.getvalue()


def stream(entries: str, content: bytes) -> bytes:
    """A stream object of a PDF."""
    return f"<<{entries}/Length {len(content)}>>\nstream\n".encode() + content + b"\nendstream"


def pdf_of(*objects: str | bytes) -> bytes:
    """A PDF of these objects, numbered from 1. The first is its root."""
    content, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(content))
        content += b"%d 0 obj\n" % number + (body.encode() if isinstance(body, str) else body) + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(content)}\n%%EOF".encode()
    return bytes(content) + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def pdf_page(
    text: str = TEXT, *, box: str = "0 0 300 120", extra: str = "", at: str = "20 50", size: int = 24
) -> tuple[str, bytes]:
    """A page object and its content object, which follows it. The page's parent is object 2."""
    font = "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]{font}/Contents NEXT 0 R{extra}>>"
    return page, stream("", f"BT /F {size} Tf {at} Td ({text}) Tj ET".encode())


def pdf_with(*pages: tuple[str, bytes], count: int | None = None, kids: str | None = None, before: str = "") -> bytes:
    """A PDF of these pages. `count` and `kids` are what its page tree says; `before` comes first in the tree's node."""
    objects: list[str | bytes] = []
    for page, content in pages:
        objects += [page.replace("NEXT", str(len(objects) + 4)), content]
    kids = kids or " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    tree = f"<</Type/Pages{before}/Count {len(pages) if count is None else count}/Kids[{kids}]>>"
    return pdf_of("<</Type/Catalog/Pages 2 0 R>>", tree, *objects)


def nested_forms(levels: int = 9, times: int = 12) -> bytes:
    """A PDF whose page draws a form many times, which draws another many times, and so on: `times ** levels` lines."""
    forms = [
        stream(
            f"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</A {6 + level} 0 R>>>>",
            b"/A Do " * times,
        )
        for level in range(levels)
    ]
    return pdf_of(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</XObject<</A 5 0 R>>>>>>",
        stream("", b"/A Do"),
        *forms,
        stream("/Type/XObject/Subtype/Form/BBox[0 0 612 792]", b"0 0 m 600 700 l S"),
    )


def wide_tree(levels: int = 8, times: int = 20) -> bytes:
    """A PDF whose page tree contains a node many times, which contains another many times, and so on."""
    nodes = [
        f"<</Type/Pages/Count 5/Parent {max(2, 1 + level)} 0 R/Kids[{f'{3 + level} 0 R ' * times}]>>"
        for level in range(levels)
    ]
    page = f"<</Type/Page/UserUnit 1/Parent {levels + 1} 0 R/MediaBox[0 0 612 792]>>"
    return pdf_of("<</Type/Catalog/Pages 2 0 R>>", *nodes, page)


def more_pages_than_it_says(pages: int = 40_000) -> bytes:
    """A PDF of many pages, whose tree says that it has one."""
    page = "<</Type/Page/UserUnit 1/Parent 2 0 R/MediaBox[0 0 612 792]>>"
    kids = " ".join(f"{3 + n} 0 R" for n in range(pages))
    return pdf_of("<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count 1/Kids[{kids}]>>", *[page] * pages)


def png_with(chunk: bytes, content: bytes) -> bytes:
    """A picture with this chunk before its pixels."""
    picture = saved(drawn())
    crc = struct.pack(">I", zlib.crc32(chunk + content))
    return picture[:33] + struct.pack(">I", len(content)) + chunk + content + crc + picture[33:]


def bmp_with_alpha(alpha: int) -> bytes:
    """A BMP of 32 bits with a V4 header; each pixel has this alpha."""
    grey = np.asarray(drawn())[::-1]
    height, width = grey.shape
    pixels = np.stack([grey, grey, grey, np.full_like(grey, alpha)], axis=2).tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(pixels), 2835, 2835, 0, 0) + masks
    header += b"BGRs" + bytes(108 - len(header) - 4)
    return struct.pack("<2sIHHI", b"BM", 14 + 108 + len(pixels), 0, 0, 14 + 108) + header + pixels

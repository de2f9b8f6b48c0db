"""Draws one page in a process of its own; see shared.child."""

import io
from collections.abc import Mapping
from typing import Any

from shared.child import answer
from shared.range_file import RangeFile
from web.drawing.job import Job, NotDrawable

_FEW_COLOURS = 4096
"""Print on a plain background has at most this many colours, and is smaller and sharper as PNG."""


def draw(job: Mapping[str, Any], file: RangeFile) -> tuple[str, bytes]:
    """The image's media type and bytes; or a sentence that says why the page cannot be drawn, and no bytes."""
    try:
        return drawn(file, Job(job["page"], job["width"], (job["pageWidth"], job["pageHeight"])))
    except NotDrawable as reason:
        return str(reason), b""


def drawn(file: RangeFile, job: Job) -> tuple[str, bytes]:
    """The media type and the bytes of a page's image. Raises NotDrawable."""
    try:
        if b"%PDF-" in file.read(1024):
            from web.drawing import pdf

            image = pdf.draw(file, job)
        else:
            from web.drawing import picture

            file.seek(0)
            image = picture.draw(io.BufferedReader(file), job)
        body = io.BytesIO()
        if image.getcolors(_FEW_COLOURS):
            image.save(body, "PNG", compress_level=6)
            return "image/png", body.getvalue()
        image.save(body, "JPEG", quality=85)
        return "image/jpeg", body.getvalue()
    except NotDrawable:
        raise
    except MemoryError:
        raise NotDrawable("Drawing the page takes too much memory.") from None
    except Exception as error:  # noqa: BLE001 - a damaged file can make a decoder raise anything
        raise NotDrawable(f"The file cannot be drawn ({type(error).__name__}).") from None


if __name__ == "__main__":
    answer(draw)

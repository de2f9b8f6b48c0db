"""The process that draws one page: it asks for ranges of the file on standard output, and gets them on standard input.

It holds no credential and opens no connection. Its parent ends it when its time is up; its memory is bounded here,
where the system lets it be.
"""

import io
import json
import os
import sys

from web.drawing.job import Job, NotDrawable
from web.drawing.ranges import RangeFile

_FEW_COLOURS = 4096
"""Print on plain ground has no more, and is smaller and sharper as PNG."""


def main() -> None:
    """Draw what the first line of standard input asks for."""
    source, answer = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    asked = json.loads(source.readline())
    _bound_memory(asked["memory"])
    job = Job(asked["page"], asked["width"], (asked["pageWidth"], asked["pageHeight"]))

    def fetch(offset: int, length: int) -> bytes:
        answer.write(b"R %d %d\n" % (offset, length))
        answer.flush()
        return source.read(length)

    try:
        media_type, picture = drawn(RangeFile(asked["length"], fetch), job)
    except NotDrawable as reason:
        answer.write(b"N " + str(reason).encode() + b"\n")
    else:
        answer.write(b"D %b %d\n" % (media_type.encode(), len(picture)))
        answer.write(picture)
    answer.flush()


def drawn(file: RangeFile, job: Job) -> tuple[str, bytes]:
    """A page as media type and bytes. Raises NotDrawable."""
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
        raise NotDrawable("The page takes more memory than may be used for it.") from None
    except Exception as error:  # noqa: BLE001 - decoders raise whatever a damaged file makes them stumble over
        raise NotDrawable(f"The file cannot be drawn ({type(error).__name__}).") from None


def _bound_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()

"""Open a file: recognise it by its content, and check it against Read's limits. Runs in a decoder process."""

from __future__ import annotations

import io
from typing import IO

from local.read_emulator import kinds
from local.read_emulator.documents import USUAL, Document, Limits
from local.read_emulator.pdf import PdfDocument
from local.read_emulator.pictures import PictureDocument
from local.read_emulator.refusals import Reason, Rejected


def open_document(file: IO[bytes], limits: Limits = USUAL, *, page_tree: bool = True) -> Document:
    """Examine the file's content. Raises Rejected for files that Read rejects before reading.

    Without `page_tree`, a PDF's own page count is used: checking it can take long in a malicious file.
    """
    size = file.seek(0, io.SEEK_END)
    if not size:
        raise Rejected(Reason.EMPTY)
    if size > limits.megabytes * 1024 * 1024:
        raise Rejected(Reason.TOO_MANY_BYTES)
    file.seek(0)
    if b"%PDF-" in file.read(1024):
        return PdfDocument(file, limits, page_tree=page_tree)
    if kind := kinds.recognise(file):
        raise Rejected(Reason.NOT_A_DOCUMENT, kind)
    return PictureDocument(file, limits)

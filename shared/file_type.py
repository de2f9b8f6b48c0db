"""A file's format by its first bytes, since its name may be wrong."""

import re

HEAD_BYTES = 4096
"""How many bytes of a file's start are needed."""

_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"GIF8", "GIF"),
    (b"8BPS", "PSD"),
    (b"AT&TFORM", "DJVU"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x00\x0cjP  ", "JP2"),
    (b"\x00\x00\x00\x0cJXL ", "JXL"),
    (b"\xff\x0a", "JXL"),
    (b"{\\rtf", "RTF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office, or protected Office"),
    (b"%!PS", "PostScript"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7Z"),
)

_BRANDS = (
    (("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"), "HEIF"),
    (("avif", "avis"), "AVIF"),
)
"""The brands after ``ftyp``, in files of ISO's base media format. Files of other brands are films."""

_IN_ZIP = (
    (b"mimetypeapplication/vnd.oasis", "OpenDocument"),
    (b"mimetypeapplication/epub", "EPUB"),
    (b"word/", "DOCX"),
    (b"xl/", "XLSX"),
    (b"ppt/", "PPTX"),
)


def file_type(head: bytes) -> str | None:
    """The file's format, named as generations name those that they take: ``PDF``, ``JPEG``, ``DOCX``; None if unknown.

    ``head`` is the file's start, of some kilobytes. A JPEG that holds several pictures, as phones and stereo cameras
    write it, is ``MPO``.
    """
    if b"%PDF-" in head[:1024]:
        return "PDF"
    for start, kind in _STARTS:
        if head.startswith(start):
            return "MPO" if kind == "JPEG" and b"MPF\x00" in head else kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        brand = head[8:12].decode("latin-1")
        return next((kind for brands, kind in _BRANDS if brand in brands), "film")
    if head.startswith(b"PK\x03\x04"):
        return next((kind for mark, kind in _IN_ZIP if mark in head), "ZIP")
    start = re.sub(rb"^(\xef\xbb\xbf)?\s+", b"", head.removeprefix(b"\xef\xbb\xbf"))[:512].lower()
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        return "HTML"
    if b"<svg" in start:
        return "SVG"
    return None

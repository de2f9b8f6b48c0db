"""The type, by its first bytes, of a file that Read does not support, so that the error can name it."""

import zipfile
from typing import IO

DOCUMENT_INTELLIGENCE = {
    "HEIF": "an HEIF picture",
    "DOCX": "a Word document (DOCX)",
    "XLSX": "an Excel workbook (XLSX)",
    "PPTX": "a PowerPoint presentation (PPTX)",
    "HTML": "a web page (HTML)",
}
"""Types that only Document Intelligence reads: HEIF in each version, the others from 2023-07-31 on
(learn.microsoft.com/azure/ai-services/document-intelligence/prebuilt/read, Input requirements)."""

NAMES = DOCUMENT_INTELLIGENCE | {
    "WEBP": "a WebP picture",
    "GIF": "a GIF picture",
    "AVIF": "an AVIF picture",
    "JPEG 2000": "a JPEG 2000 picture",
    "MPO": "a JPEG with several pictures in it (MPO)",
    "OLE": "a document of old Office (DOC, XLS, PPT or MSG)",
    "ZIP": "a ZIP archive",
    "RTF": "a document in RTF",
    "SVG": "an SVG drawing",
    "POSTSCRIPT": "a PostScript file",
    "PASSWORD": "a PDF under a password",
}
"""Each kind, with its name in a sentence."""

_HEAD = 1024
_STARTS = {
    b"GIF8": "GIF",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "OLE",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"{\\rtf": "RTF",
    b"%!PS": "POSTSCRIPT",
}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_OFFICE = {"word/": "DOCX", "xl/": "XLSX", "ppt/": "PPTX"}


def recognise(file: IO[bytes]) -> str:
    """The file's kind, a key of NAMES; empty if it is none of them."""
    file.seek(0)
    head = file.read(_HEAD)
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        brands = {head[at : at + 4] for at in (8, *range(16, min(int.from_bytes(head[:4]), 64), 4))}
        return "AVIF" if brands & {b"avif", b"avis"} else "HEIF" if brands & _HEIF_BRANDS else ""
    if head.startswith(b"PK\x03\x04"):
        return _archive(file)
    text = head.removeprefix(b"\xef\xbb\xbf").decode(
        "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", "ignore"
    )
    text = text.lstrip().lower()
    if "<svg" in text and text.startswith("<"):
        return "SVG"
    if text.startswith(("<!doctype html", "<html", "<head", "<body")) or ("<html" in text and text.startswith("<")):
        return "HTML"
    return ""


def _archive(file: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "ZIP"
    if "[Content_Types].xml" not in names:
        return "ZIP"
    return next((kind for folder, kind in _OFFICE.items() if any(name.startswith(folder) for name in names)), "ZIP")

"""The type of a file by its first bytes, whatever its name says, and the advice that follows from it."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared.advice import advice_for
from shared.document import Document, Status
from shared.file_type import HEAD_BYTES, file_type


def picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, kind, **options)
    return out.getvalue()


def office(folder: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}/document.xml", "<x/>")
    return out.getvalue()


FILES = {
    "PDF": b"\n\n%PDF-1.4\n",
    "JPEG": picture("JPEG"),
    "PNG": picture("PNG"),
    "BMP": picture("BMP"),
    "TIFF": picture("TIFF"),
    "GIF": picture("GIF"),
    "WEBP": picture("WEBP"),
    "MPO": picture("MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))]),
    "HEIF": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
    "AVIF": b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00",
    "film": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00",
    "DOCX": office("word"),
    "XLSX": office("xl"),
    "PPTX": office("ppt"),
    "ZIP": office("others"),
    "HTML": b"\xef\xbb\xbf \r\n<!DOCTYPE html><html></html>",
    "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "RTF": b"{\\rtf1 hello}",
}


@pytest.mark.parametrize("kind", FILES)
def test_the_first_bytes_decide_the_type_of_a_file(kind: str) -> None:
    assert file_type(FILES[kind][:HEAD_BYTES]) == kind


@given(st.binary(max_size=64))
def test_no_bytes_make_it_raise(head: bytes) -> None:
    assert file_type(head) is None or isinstance(file_type(head), str)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "MPO", "HEIF", "HTML", "DOCX", "AVIF", "ZIP", "RTF", "film"])
def test_the_advice_for_a_file_under_another_name_says_what_it_is(kind: str) -> None:
    document = Document(name="scan.pdf", status=Status.FAILED, api_version="v3.2", file_type=kind)
    advice = advice_for("InvalidImage", "Image format is not supported.", document)
    assert kind in advice
    assert "whatever its name says" in advice
    assert "password" not in advice


def test_a_damaged_file_of_an_accepted_type_gets_the_advice_for_damage() -> None:
    document = Document(name="scan.heic", status=Status.FAILED, api_version="v3.2", file_type="PDF")
    assert "damaged" in advice_for("InvalidImage", "", document)

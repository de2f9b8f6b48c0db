"""The page count of a file is right or unknown, within a time limit, whatever the file says about itself."""

import io
import struct
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image

from shared.page_count import page_count, shortfall
from shared.range_file import BLOCK
from tests.unit.local.odd_files import drawn, frames

CASES = Path(__file__).resolve().parents[3] / "shared/cases/files"


def pdf(
    pages: int,
    count: int | str | None = None,
    extra: Iterable[bytes] = (),
    *,
    before: bytes = b"",
    compressed: bool = False,
) -> bytes:
    """A PDF of empty pages whose tree says ``count``, perhaps in an object stream; ``before`` comes first."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages if count is None else count}>>".encode(),
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"] * pages,
        *extra,
    ]
    if compressed:
        return _in_an_object_stream(objects)
    out, offsets = io.BytesIO(b"%PDF-1.7\n" + before), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return out.getvalue()


def _in_an_object_stream(objects: list[bytes]) -> bytes:
    """The same objects, all in a compressed object stream."""
    starts = [sum(len(each) + 1 for each in objects[:number]) for number in range(len(objects))]
    head = " ".join(f"{number} {start}" for number, start in enumerate(starts, start=1)).encode() + b" "
    body = zlib.compress(head + b"".join(each + b" " for each in objects))
    stream, xref = len(objects) + 1, len(objects) + 2
    out = b"%%PDF-1.7\n%d 0 obj\n<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>stream\n" % (
        (stream, len(objects), len(head), len(body))
    )
    start = out.index(b"%d 0 obj" % stream)
    out += body + b"\nendstream\nendobj\n"
    entries = [struct.pack(">BIH", 0, 0, 65535), *(struct.pack(">BIH", 2, stream, n) for n in range(len(objects)))]
    entries += [struct.pack(">BIH", 1, start, 0), struct.pack(">BIH", 1, len(out), 0)]
    table = b"".join(entries)
    entry = b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 2]/Root 1 0 R/Length %d>>stream\n%b\nendstream\nendobj\n" % (
        (xref, xref + 1, len(table), table)
    )
    return out + entry + b"startxref\n%d\n%%%%EOF" % len(out)


def tiff(count: int) -> bytes:
    pictures = [Image.new("1", (8, 8), number % 2) for number in range(count)]
    out = io.BytesIO()
    pictures[0].save(out, "TIFF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def counted(content: bytes, seconds: float = 30) -> int | None:
    return page_count(len(content), lambda offset, length: content[offset : offset + length], seconds)


@pytest.mark.parametrize("pages", [1, 2, 3, 40])
def test_pages_of_a_pdf_are_counted(pages: int) -> None:
    assert counted(pdf(pages)) == pages


@pytest.mark.parametrize("count", [1, 2, 5])
def test_frames_of_a_tiff_are_counted(count: int) -> None:
    assert counted(tiff(count)) == count


@pytest.mark.parametrize("count", [0, 1, 3, 4, 50, 2**31 - 1, "(3)", "[2]", -1, "1/Count 2", "5 0 R"])
@pytest.mark.parametrize("pages", [2, 6])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_count_of_a_pdf_that_lies_is_right_or_unknown(count: int | str, pages: int, *, compressed: bool) -> None:
    content = pdf(pages, count, compressed=compressed)
    assert counted(content) in (None, pages)
    if isinstance(count, int) and 0 < count < pages:  # pages that the tree does not admit can be counted
        assert counted(content) == pages


def test_a_count_that_straddles_two_ranges_is_ignored_too() -> None:
    at = pdf(3, 1).index(b"/Count")
    for shift in range(7):
        padding = b"%" + b" " * (BLOCK - at - shift - 2) + b"\n"
        content = pdf(3, 1, before=padding)
        assert (content.index(b"/Count") + shift) % BLOCK == 0
        assert counted(content) == 3


@pytest.mark.parametrize(("tag", "value"), [(254, 1), (254, 4), (255, 2)])
def test_a_tiff_with_thumbnails_or_masks_has_no_count(tag: int, value: int) -> None:
    assert counted(frames(drawn(), drawn(), tags=[{}, {tag: value}])) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"%PDF-1.7", b"%PDF-1.7\n" + b"\xff" * 5000, b"II*\x00\x08\x00\x00\x00", b"MM\x00*" + b"\xff" * 40, b"hello"],
)
def test_a_damaged_file_has_no_count(content: bytes) -> None:
    assert counted(content) is None


def test_counting_that_takes_for_ever_is_given_up_in_time() -> None:
    body = zlib.compress(b"0 0 " * 50_000)
    stream = b"<</Type/ObjStm/N 60000/First 240000/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (
        len(body),
        body,
    )
    started = time.monotonic()

    def slow(offset: int, length: int) -> bytes:
        time.sleep(0.02)
        return content[offset : offset + length]

    content = pdf(2, extra=[stream] * 20) + b" " * 100_000
    page_count(len(content), slow, 3)
    assert time.monotonic() - started < 20


def test_an_error_in_reading_a_range_passes_through() -> None:
    def gone(_offset: int, _length: int) -> bytes:
        raise KeyError("the file has changed")

    with pytest.raises(KeyError):
        page_count(1000, gone)


def test_a_large_file_is_read_in_a_few_ranges() -> None:
    picture = b"<</Length 5000000>>stream\n" + b"x" * 5_000_000 + b"\nendstream"
    content = pdf(300, extra=[picture])
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return content[offset : offset + length]

    page_count(len(content), read)
    assert sum(asked) < len(content) / 2


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder with files of others lies beside the repository")
@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("count-1-of-3-pages.pdf", {None, 3}),
        ("count-3-of-2-pages.pdf", {None, 2}),
        ("count-in-a-nested-dictionary.pdf", {None, 3}),
        ("count-in-a-string.pdf", {None, 3}),
        ("with-thumbnail.tif", {None, 1}),
    ],
)
def test_no_known_case_is_miscounted(name: str, right: set[int | None]) -> None:
    assert counted((CASES / name).read_bytes()) in right


@pytest.mark.parametrize(("read", "in_file"), [(2, None), (2, 2), (3, 2), (5, 9)])
def test_no_customer_is_told_of_the_free_tier_without_a_reason(read: int, in_file: int | None) -> None:
    assert shortfall(read, in_file, 2000) is None


def test_two_pages_of_a_longer_file_point_to_the_free_tier() -> None:
    assert "2 of 9 pages" in (shortfall(2, 9, 2000) or "")
    assert "free tier" in (shortfall(2, 9, 2000) or "")
    assert "Split it" in (shortfall(2000, 2001, 2000) or "")

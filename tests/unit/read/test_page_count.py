"""Pages counted while a file streams by: right, or not at all."""

import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.read.page_count import CountingBody, PageCounter, shortfall

REPOSITORY = Path(__file__).parents[3]
SAMPLES = REPOSITORY.parent / "shared" / "samples"


def count(file: bytes, chunk: int = 16 * 1024) -> int | None:
    counter = PageCounter(len(file))
    for start in range(0, len(file), chunk):
        counter.feed(file[start : start + chunk])
    return counter.end()


# PDFs


def stream(data: bytes, dictionary: bytes = b"", length: bytes | None = None) -> bytes:
    return b"<<%s/Length %s>>\nstream\n%s\nendstream" % (dictionary, length or b"%d" % len(data), data)


def page_tree(pages: int, first: int = 10) -> dict[int, bytes]:
    kids = b" ".join(b"%d 0 R" % (first + number) for number in range(pages))
    tree = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type /Pages /Kids [%s] /Count %d>>" % (kids, pages)}
    return tree | {first + number: b"<</Type/Page/Parent 2 0 R>>" for number in range(pages)}


def revision(objects: dict[int, bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % each for each in objects.items())
    return body + b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 99%s>>\nstartxref\n9\n%%%%EOF\n" % trailer


def pdf(*revisions: bytes) -> bytes:
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"".join(revisions)


def object_stream(
    objects: dict[int, bytes], dictionary: bytes = b"/Filter/FlateDecode", compress: bool = True
) -> bytes:
    head, body = b"", b""
    for number, each in objects.items():
        head += b"%d %d " % (number, len(body))
        body += each + b" "
    data = head + body
    about = b"/Type/ObjStm/N %d/First %d%s" % (len(objects), len(head), dictionary)
    return stream(zlib.compress(data) if compress else data, about)


def made_by_pdfium(pages: int) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(200, 200)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


@pytest.mark.parametrize("pages", [1, 2, 14, 300])
def test_a_pdf_s_pages(pages: int) -> None:
    assert count(made_by_pdfium(pages)) == pages
    assert count(pdf(revision(page_tree(pages)))) == pages


def test_a_page_tree_of_several_levels_counts_at_its_root() -> None:
    tree = page_tree(4)
    tree[2] = b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 4>>"
    tree[3] = tree[4] = b"<</Type/Pages/Parent 2 0 R/Kids[]/Count 2>>"
    assert count(pdf(revision(dict(sorted(tree.items()))))) == 4


def test_the_latest_revision_counts_even_if_it_has_fewer_pages() -> None:
    fewer = {2: b"<</Type/Pages/Kids[10 0 R]/Count 1>>"}
    more = {2: b"<</Type/Pages/Kids[10 0 R 20 0 R]/Count 2>>", 20: b"<</Type/Page/Parent 2 0 R>>"}
    first = revision(page_tree(9))
    assert count(pdf(first, revision(fewer, b"/Root 1 0 R/Prev 9"))) == 1
    assert count(pdf(first, revision(fewer), revision(more))) == 2


def test_a_page_tree_that_is_no_longer_in_use_does_not_count() -> None:
    unused = {3: b"<</Type/Pages/Kids[]/Count 500>>", 4: b"<</Type/Catalog/Pages 3 0 R>>"}
    assert count(pdf(revision(page_tree(2) | unused))) == 2


def test_what_streams_hold_does_not_count() -> None:
    content = stream(b"9 0 obj <</Type/Catalog/Pages 8 0 R>> endobj trailer <</Root 9 0 R>> startxref 0")
    assert count(pdf(revision(page_tree(2) | {50: content}))) == 2


@pytest.mark.parametrize("data", [b"BT (endobj) Tj ET", b"\n" * 50_000, b"%" * 50_000])
def test_a_stream_whose_length_stands_elsewhere_is_passed(data: bytes) -> None:
    assert count(pdf(revision(page_tree(3) | {50: stream(data, length=b"51 0 R"), 51: b"%d" % len(data)}))) == 3


def test_objects_in_compressed_streams_count() -> None:
    tree = page_tree(5)
    everything = {60: object_stream(tree), 61: stream(b"x", b"/Type/XRef/Root 1 0 R")}
    assert count(pdf(revision(everything, b""))) == 5
    plain = {60: object_stream(tree, b"", compress=False), 61: stream(b"x", b"/Type/XRef/Root 1 0 R")}
    assert count(pdf(revision(plain, b""))) == 5


def test_a_compressed_revision_replaces_a_plain_one() -> None:
    fewer = object_stream({2: b"<</Type/Pages/Kids[10 0 R]/Count 1>>"})
    assert count(pdf(revision(page_tree(9)), revision({60: fewer}))) == 1


@pytest.mark.parametrize(
    "opaque",
    [
        object_stream(page_tree(5), b"/Filter/LZWDecode"),
        object_stream(page_tree(5), b"/Filter[/ASCIIHexDecode/FlateDecode]"),
        object_stream(page_tree(5), b"/Filter/FlateDecode/DecodeParms<</Predictor 12>>"),
        object_stream(page_tree(5), compress=False),
        stream(zlib.compress(b"1 0 " + b"<</Type/Catalog/Pages 2 0 R>>"), b"/Type/ObjStm/N 1/Filter/FlateDecode"),
        stream(zlib.compress(b"1 " + b"<<>>"), b"/Type/ObjStm/N 1/First 2/Filter/FlateDecode"),
        stream(zlib.compress(b"1 " + b"9" * 5000 + b" <<>>"), b"/Type/ObjStm/N 1/First 5003/Filter/FlateDecode"),
        stream(zlib.compress(bytes(3 * 1024 * 1024)), b"/Type/ObjStm/N 0/First 0/Filter/FlateDecode"),
        stream(zlib.compress(b"1 0 <<>>"), b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode", b"61 0 R"),
    ],
)
def test_objects_that_cannot_be_seen_leave_the_count_unknown(opaque: bytes) -> None:
    assert count(pdf(revision(page_tree(9)), revision({60: opaque}))) is None


def linearized(pages: int, trailer: bytes = b"/Root 1 0 R", wrong: int = 0) -> bytes:
    """Only what matters: the length and the count are in the first object, and the rest cannot be read."""
    rest = revision({2: stream(b"secret", b"/Type/ObjStm/Filter/Crypt")}, trailer)
    first = b"50 0 obj\n<</Linearized 1/L %06d/H[1 2]/O 9/E 9/N %d/T 9>>\nendobj\n"
    start = b"xref\n0 0\ntrailer\n<<%s>>\nstartxref\n0\n%%%%EOF\n" % trailer
    length = len(pdf(first % (0, pages), start, rest)) + wrong
    return pdf(first % (length, pages), start, rest)


def test_a_linearized_file_says_its_count_in_its_first_object() -> None:
    assert count(linearized(7)) == 7


def test_a_linearized_file_that_has_grown_since_has_to_be_read() -> None:
    assert count(linearized(7, wrong=-100)) is None
    grown = linearized(7)
    assert count(grown + revision(page_tree(2))) is None


@pytest.mark.parametrize("encrypted", [pdf(revision(page_tree(2), b"/Root 1 0 R/Encrypt 5 0 R")),
                                       linearized(2, b"/Root 1 0 R/Encrypt 5 0 R")])  # fmt: skip
def test_an_encrypted_pdf_is_not_counted(encrypted: bytes) -> None:
    assert count(encrypted) is None


@pytest.mark.parametrize(
    "broken",
    [
        pdf(revision(page_tree(2) | {2: b"<</Type/Pages/Count 5>>"})),  # more than there are pages
        pdf(revision(page_tree(2) | {2: b"<</Type/Pages/Count 7 0 R>>"})),
        pdf(revision(page_tree(2) | {2: b"<</Type/Pages/Count -1>>"})),
        pdf(revision(page_tree(0))),
        pdf(revision(page_tree(2), b"")),
        pdf(revision(page_tree(2), b"/Root 7 0 R")),
        pdf(revision(page_tree(2) | {1: b"<</Type/Catalog>>"})),
        pdf(revision(page_tree(2) | {50: stream(b"data", length=b"900")})),
        pdf(revision(page_tree(2) | {50: b"<<" + b" " * 300_000 + b">>"})),
        pdf(revision(page_tree(2)), pdf(revision(page_tree(3)))),
        pdf(revision(page_tree(2)))[:-40],
        pdf(revision(page_tree(2) | {50: stream(pdf(revision(page_tree(5))), length=b"51 0 R")})),
    ],
)
def test_an_unusual_pdf_is_not_miscounted(broken: bytes) -> None:
    assert count(broken) is None


@pytest.mark.parametrize("length", [b"2", b"4", b"5"])
def test_a_stream_s_length_may_be_off_by_a_little(length: bytes) -> None:
    assert count(pdf(revision(page_tree(2) | {50: stream(b"data", length=length)}))) == 2


# TIFFs


def made_by_pillow(frames: int, **options: object) -> bytes:
    file = BytesIO()
    images = [Image.new("L", (60 + number, 50), number) for number in range(frames)]
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:], **options)
    return file.getvalue()


@pytest.mark.parametrize("frames", [1, 2, 14])
@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}])
def test_a_tiff_s_frames(frames: int, options: dict[str, object]) -> None:
    assert count(made_by_pillow(frames, **options)) == frames


def tiff(*offsets: int, last: int = 0, order: str = "<", tag: int = 256, value: int = 1) -> bytes:
    """Directories of one entry at these offsets, each pointing to the next one given."""
    file = bytearray(max(offsets) + 18)
    struct.pack_into(order + "2sHI", file, 0, b"II" if order == "<" else b"MM", 42, offsets[0])
    for here, following in zip(offsets, [*offsets[1:], last], strict=True):
        struct.pack_into(order + "HHHIII", file, here, 1, tag, 4, 1, value, following)
    return bytes(file)


@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_in_the_order_of_the_file_are_counted(order: str) -> None:
    assert count(tiff(8, 26, 5000, 70_000, order=order)) == 4


@pytest.mark.parametrize("file", [tiff(5000, 8), tiff(8, 26, last=8), tiff(8, 26, last=26), tiff(8, last=10)])
def test_directories_that_point_back_are_not(file: bytes) -> None:
    assert count(file) is None


@pytest.mark.parametrize(("value", "pages"), [(0, 2), (1, None), (2, 2), (4, None)])
def test_a_tiff_with_thumbnails_or_masks_is_not_counted(value: int, pages: int | None) -> None:
    assert count(tiff(8, 26, tag=254, value=value)) == pages


@pytest.mark.parametrize("end", [9, 20, 40])
def test_a_tiff_that_breaks_off_is_not_counted(end: int) -> None:
    assert count(tiff(8, 30)[:end]) is None


# Anything else


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_an_image_is_one_page(kind: str) -> None:
    file = BytesIO()
    Image.new("RGB", (60, 60)).save(file, kind)
    assert count(file.getvalue()) == 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_formats_that_read_does_not_take_are_not_counted(kind: str) -> None:
    file = BytesIO()
    Image.new("RGB", (60, 60)).save(file, kind)
    assert count(file.getvalue()) is None


@pytest.mark.parametrize("file", [b"", b"%PDF", b"%PDF-1.7", b"II*\0", b"PK\x03\x04 docx", b"plain text"])
def test_files_that_are_not_documents_are_not_counted(file: bytes) -> None:
    assert count(file) is None


FILES = [
    made_by_pdfium(3),
    pdf(revision(page_tree(3)), revision({60: object_stream({2: b"<</Type/Pages/Count 1>>"})})),
    pdf(revision(page_tree(2) | {50: stream(b"x" * 500, length=b"51 0 R")})),
    pdf(revision(page_tree(2) | {50: stream(b"x" * 500, length=b"400")})),
    linearized(4),
    made_by_pillow(3),
    tiff(8, 26, 500),
]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 61, 1000])
def test_the_count_does_not_depend_on_how_the_file_arrives(file: bytes, chunk: int) -> None:
    assert count(file, chunk) == count(file, len(file))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"", b"%PDF-1.7\n", b"II*\0", b"MM\0*", b"MM\0+"]), st.binary(), st.integers(1, 50))
def test_nothing_makes_it_fail(head: bytes, rest: bytes, chunk: int) -> None:
    pages = count(head + rest, chunk)
    assert pages is None or pages >= 0


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_no_damage_makes_it_fail(file: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(file)))
    damaged = file[:at] + data.draw(st.binary(max_size=20)) + file[at + data.draw(st.integers(0, 20)) :]
    pages = count(damaged)
    assert pages is None or pages >= 0


def test_memory_does_not_grow_with_the_file() -> None:
    start = pdf(b"".join(b"%d 0 obj\n%s\nendobj\n" % each for each in page_tree(2).items()))
    chunk = b"\x07" * (64 * 1024)
    for head in (b"50 0 obj\n<</Length 67108864>>\nstream\n", b"50 0 obj\n<</Length 51 0 R>>\nstream\n", b""):
        counter = PageCounter(0)
        counter.feed(start + head)
        tracemalloc.start()
        for _ in range(1024 if head else 100):
            counter.feed(chunk)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1024 * 1024
        counter.feed(b"\nendstream\nendobj\n" + revision({}))
        assert counter.end() == 2


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample documents at {SAMPLES}")
def test_real_documents_have_the_pages_that_other_programs_see() -> None:
    for path in SAMPLES.glob("*.pdf"):
        assert count(path.read_bytes()) == len(pypdfium2.PdfDocument(path)), path.name
    for path in SAMPLES.glob("*.tif"):
        with Image.open(path) as image:
            assert count(path.read_bytes()) == getattr(image, "n_frames", 1), path.name


# While a file is submitted


class File(BytesIO):
    def __len__(self) -> int:
        return len(self.getbuffer())


def test_a_body_passes_unchanged_and_is_counted_at_its_end() -> None:
    file = made_by_pdfium(3)
    body = CountingBody(File(file))
    assert len(body) == len(file)
    assert body.read(100) == file[:100]
    assert body.pages is None
    assert body.read() == file[100:]
    assert body.pages == 3
    assert body.pages == 3


def test_a_body_that_broke_off_is_not_counted() -> None:
    body = CountingBody(File(made_by_pillow(2)))
    body.read(200)
    assert body.pages is None


# What is said of it


def test_pages_that_the_free_tier_leaves_out_are_warned_of() -> None:
    assert shortfall(2, 14, None, 2000) == (
        "Only 2 of 14 pages were read: the Read resource is on the free tier (F0)."
        " Move it to a paid tier, then read the document again."
    )


def test_a_file_of_more_pages_than_read_takes_has_to_be_split() -> None:
    assert (shortfall(2000, 2400, None, 2000) or "").startswith("Only 2000 of 2400 pages were read: Read takes no more")


def test_any_other_missing_page_is_warned_of() -> None:
    assert (shortfall(3, 4, None, 2000) or "").startswith("Only 3 of 4 pages were read. ")


@pytest.mark.parametrize(
    ("read", "in_file", "asked_for"), [(2, 2, None), (3, 2, None), (2, None, None), (2, 14, "1-2"), (0, 0, None)]
)
def test_nothing_is_said_where_nothing_is_known_to_be_missing(
    read: int, in_file: int | None, asked_for: str | None
) -> None:
    assert shortfall(read, in_file, asked_for, 2000) is None

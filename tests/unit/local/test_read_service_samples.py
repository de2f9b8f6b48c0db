"""The engine on real documents: their text, in reading order, with a tolerance that OCR deserves."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from local.read_service.documents import open_document
from local.read_service.engine import Engine
from local.read_service.page import Page

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"sample documents are not at {SAMPLES}")

DECLARATION = [
    "Human Rights. Bulgarian and English.",
    "UNIVERSAL DECLARATION OF HUMAN RIGHTS",
    "Article 1",
    "All human beings are born free and equal in dignity and",
    "rights. They are endowed with reason and conscience",
    "and should act towards one another in a spirit of",
    "brotherhood.",
]
PHOTOTEST = [
    "This is a lot of 12 point text to test the",
    "ocr code and see if it works on all types",
    "of file format.",
    "The quick brown dog jumped over the",
    "lazy fox. The quick brown dog jumped",
    "over the lazy fox. The quick brown dog",
    "jumped over the lazy fox. The quick",
    "brown dog jumped over the lazy fox.",
]


@pytest.fixture(scope="module")
def read() -> Callable[[str], list[Page]]:
    engine = Engine()

    @cache
    def pages(name: str) -> list[Page]:
        with (SAMPLES / name).open("rb") as file:
            document = open_document(file)
            return [engine.read_page(page, False) for page in document.pages(range(1, document.page_count + 1))]

    return pages


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mpf-eng-0deg.png", DECLARATION),
        ("mpf-eng-90deg.png", DECLARATION),
        ("tess-phototest.tif", PHOTOTEST),
        ("tess-phototest-rotated-180.png", PHOTOTEST),
        ("ms-handwritten_text.jpg", ["You must be the change", "you want to see in the world!"]),
        ("signage.jpg", ["520", "WEST", "Seattle"]),
        ("rapid-img_exif_orientation.jpg", ["我是中国人"]),
        (
            "tika-testTIFF_multipage.tif",
            ["Multipage", "TIFF", "Example", "Page 1", "Multipage", "TIFF", "Example", "Page 2"],
        ),
        ("ia-sample.jpg", ["Sample text", "Hand writing", "123 456"]),
        ("mpf-black.png", []),
        ("fr-blank.pdf", []),
    ],
)
def test_a_clear_document_is_read_line_by_line(
    read: Callable[[str], list[Page]], name: str, expected: list[str]
) -> None:
    lines = [line.text for page in read(name) for line in page.lines]
    assert [line for line in lines if line != "●"] == expected

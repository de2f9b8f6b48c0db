"""The engine on real documents: their text in reading order, with some tolerance for OCR errors."""

import json
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pytest

from local.read_emulator.opening import open_document
from local.read_emulator.page import Page
from tests.unit.local.read_emulator import engine

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
RECORDINGS = Path(__file__).parents[4] / "shared" / "read-api" / "recordings" / "cv-v3.0"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"sample documents are not at {SAMPLES}"),
]

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


@cache
def read(name: str) -> list[Page]:
    with (SAMPLES / name).open("rb") as file:
        document = open_document(file)
        return [engine().read_page(document.page(n), False) for n in range(1, document.page_count + 1)]


def lines(name: str) -> list[str]:
    return [line.text for page in read(name) for line in page.lines]


def likeness(found: list[str], expected: list[str]) -> float:
    return SequenceMatcher(None, " ".join(found), " ".join(expected), autojunk=False).ratio()


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
def test_a_clear_document_is_read_line_by_line(name: str, expected: list[str]) -> None:
    assert [line for line in lines(name) if line != "●"] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "fr-Invoice_1.pdf",
            """Contoso Address: Invoice For: Microsoft 1 Redmond way Suite 1020 Enterprise Way 6000 Redmond, WA
            Sunnayvale, CA 87659 99243 Invoice Number Invoice Date Invoice Due Date Charges VAT ID 34278587 6/18/2017
            6/24/2017 $56,651.49 PT""",
        ),
        (
            "ms-MultiPageHandwrittenForm.pdf",
            """Sample Form: Page 1 Name John Smith Age 23 City Seattle State WA Job Engineer
            Sample Form: Page 2 Name Mary Age 35 City New York State NY Job Teacher""",
        ),
        (
            "ms-printed_text.jpg",
            """Nutrition Facts Amount Per Serving Serving size: 1 bar (40g) Total Fat 13g Serving Per Package: 4
            Saturated Fat 1.5g Amount Per Serving Trans Fat 0g Calories 190 Cholesterol 0mg ories from Fat 110
            Sodium 20mg nt Daily Values are based on Vitamin A 50% calorie diet.""",
        ),
        (
            "menu.pdf",
            """Microsoft Central Region DPE TechEd Dinner APPETIZER Family Style Appetizer Canoe Baby Back Ribs, Crunchy
            Golden Lobster Potstickers, Seared Tiger Shrimp Sticks & Tempura Crusted Ahi Sushi Roll ISLAND FRESH SALAD
            Sweet Home Waimanalo Salad Dean Okimoto's Creamy Herb Dressing ENTREES Roy's Classic Macadamia Nut Crusted
            Mahi Mahi Lobster Butter Sauce Roy's Classic Blackened Island Ahi Spicy Soy Mustard Sauce Mojo Grilled Pork
            Medallion Mustard Greens, Sunchoke Puree Garlic Blue Cheese Grilled Filet Mignon Sun Dried Tomatoes, Confit
            Cipollini & Smoked Ginger Balsamic "The Duke" Surfer Platter Blackened Island Ahi, Sous Vide of Kona
            Kanpachi, Caramelized U-10 Scallops, & Oven Roasted Tomato Tiger Shrimp Roy's Mixed Grill Fire Grilled Filet
            Mignon, Wood Roasted Australian Rack of Lamb, Da "Pork Out", & Tender Braised Short Ribs DESSERT Roy's
            Dessert Sampler Plate with Fresh Roasted Coffee or Loose Leaf Tea""",
        ),
    ],
)
def test_a_form_a_photo_and_a_scan_are_read_row_by_row_with_few_errors(name: str, expected: str) -> None:
    assert likeness(lines(name), expected.split()) > 0.98


def test_two_columns_are_read_one_after_the_other_in_natural_order() -> None:
    with (SAMPLES / "di-read.png").open("rb") as file:
        page = open_document(file).page(1)
    upper = replace(page, pixels=page.pixels[:412], height=412)  # a banner, and the first paragraph of each column
    found = [line.text for line in engine().read_page(upper, True).lines]
    assert found[0].startswith("While healthcare is still in the early stages")
    last_on_the_left = found.index("particularly in clinical trials and sales and marketing areas.")
    first_on_the_right = found.index("Tandem was able to create and deploy this innovation by")
    assert last_on_the_left + 1 == first_on_the_right


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"recorded answers of the service are not at {RECORDINGS}")
@pytest.mark.parametrize("name", ["mpf-eng-0deg", "mpf-eng-90deg"])
def test_angle_words_and_boxes_match_the_services_recorded_answer(name: str) -> None:
    recorded = json.loads((RECORDINGS / f"{name}.body.json").read_text(encoding="utf-8"))
    (theirs,) = recorded["analyzeResult"]["readResults"]
    (ours,) = read(f"{name}.png")
    assert (ours.width, ours.height, round(ours.angle)) == (theirs["width"], theirs["height"], theirs["angle"])
    for line, expected in zip(ours.lines, theirs["lines"], strict=True):
        assert line.text == expected["text"]
        assert line.box == pytest.approx(expected["boundingBox"], abs=12)  # the service's boxes have more space above
        assert [word.text for word in line.words] == [word["text"] for word in expected["words"]]
        for word, its in zip(line.words, expected["words"], strict=True):
            assert word.box == pytest.approx(its["boundingBox"], abs=20)  # lines are 40 pixels high

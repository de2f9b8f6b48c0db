"""Computer Vision v3.1-preview.2: the first with a choice of pages, and with handwriting distinguished from print.

``Pages`` has a capital P here; ``appearance.style`` is a text, "handwriting" or "print". Chinese and Japanese are not
in the description, but were announced with it (techcommunity.microsoft.com, "Computer Vision Read (OCR) API previews
new languages and docker containers", 22 September 2020).

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/preview/v3.1-preview.2/Ocr.json.
Retirement: learn.microsoft.com, Azure AI Vision, What's new.
"""

from shared.read.generation import PREVIEW_PAGES, Generation, Option
from shared.read.parsers import parse_read_results

GENERATION = Generation(
    version="v3.1-preview.2",
    service="Computer Vision",
    analyze="/vision/v3.1-preview.2/read/analyze",
    operation=r"/vision/v3\.1-preview\.2/read/(analyzeResults|operations)/(?P<id>[A-Za-z0-9_-]+)",
    url_field="url",
    options={
        "language": Option("language", r"en|es|fr|de|it|nl|pt|zh-Hans|ja", "en, es, fr, de, it, nl, pt, zh-Hans or ja"),
        "pages": PREVIEW_PAGES,
    },
    parse=parse_read_results,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF"),
    most_megabytes=50,
    most_pixels=10_000,
    most_pages=2000,
    rate="30/s",
    retired="30 September 2023",
    instead="v3.2, or 2024-11-30 with a Document Intelligence resource",
)

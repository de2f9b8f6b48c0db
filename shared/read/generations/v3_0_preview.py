"""Computer Vision v3.0-preview, the first with ``readResults``.

Gives the language of pages and lines, and confidences as numbers.

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/preview/v3.0-preview/Ocr.json.
Retirement: learn.microsoft.com, Azure AI Vision, What's new.
"""

from shared.read.generation import Generation, Option
from shared.read.parsers import parse_read_results

GENERATION = Generation(
    version="v3.0-preview",
    service="Computer Vision",
    analyze="/vision/v3.0-preview/read/analyze",
    operation=r"/vision/v3\.0-preview/read/(analyzeResults|operations)/(?P<id>[A-Za-z0-9_-]+)",
    url_field="url",
    options={
        "language": Option("language", r"en|es", "en or es"),
    },
    parse=parse_read_results,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF"),
    most_megabytes=50,
    most_pixels=10_000,
    most_pages=2000,
    rate="30/s",
    retired="31 January 2023",
    instead="v3.2, or 2024-11-30 with a Document Intelligence resource",
)

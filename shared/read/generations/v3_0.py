"""Computer Vision v3.0, generally available since May 2020.

Detects the language by itself; one that is set is forced.

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/stable/v3.0/Ocr.json.
Retirement: azure.microsoft.com/updates/computer-vision-api-retirements-13-9-2026.
"""

from shared.read.generation import Generation, Option
from shared.read.parsers import parse_read_results

GENERATION = Generation(
    version="v3.0",
    service="Computer Vision",
    analyze="/vision/v3.0/read/analyze",
    operation=r"/vision/v3\.0/read/(analyzeResults|operations)/(?P<id>[A-Za-z0-9_-]+)",
    url_field="url",
    options={
        "language": Option("language", r"en|es|fr|de|it|nl|pt", "en, es, fr, de, it, nl or pt"),
    },
    parse=parse_read_results,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF"),
    most_megabytes=50,
    most_pixels=10_000,
    most_pages=2000,
    rate="30/s",
    retired="13 September 2026",
    instead="v3.2, or 2024-11-30 with a Document Intelligence resource",
)

"""Computer Vision v3.1, which differs from v3.0 by its number.

Its endpoint has answered with ``version`` 3.0.0.

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/stable/v3.1/Ocr.json.
Retirement: azure.microsoft.com/updates/computer-vision-api-retirements-13-9-2026.
"""

from shared.read.generation import Generation, Option
from shared.read.parsers import parse_read_results

GENERATION = Generation(
    version="v3.1",
    service="Computer Vision",
    analyze="/vision/v3.1/read/analyze",
    operation=r"/vision/v3\.1/read/(analyzeResults|operations)/(?P<id>[A-Za-z0-9_-]+)",
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

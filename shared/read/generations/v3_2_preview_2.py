"""Computer Vision v3.2-preview.2, the last but one preview before v3.2.

``Pages`` has a capital P here. The description knows the seven languages of v3.1, the service took more.

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/preview/v3.2-preview.2/Ocr.json.
Retirement: learn.microsoft.com, Azure AI Vision, What's new, gives that day for the previews of 3.0 and 3.1; for those
of 3.2 no announcement was found.
"""

from shared.read.generation import PREVIEW_PAGES, Generation, Option
from shared.read.parsers import parse_read_results

GENERATION = Generation(
    version="v3.2-preview.2",
    service="Computer Vision",
    analyze="/vision/v3.2-preview.2/read/analyze",
    operation=r"/vision/v3\.2-preview\.2/read/(analyzeResults|operations)/(?P<id>[A-Za-z0-9_-]+)",
    url_field="url",
    options={
        "language": Option("language", r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or zh-Hans"),
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

"""Computer Vision v3.2, generally available since April 2021, frozen since: no further updates.

Detects languages by itself; ``language`` forces one, and the service knows more of them than its description (164 in
the model of 2022-04-30). ``appearance.style`` is an object; real handwriting has been called "other". The service of
March 2021 wrote ``model-version`` for ``modelVersion``, a container of February 2021 neither.

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/stable/v3.2/Ocr.json.
Limits: learn.microsoft.com, Call the Azure AI Vision v3.2 GA Read API; the REST reference says 50 MB.
"""

from shared.read.generation import OPEN_PAGES, Generation, Option
from shared.read.parsers import parse_read_results

GENERATION = Generation(
    version="v3.2",
    service="Computer Vision",
    analyze="/vision/v3.2/read/analyze",
    operation=r"/vision/v3\.2/read/(analyzeResults|operations)/(?P<id>[A-Za-z0-9_-]+)",
    url_field="url",
    options={
        "language": Option("language", r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or zh-Hans"),
        "pages": OPEN_PAGES,
        "model_version": Option(
            "model-version", r"(latest|[0-9]{4}-[0-9]{2}-[0-9]{2})(-preview)?", "latest, or a date such as 2022-04-30"
        ),
        "reading_order": Option("readingOrder", r"basic|natural", "basic or natural"),
    },
    parse=parse_read_results,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF"),
    most_megabytes=500,
    most_pixels=10_000,
    most_pages=2000,
    rate="30/s",
)

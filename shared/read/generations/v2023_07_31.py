"""Document Intelligence v3.1, prebuilt-read: the first that takes Office files and HTML.

Those have no lines, pages without sizes, and words without boxes: their paragraphs stand for lines.

Description: azure-rest-api-specs, cognitiveservices/data-plane/FormRecognizer/stable/2023-07-31/FormRecognizer.json.
Limits: learn.microsoft.com, Document Intelligence service quotas and limits.
"""

from shared.read.generation import ADD_ONS, CLOSED_PAGES, Generation, Option
from shared.read.parsers import parse_analyze_result

GENERATION = Generation(
    version="2023-07-31",
    service="Document Intelligence",
    analyze="/formrecognizer/documentModels/prebuilt-read:analyze",
    operation=(
        r"/formrecognizer/documentModels/[A-Za-z0-9][A-Za-z0-9._~-]{1,63}/analyzeResults/(?P<id>[A-Za-z0-9_-]+)"
    ),
    api_version="2023-07-31",
    url_field="urlSource",
    options={
        "language": Option("locale", r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or en-US"),
        "pages": CLOSED_PAGES,
        "features": ADD_ONS,
    },
    parse=parse_analyze_result,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF", "HEIF", "DOCX", "XLSX", "PPTX", "HTML"),
    most_megabytes=500,
    most_pixels=10_000,
    most_pages=2000,
    rate="15/s,50/s",
)

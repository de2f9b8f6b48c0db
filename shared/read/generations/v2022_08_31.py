"""Form Recognizer v3.0, prebuilt-read: the first generation of documents and not images. It ends on 30 March 2029.

Lines have no words and no confidence; both are joined by spans. Languages are detected unasked.

Description: azure-rest-api-specs, cognitiveservices/data-plane/FormRecognizer/stable/2022-08-31/FormRecognizer.json.
Limits: learn.microsoft.com, Document Intelligence service quotas and limits.
"""

from shared.read.generation import CLOSED_PAGES, Generation, Option
from shared.read.parsers import parse_analyze_result

GENERATION = Generation(
    version="2022-08-31",
    service="Document Intelligence",
    analyze="/formrecognizer/documentModels/prebuilt-read:analyze",
    operation=(
        r"/formrecognizer/documentModels/[A-Za-z0-9][A-Za-z0-9._~-]{1,63}/analyzeResults/(?P<id>[A-Za-z0-9_-]+)"
    ),
    api_version="2022-08-31",
    url_field="urlSource",
    options={
        "language": Option("locale", r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or en-US"),
        "pages": CLOSED_PAGES,
    },
    parse=parse_analyze_result,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF", "HEIF"),
    most_megabytes=500,
    most_pixels=10_000,
    most_pages=2000,
    rate="15/s,50/s",
)

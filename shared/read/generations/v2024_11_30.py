"""Document Intelligence v4.0, prebuilt-read: what Microsoft recommends for documents.

Another path than before, a Retry-After while an operation runs, and results that can be deleted. Its specification
may also say ``canceled``, ``skipped`` and ``completed``.

Description: azure-rest-api-specs, specification/ai/data-plane/DocumentIntelligence; azure-ai-documentintelligence.
Limits: learn.microsoft.com, Document Intelligence service quotas and limits.
"""

from shared.read.generation import ADD_ONS, CLOSED_PAGES, Generation, Option
from shared.read.parsers import parse_analyze_result

GENERATION = Generation(
    version="2024-11-30",
    service="Document Intelligence",
    analyze="/documentintelligence/documentModels/prebuilt-read:analyze",
    operation=(
        r"/documentintelligence/documentModels/[A-Za-z0-9][A-Za-z0-9._~-]{1,63}/analyzeResults/(?P<id>[A-Za-z0-9_-]+)"
    ),
    api_version="2024-11-30",
    url_field="urlSource",
    options={
        "language": Option("locale", r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or en-US"),
        "pages": CLOSED_PAGES,
        "features": ADD_ONS,
    },
    parse=parse_analyze_result,
    deletes=True,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF", "HEIF", "DOCX", "XLSX", "PPTX", "HTML"),
    most_megabytes=500,
    most_pixels=10_000,
    most_pages=2000,
    rate="15/s,50/s",
)

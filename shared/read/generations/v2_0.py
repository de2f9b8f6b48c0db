"""Computer Vision v2.0: Read as ``asyncBatchAnalyze``, the oldest generation.

Takes no option. Says ``Succeeded`` with a capital, gives pages in ``recognitionResults``, angles within [0, 360), and
for a word's confidence nothing or the word "Low". The older ``recognizeText``, whose operations are
``textOperations`` and whose one page is ``recognitionResult``, ends in the same shape.

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/stable/v2.0/Ocr.json.
Limits: MicrosoftDocs/azure-docs #28536, #43354.
Retirement: azure.microsoft.com/updates/computer-vision-api-retirements-13-9-2026.
"""

from shared.read.generation import Generation
from shared.read.parsers import parse_recognition_results

GENERATION = Generation(
    version="v2.0",
    service="Computer Vision",
    analyze="/vision/v2.0/read/core/asyncBatchAnalyze",
    operation=r"/vision/v2\.0/(read/operations|textOperations)/(?P<id>[A-Za-z0-9_-]+)",
    url_field="url",
    parse=parse_recognition_results,
    formats=("JPEG", "PNG", "BMP", "PDF", "TIFF"),
    most_megabytes=4,
    most_pixels=4200,
    most_pages=200,
    rate="30/s",
    retired="13 September 2026",
    instead="v3.2, or 2024-11-30 with a Document Intelligence resource",
)

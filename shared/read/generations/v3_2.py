"""Computer Vision v3.2, generally available since April 2021, frozen since: no further updates.

Description: azure-rest-api-specs, cognitiveservices/data-plane/ComputerVision/stable/v3.2/Ocr.json.
"""

from shared.read.computer_vision import parse_read_results
from shared.read.generation import Generation, Option

GENERATION = Generation(
    version="v3.2",
    service="Computer Vision",
    analyze="/vision/v3.2/read/analyze",
    operation=r"/vision/v3\.2/read/(analyzeResults|operations)/(?P<id>[A-Za-z0-9_-]+)",
    url_field="url",
    parse=parse_read_results,
    options={
        "language": Option("language", r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as en or zh-Hans"),
        "pages": Option("pages", r"(\d+(-\d*)?|-\d+)(,(\d+(-\d*)?|-\d+))*", "pages and ranges such as 1,3-5,8-"),
        "model_version": Option(
            "model-version", r"(latest|\d{4}-\d{2}-\d{2})(-preview)?", "latest, or a date such as 2022-04-30"
        ),
        "reading_order": Option("readingOrder", r"basic|natural", "basic or natural"),
    },
)

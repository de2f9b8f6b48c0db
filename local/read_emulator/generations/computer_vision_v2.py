"""Computer Vision v2: `read/core/asyncBatchAnalyze`.

Sources: Azure/azure-rest-api-specs, specification/cognitiveservices/data-plane/ComputerVision/stable/v2.0 and v2.1,
Ocr.json, which differ only in the version; recorded traffic in Azure/azure-sdk-for-net,
Vision.ComputerVision/tests/SessionRecords/VisionBatchReadFileTests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from local.read_emulator.documents import Limits
from local.read_emulator.generations.base import Answer, Generation, Json, Options, length, named, number
from local.read_emulator.generations.computer_vision_v3 import FLAT_CODES, UNKNOWN_OPERATION
from local.read_emulator.operation import Failure, Operation, Status
from local.read_emulator.page import Page, Word
from local.read_emulator.refusals import Reason, Rejected

LOW = 0.6
"""Words with less confidence are marked Low; the service published no number for that."""


LIMITS = Limits(megabytes=4, side=4_199, pages=200)
"""A side of 4,200 pixels was rejected, and one of 4,199 accepted (MicrosoftDocs/azure-docs #28536)."""


@dataclass(frozen=True)
class ComputerVisionV2(Generation):
    """One version of v2. It takes no parameters."""

    name: str
    sync: tuple[str, ...] = ()
    keeps_request_id: bool = False
    limits: Limits = LIMITS

    headers: ClassVar[Mapping[str, str]] = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "X-AspNet-Version": "4.0.30319",
        "X-Powered-By": "ASP.NET",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "X-Content-Type-Options": "nosniff",
    }

    @property
    @override
    def analyze(self) -> tuple[str, ...]:
        return (f"/vision/{self.name}/read/core/asyncBatchAnalyze",)

    @property
    @override
    def results(self) -> tuple[str, ...]:
        return (f"/vision/{self.name}/read/operations",)

    @override
    def options(self, query: Mapping[str, str]) -> Options:
        return Options()

    @override
    def refused(self, refusal: Rejected, request_id: str) -> Answer:
        code, message = FLAT_CODES[refusal.reason]
        message += named(refusal.subject, self)
        status = 415 if refusal.reason is Reason.MEDIA_TYPE else 400
        return Answer(status, {"code": code, "requestId": request_id, "message": message})

    @override
    def running(self, operation: Operation) -> Answer:
        return Answer(200, {"status": "NotStarted" if operation.status is Status.NOT_STARTED else "Running"})

    @override
    def succeeded(
        self, operation: Operation, pages: Sequence[Page], options: Options, faults: Sequence[Failure]
    ) -> Json:
        return {"status": "Succeeded", "recognitionResults": [_page(page) for page in pages]}

    @override
    def failed(self, operation: Operation, failure: Failure, options: Options) -> Json:
        return {"status": "Failed"}  # its description has no field for a reason

    @override
    def unknown(self, request_id: str) -> Answer:
        return Answer(404, {"code": "BadArgument", "requestId": request_id, "message": UNKNOWN_OPERATION})


def _page(page: Page) -> Json:
    return {
        "page": page.number,
        "clockwiseOrientation": number(page.angle % 360, 2),
        "width": length(page.width, page.unit),
        "height": length(page.height, page.unit),
        "unit": page.unit,
        "lines": [
            {
                "boundingBox": [length(value, page.unit) for value in line.box],
                "text": line.text,
                "words": [_word(word, page.unit) for word in line.words],
            }
            for line in page.lines
        ],
    }


def _word(word: Word, unit: str) -> Json:
    low = {"confidence": "Low"} if word.confidence < LOW else {}  # High is documented, but was never seen
    return {"boundingBox": [length(value, unit) for value in word.box], "text": word.text} | low


VERSIONS = (ComputerVisionV2("v2.0", sync=("/vision/v2.0/read/core/Analyze",)), ComputerVisionV2("v2.1"))

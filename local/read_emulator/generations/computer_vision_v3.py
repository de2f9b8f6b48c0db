"""Computer Vision v3: `read/analyze`.

Sources: Azure/azure-rest-api-specs, specification/cognitiveservices/data-plane/ComputerVision, Ocr.json of each
version; recorded traffic in Azure/azure-sdk-for-net, Vision.ComputerVision/tests/SessionRecords/VisionReadTests, and in
openmpf/openmpf-components, AzureOcrTextDetection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from typing_extensions import override

from local.read_emulator.documents import USUAL, Limits
from local.read_emulator.generations.base import Answer, Generation, Json, Options, length, named, number, timestamp
from local.read_emulator.operation import Failure, Operation
from local.read_emulator.page import Line, Page
from local.read_emulator.page_ranges import PageRanges
from local.read_emulator.refusals import Reason, Rejected

SEVEN_LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "nl", "pt"})

# learn.microsoft.com/azure/ai-services/computer-vision/language-support, optical character recognition
ALL_LANGUAGES = frozenset(  # as text: a list of 164 strings would fill a screen
    """
    af anp ar ast awa az be be-cyrl be-latn bfy bfz bg bgc bho bi bns br bra brx bs bua ca ceb ch cnr-cyrl cnr-latn co
    crh cs csb cy da de dhi doi dsb en es et eu fa fi fil fj fo fr fur fy ga gag gd gil gl gon gv gvr haw hi hlb hne
    hni hoc hr hsb ht hu ia id is it iu ja jns jv kaa kaa-cyrl kac kea kfq kha kk-cyrl kk-latn kl klr kmj ko kos kpy
    krc kru ksh ku ku-arab ku-latn kum kw ky la lb lkt lt mi mn mr ms mt mww myv nap ne niu nl no nog oc os pa pl prs
    ps pt quc rab rm ro ru sa sat sck sco sk sl sm sma sme smj smn sms so sq sr sr-cyrl sr-latn srx sv sw tet tg thf
    tk to tr tt tyv ug ur uz uz-arab uz-cyrl uz-latn vo wae xnr xsr yua za zh-hans zh-hant zu
    """.split()  # noqa: SIM905
)

MODELS = {name: name for name in ("2021-04-12", "2021-09-30-preview", "2022-01-30-preview", "2022-04-30")} | {
    "latest": "2022-04-30",
    "latest-preview": "2022-01-30-preview",
}
"""The values of `model-version`, and the model that each means."""

UNPARSABLE = (
    "The file submitted couldn't be parsed. This can be due to one of the following reasons: the file format is not "
    "supported ( Supported formats include JPEG, PNG, BMP, PDF and TIFF), the file is corrupted or password protected."
)
"""The v3.1 service's words (Azure-Samples/cognitive-services-quickstart-code #174)."""

WRAPPED_CODES = {
    Reason.MEDIA_TYPE: ("UnsupportedMediaType", "The media type of the request is not supported."),
    Reason.BODY: ("BadArgument", "JSON format error."),
    Reason.TWO_SOURCES: ("BadArgument", "JSON format error."),
    Reason.URL_MALFORMED: ("InvalidImageUrl", "Image URL is badly formatted."),
    Reason.URL_UNREACHABLE: ("FailedToDownloadImage", "Failed to download image from input URL."),
    Reason.PAGES_BEYOND_END: ("InvalidPageRange", "The page range exceeds the number of pages in the document."),
    Reason.EMPTY: ("InvalidImageSize", "The image size is not allowed to be zero."),
    Reason.TOO_MANY_BYTES: ("InvalidImageSize", "Input image is too large."),
    Reason.NOT_A_DOCUMENT: ("InvalidImage", UNPARSABLE),
    Reason.TOO_FEW_PIXELS: ("InvalidImageDimension", "Image must be at least 50 pixels in width and height."),
    Reason.TOO_MANY_PIXELS: ("InvalidImageDimension", "Input image dimensions are out of range."),
}
"""For each reason, one of the 17 codes of v3.2, and the message."""

FLAT_CODES = WRAPPED_CODES | {
    Reason.URL_UNREACHABLE: ("InvalidImageUrl", "Image URL is not accessible."),
    Reason.NOT_A_DOCUMENT: ("InvalidImageFormat", UNPARSABLE),
    Reason.TOO_FEW_PIXELS: ("InvalidImageSize", "Image must be at least 50 pixels in width and height."),
    Reason.TOO_MANY_PIXELS: ("InvalidImageSize", "Input image is too large."),
}
"""The same for earlier versions, whose 19 codes include none for dimensions."""

BEFORE_V3_2 = Limits(megabytes=50)

ARGUMENTS = {Reason.PARAMETER, Reason.PAGES_BEYOND_END, Reason.URL_MALFORMED, Reason.URL_UNREACHABLE}
"""Errors in the request itself rather than in the document (recorded: a v3.2 answer to a bad URL)."""

UNKNOWN_OPERATION = "Operation ID is invalid, expired or the results matching this operationId have been deleted."

STYLE_CONFIDENCE = 1
"""The engine cannot tell handwriting from print; nor did v3.2, which called real handwriting `other`, 1."""

PARAMETER_CODES = {
    "language": ("NotSupportedLanguage", "The provided language is not supported."),
    "pages": ("InvalidPageRange", "The provided page range is invalid."),
    "model-version": ("BadArgument", "The provided model version is invalid."),
    "readingOrder": ("InvalidReadingOrder", "The provided reading order is invalid."),
}


@dataclass(frozen=True)
class ComputerVisionV3(Generation):
    """One version of v3."""

    name: str
    version: str
    """`analyzeResult.version`, which differs from the path's."""
    languages: frozenset[str] = SEVEN_LANGUAGES
    page_ranges: Literal["closed", "open"] | None = None
    """Whether the version takes `pages`, and open ranges in it."""
    appearance: Literal["flat", "nested"] | None = None
    """The place of a line's style: `appearance.style`, or `appearance.style.name`."""
    models: Mapping[str, str] = field(default_factory=dict)
    """The values of `model-version`; a version with models also takes `readingOrder`."""
    wraps_errors: bool = False
    limits: Limits = BEFORE_V3_2
    sync: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Further names of the version in paths."""

    headers: ClassVar[Mapping[str, str]] = {
        "x-envoy-upstream-service-time": "12",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "x-content-type-options": "nosniff",
        "CSP-Billing-Usage": "CognitiveServices.ComputerVision.Transaction=1",
    }

    @property
    @override
    def analyze(self) -> tuple[str, ...]:
        return tuple(f"/vision/{name}/read/analyze" for name in (self.name, *self.aliases))

    @property
    @override
    def results(self) -> tuple[str, ...]:
        return tuple(f"/vision/{name}/read/analyzeResults" for name in (self.name, *self.aliases))

    @override
    def options(self, query: Mapping[str, str]) -> Options:
        language = query.get("language")
        if language and language.lower() not in self.languages:
            raise Rejected(Reason.PARAMETER, "language")
        ranges = PageRanges()
        if self.page_ranges and query.get("pages"):
            try:
                ranges = PageRanges.parse(query["pages"], open_ended=self.page_ranges == "open")
            except ValueError:
                raise Rejected(Reason.PARAMETER, "pages") from None
        model = order = None
        if self.models:
            model = query.get("model-version", "latest")
            order = query.get("readingorder", "basic").lower()
            if model not in self.models:
                raise Rejected(Reason.PARAMETER, "model-version")
            if order not in ("basic", "natural"):
                raise Rejected(Reason.PARAMETER, "readingOrder")
        return Options(
            pages=ranges,
            columns=order == "natural",
            language=language,
            model=self.models[model] if model else None,
        )

    @override
    def refused(self, refusal: Rejected, request_id: str) -> Answer:
        status = 415 if refusal.reason is Reason.MEDIA_TYPE else 400
        if refusal.reason is Reason.PARAMETER:
            code, message = PARAMETER_CODES[refusal.subject]
        else:
            code, message = (WRAPPED_CODES if self.wraps_errors else FLAT_CODES)[refusal.reason]
            message += named(refusal.subject, self)
        if not self.wraps_errors:
            return Answer(status, {"code": code, "requestId": request_id, "message": message})
        outer = "InvalidArgument" if refusal.reason in ARGUMENTS else "InvalidRequest"
        return Answer(
            status,
            {"error": {"code": outer, "innererror": {"code": code, "message": message}, "message": message}},
        )

    @override
    def running(self, operation: Operation) -> Answer:
        return Answer(200, self._body("running", operation))

    @override
    def succeeded(
        self, operation: Operation, pages: Sequence[Page], options: Options, faults: Sequence[Failure]
    ) -> Json:
        result = self._result(options) | {"readResults": [self._page(page, options) for page in pages]}
        if faults:
            result["errors"] = _errors(faults)
        return self._body("succeeded", operation) | {"analyzeResult": result}

    @override
    def failed(self, operation: Operation, failure: Failure, options: Options) -> Json:
        result = self._result(options) | {"readResults": [], "errors": _errors([failure])}
        return self._body("failed", operation) | {"analyzeResult": result}

    @override
    def unknown(self, request_id: str) -> Answer:
        code, message = "BadArgument", UNKNOWN_OPERATION
        if self.wraps_errors:
            return Answer(404, {"error": {"code": code, "message": message}})
        return Answer(404, {"code": code, "requestId": request_id, "message": message})

    def _body(self, status: str, operation: Operation) -> Json:
        return {
            "status": status,
            "createdDateTime": timestamp(operation.created),
            "lastUpdatedDateTime": timestamp(operation.updated),
        }

    def _result(self, options: Options) -> Json:
        model = {"modelVersion": options.model} if options.model else {}
        return {"version": self.version} | model

    def _page(self, page: Page, options: Options) -> Json:
        language = {"language": options.language} if options.language else {}
        return {
            "page": page.number,
            **language,
            "angle": number(page.angle),
            "width": length(page.width, page.unit),
            "height": length(page.height, page.unit),
            "unit": page.unit,
            "lines": [self._line(line, page.unit) for line in page.lines],
        }

    def _line(self, line: Line, unit: str) -> Json:
        appearance: Json = {}
        if self.appearance == "nested":
            style = "handwriting" if line.handwritten else "other"
            appearance = {"appearance": {"style": {"name": style, "confidence": STYLE_CONFIDENCE}}}
        elif self.appearance == "flat":
            style = "handwriting" if line.handwritten else "print"
            appearance = {"appearance": {"style": style, "styleConfidence": STYLE_CONFIDENCE}}
        return {
            "boundingBox": [length(value, unit) for value in line.box],
            "text": line.text,
            **appearance,
            "words": [
                {
                    "boundingBox": [length(value, unit) for value in word.box],
                    "text": word.text,
                    "confidence": number(word.confidence, 3),
                }
                for word in line.words
            ],
        }


def _errors(failures: Sequence[Failure]) -> list[Json]:
    """The same as `analyzeResult.errors` of Form Recognizer v2.1, which runs the same engine; not in any swagger."""
    return [{"code": failure.code, "message": failure.message} for failure in failures]


VERSIONS = (
    ComputerVisionV3("v3.0-preview", "3.0.0", languages=frozenset({"en", "es"})),
    ComputerVisionV3("v3.0", "3.0.0"),
    ComputerVisionV3("v3.1-preview.2", "3.1.0", page_ranges="closed", appearance="flat"),
    ComputerVisionV3("v3.1", "3.1.0"),
    # documented under /vision/v3.2-preview, but served under its full name like the other previews
    ComputerVisionV3("v3.2-preview.2", "3.2.0", page_ranges="closed", appearance="nested", aliases=("v3.2-preview",)),
    ComputerVisionV3(
        "v3.2",
        "3.2.0",
        languages=ALL_LANGUAGES,
        page_ranges="open",
        appearance="nested",
        models=MODELS,
        wraps_errors=True,
        limits=USUAL,
        sync=("/vision/v3.2/read/syncAnalyze",),
    ),
)

"""Document Intelligence, once Form Recognizer: the model `prebuilt-read`.

Sources: Azure/azure-rest-api-specs, specification/cognitiveservices/data-plane/FormRecognizer/stable and
specification/ai/data-plane/DocumentIntelligence; recorded traffic in Azure/azure-sdk-assets and
azure-sdk-for-python; learn.microsoft.com/azure/ai-services/document-intelligence/how-to-guides/resolve-errors.

Not here, though the service does it: Office, HTML and HEIF files, add-on features, searchable PDF.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from local.read_emulator import layout
from local.read_emulator.generations.base import Answer, Generation, Json, Options, length, number, timestamp
from local.read_emulator.operation import UNREADABLE, Failure, Operation
from local.read_emulator.page import Box, Line, Page
from local.read_emulator.page_ranges import PageRanges
from local.read_emulator.refusals import Reason, Rejected

INVALID_CONTENT = (
    "The file is corrupted or format is unsupported. Refer to documentation for the list of supported formats."
)
DIMENSIONS = "The input image dimensions are out of range. Refer to documentation for supported image dimensions."

CODES = {
    Reason.BODY: ("InvalidRequest", "ParameterMissing", "The parameter urlSource or base64Source is required."),
    Reason.URL_MALFORMED: (
        "InvalidRequest",
        "InvalidContentSourceFormat",
        "Invalid content source: The URL is invalid.",
    ),
    Reason.URL_UNREACHABLE: (
        "InvalidRequest",
        "ContentSourceNotAccessible",
        "Content is not accessible: The content source could not be downloaded.",
    ),
    Reason.PAGES_BEYOND_END: (
        "InvalidArgument",
        "InvalidParameter",
        "The parameter pages is invalid: The page range exceeds the number of pages in the document.",
    ),
    Reason.EMPTY: ("InvalidRequest", "InvalidContent", INVALID_CONTENT),
    Reason.TOO_MANY_BYTES: (
        "InvalidRequest",
        "InvalidContentLength",
        "The input image is too large. Refer to documentation for the maximum file size.",
    ),
    Reason.NOT_A_DOCUMENT: ("InvalidRequest", "InvalidContent", INVALID_CONTENT),
    Reason.TOO_FEW_PIXELS: ("InvalidRequest", "InvalidContentDimensions", DIMENSIONS),
    Reason.TOO_MANY_PIXELS: ("InvalidRequest", "InvalidContentDimensions", DIMENSIONS),
}
"""Reason to code, code inside, and message inside."""

MESSAGES = {"InvalidRequest": "Invalid request.", "InvalidArgument": "Invalid argument."}


def _text_elements(text: str) -> int:
    """Characters as people count them, near enough for the scripts that the engine reads: marks join their letters."""
    return sum(not unicodedata.combining(character) for character in text)


LENGTHS: dict[str, Callable[[str], int]] = {
    "textElements": _text_elements,
    "unicodeCodePoint": len,
    "utf16CodeUnit": lambda text: len(text.encode("utf-16-le")) // 2,
}
"""What the parameter `stringIndexType` may say, and what a text's length is then."""


ADD_ONS = frozenset({"barcodes", "formulas", "keyValuePairs", "languages", "ocrHighResolution", "styleFont"})


@dataclass(frozen=True)
class DocumentIntelligence(Generation):
    """One version, which is the value of `api-version`."""

    name: str
    root: str = "/formrecognizer"
    add_ons: frozenset[str] = frozenset()
    """What `features` may ask for; it is taken, and changes nothing here."""
    content_format: str | None = None
    """The format of the content, where the version has a choice of formats."""
    line_end: str = "\n"
    """What parts the lines of a paragraph in `content`; paragraphs are parted by a line feed."""
    running_headers: Mapping[str, str] = field(default_factory=dict)
    url_field: str = "urlSource"
    base64_field: str | None = "base64Source"
    deletes: bool = False

    headers: ClassVar[Mapping[str, str]] = {
        "x-envoy-upstream-service-time": "12",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "X-Content-Type-Options": "nosniff",
        "x-ms-region": "East US",
    }

    @property
    @override
    def analyze(self) -> tuple[str, ...]:
        return (f"{self.root}/documentModels/prebuilt-read:analyze",)

    @property
    @override
    def results(self) -> tuple[str, ...]:
        return (f"{self.root}/documentModels/prebuilt-read/analyzeResults",)

    @property
    @override
    def api_version(self) -> str:
        return self.name

    @override
    def options(self, query: Mapping[str, str]) -> Options:
        ranges = PageRanges()
        if query.get("pages"):
            try:
                ranges = PageRanges.parse(query["pages"], open_ended=False)
            except ValueError:
                raise Rejected(Reason.PARAMETER, "pages") from None
        index = query.get("stringindextype", "textElements")
        if index not in LENGTHS:
            raise Rejected(Reason.PARAMETER, "stringIndexType")
        if self.add_ons and not set(filter(None, query.get("features", "").split(","))) <= self.add_ons:
            raise Rejected(Reason.PARAMETER, "features")
        if self.content_format and query.get("outputcontentformat", "text") != "text":  # markdown is prebuilt-layout's
            raise Rejected(Reason.PARAMETER, "outputContentFormat")
        if self.content_format and query.get("output"):
            raise Rejected(Reason.PARAMETER, "output")
        return Options(pages=ranges, columns=True, string_index=index)

    @override
    def refused(self, refusal: Rejected, request_id: str) -> Answer:
        if refusal.reason is Reason.MEDIA_TYPE:
            error: Json = {"code": "UnsupportedMediaType", "message": "Request content-type is not supported."}
            return Answer(415, {"error": error}, {"ms-azure-ai-errorcode": error["code"]})
        if refusal.reason is Reason.PARAMETER:
            code, inner = "InvalidArgument", "InvalidParameter"
            message = f"The parameter {refusal.subject} is invalid: The provided value is not supported."
        else:
            code, inner, message = CODES[refusal.reason]
        error = {"code": code, "message": MESSAGES[code], "innererror": {"code": inner, "message": message}}
        return Answer(400, {"error": error}, {"ms-azure-ai-errorcode": code})

    @override
    def running(self, operation: Operation) -> Answer:
        return Answer(200, _body("running", operation), self.running_headers)

    @override
    def succeeded(self, operation: Operation, pages: Sequence[Page], options: Options) -> Json:
        content = _Content(LENGTHS[options.string_index], self.line_end)
        rendered = [content.page(page) for page in pages]
        result = {
            "apiVersion": self.name,
            "modelId": "prebuilt-read",
            "stringIndexType": options.string_index,
            **({"contentFormat": self.content_format} if self.content_format else {}),
            "content": content.text,
            "pages": rendered,
            "paragraphs": content.paragraphs,
            "styles": [],
            "languages": [],
        }
        return _body("succeeded", operation) | {"analyzeResult": result}

    @override
    def failed(self, operation: Operation, failure: Failure, options: Options) -> Json:
        error: Json = {"code": failure.code, "message": failure.message}
        if failure is UNREADABLE:
            inner = {"code": "InvalidContent", "message": INVALID_CONTENT}
            error = {"code": "InvalidRequest", "message": MESSAGES["InvalidRequest"], "innererror": inner}
        return _body("failed", operation) | {"error": error}

    @override
    def unknown(self, request_id: str) -> Answer:
        return Answer(404, {"code": "NotFound", "message": "Analyze result does not exist."})


def _body(status: str, operation: Operation) -> Json:
    return {
        "status": status,
        "createdDateTime": timestamp(operation.created),
        "lastUpdatedDateTime": timestamp(operation.updated),
    }


class _Content:
    """The text of a document as it grows, and the places of its parts in it."""

    def __init__(self, length_of: Callable[[str], int], line_end: str) -> None:
        self._length_of = length_of
        self._line_end = line_end
        self._offset = 0
        self._parts: list[str] = []
        self.paragraphs: list[Json] = []

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def page(self, page: Page) -> Json:
        """The page, once its text is appended."""
        words: list[Json] = []
        lines: list[Json] = []
        start: int | None = None
        for paragraph in layout.paragraphs(page.lines, page.angle):
            self._append("\n" if self._parts else "")
            begin, part = self._offset, len(self._parts)
            start = begin if start is None else start
            for line in paragraph:
                self._append(self._line_end if self._offset > begin else "")
                lines.append(self._line(line, page, words))
            self.paragraphs.append(
                {
                    "spans": [self._span(begin)],
                    "boundingRegions": [
                        {"pageNumber": page.number, "polygon": _polygon(layout.around(paragraph, page.angle), page)}
                    ],
                    "content": "".join(self._parts[part:]),
                }
            )
        return {
            "pageNumber": page.number,
            "angle": number(page.angle),
            "width": length(page.width, page.unit),
            "height": length(page.height, page.unit),
            "unit": page.unit,
            "words": words,
            "lines": lines,
            "spans": [] if start is None else [self._span(start)],
        }

    def _line(self, line: Line, page: Page, words: list[Json]) -> Json:
        start, told = self._offset, 0
        for word in line.words:
            at = line.text.index(word.text, told)
            self._append(line.text[told:at])
            begin = self._offset
            self._append(word.text)
            told = at + len(word.text)
            words.append(
                {
                    "content": word.text,
                    "polygon": _polygon(word.box, page),
                    "confidence": number(word.confidence, 3),
                    "span": self._span(begin),
                }
            )
        return {"content": line.text, "polygon": _polygon(line.box, page), "spans": [self._span(start)]}

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._offset += self._length_of(text)

    def _span(self, start: int) -> Json:
        return {"offset": start, "length": self._offset - start}


def _polygon(box: Box, page: Page) -> list[float]:
    return [length(value, page.unit) for value in box]


VERSIONS = (
    DocumentIntelligence("2022-08-31"),
    DocumentIntelligence("2023-07-31", add_ons=ADD_ONS),
    DocumentIntelligence(
        "2024-11-30",
        root="/documentintelligence",
        add_ons=ADD_ONS,
        content_format="text",
        line_end=" ",
        running_headers={"Retry-After": "1"},
        deletes=True,
    ),
)

"""Document Intelligence, once Form Recognizer: the model `prebuilt-read`.

Sources: Azure/azure-rest-api-specs, specification/cognitiveservices/data-plane/FormRecognizer/stable and
specification/ai/data-plane/DocumentIntelligence; recorded traffic in Azure/azure-sdk-assets and
azure-sdk-for-python; learn.microsoft.com/azure/ai-services/document-intelligence/how-to-guides/resolve-errors.

Missing here: Office, HTML and HEIF files, batches, and all add-on features except `languages`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from local.read_emulator import layout
from local.read_emulator.documents import USUAL, Limits
from local.read_emulator.generations.base import Answer, Generation, Json, Options, length, named, number, timestamp
from local.read_emulator.languages import languages
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
    Reason.TWO_SOURCES: (
        "InvalidRequest",
        "InvalidContentSourceFormat",
        "Invalid content source: Only one of urlSource and base64Source may be given.",
    ),
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
"""For each reason, the code, the inner code, and the inner message."""

NOT_SUPPORTED = "The provided value is not supported."
WRONG = {"Locale": "The language code is invalid or not supported."}
"""The message about a parameter, if it is not NOT_SUPPORTED, with the name as the service spells it there."""

MESSAGES = {"InvalidRequest": "Invalid request.", "InvalidArgument": "Invalid argument."}


def _text_elements(text: str) -> int:
    """Characters as people count them, accurate enough for the engine's scripts: marks belong to their letters."""
    return sum(not unicodedata.combining(character) for character in text)


LENGTHS: dict[str, Callable[[str], int]] = {
    "textElements": _text_elements,
    "unicodeCodePoint": len,
    "utf16CodeUnit": lambda text: len(text.encode("utf-16-le")) // 2,
}
"""The values of the parameter `stringIndexType`, and how each measures a text."""


# learn.microsoft.com/azure/ai-services/document-intelligence/language-support/ocr, Read: printed text
LOCALES_3_0 = frozenset(  # as text: lists of hundreds of strings would fill screens
    """
    af anp ar ast awa az be be-cyrl be-latn bfy bfz bg bgc bho bi bns br bra brx bs bua ca ceb ch cnr cnr-latn cnr-cyrl
    co crh cs csb cy da de dhi doi dsb en es et eu fa fi fil fj fo fr fur fy ga gag gd gil gl gon gv gvr haw hi hlb hne
    hni hoc hr hsb ht hu ia id is it iu ja jns jv kaa kaa-latn kaa-cyrl kac kea kfq kha kk kk-latn kk-cyrl kl klr kmj ko
    kos kpy krc kru ksh ku ku-latn ku-arab kum kw ky la lb lkt lt mi mn mr ms mt mww myv nap ne niu nl no nog oc os pa
    pl prs ps pt quc rab rm ro ru sa sat sck sco sk sl sm sma sme smj smn sms so sq sr sr-latn srx sv sw tet tg thf tk
    to tr tt tyv ug ur uz uz-latn uz-cyrl uz-arab vo wae xnr yua za zh zh-hans zh-hant zu
    """.split()  # noqa: SIM905
)
LOCALES = LOCALES_3_0 | frozenset(
    """
    aa ab abq ace ach ada ady ak alq alt arn asa av ay ba bem bez bik bin bla bm ce cgg chm cho ckt cr cro cv dar dav
    dje dng dua dyo efi el fon gaa gay gn guz he hil hz iba ig ilo inh jgo jmc kbd kde kg ki kj kjh kln kpe kr ksb ksf
    kv lbe lex lg ln loz luo luy lv mad mas men mer mfe mg mgh mgo min mk mnk mog moh mua mus nah nd ng nr nso nv ny nyn
    nzi oj om pag pam pap qu rn rw rwk sah saq seh sg shi sjd sn snq so-latn son ss st su ta tab teo th ti tn tpi ts
    tt-cyrl ty udm ug-cyrl uk ve vi vun wo xal xh xog zap
    """.split()  # noqa: SIM905
)
"""Codes that `locale` may begin with, in lower case; regions may follow: `en-US`."""

OFFICE_AND_HTML = {
    "DOCX": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "PPTX": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "HTML": "text/html",
}

ADD_ONS = frozenset({"barcodes", "formulas", "keyValuePairs", "languages", "ocrHighResolution", "styleFont"})


@dataclass(frozen=True)
class DocumentIntelligence(Generation):
    """One version, which is the value of `api-version`."""

    name: str
    root: str = "/formrecognizer"
    add_ons: frozenset[str] = frozenset()
    """The values of `features`; all but `languages` are accepted and ignored here."""
    locales: frozenset[str] = LOCALES
    limits: Limits = USUAL
    takes: frozenset[str] = frozenset({"HEIF"}) | frozenset(OFFICE_AND_HTML)
    media_types: frozenset[str] = frozenset(OFFICE_AND_HTML.values())
    makes_pdf: bool = False
    content_format: str | None = None
    """The format of the content, if the version has a choice of formats."""
    line_end: str = "\n"
    """Separates the lines of a paragraph in `content`; a line feed separates paragraphs."""
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
        locale = query.get("locale", "").lower()
        if locale and not {locale, locale.partition("-")[0]} & self.locales:
            raise Rejected(Reason.PARAMETER, "Locale")
        features = set(filter(None, (each.strip() for each in query.get("features", "").split(","))))
        if self.add_ons and not features <= self.add_ons:
            raise Rejected(Reason.PARAMETER, "features")
        if (
            self.content_format and query.get("outputcontentformat", "text") != "text"
        ):  # only prebuilt-layout supports markdown
            raise Rejected(Reason.PARAMETER, "outputContentFormat")
        output = query.get("output")
        if self.makes_pdf and output not in (None, "", "pdf"):  # only prebuilt-layout supports figures
            raise Rejected(Reason.PARAMETER, "output")
        return Options(
            pages=ranges,
            columns=True,
            string_index=index,
            languages=bool(self.add_ons) and "languages" in features,
            searchable=self.makes_pdf and output == "pdf",
        )

    @override
    def refused(self, refusal: Rejected, request_id: str) -> Answer:
        if refusal.reason is Reason.MEDIA_TYPE:
            error: Json = {"code": "UnsupportedMediaType", "message": "Request content-type is not supported."}
            return Answer(415, {"error": error}, {"ms-azure-ai-errorcode": error["code"]})
        if refusal.reason is Reason.PARAMETER:
            code, inner = "InvalidArgument", "InvalidParameter"
            message = f"The parameter {refusal.subject} is invalid: {WRONG.get(refusal.subject, NOT_SUPPORTED)}"
        else:
            code, inner, message = CODES[refusal.reason]
            message += named(refusal.subject, self)
        error = {"code": code, "message": MESSAGES[code], "innererror": {"code": inner, "message": message}}
        return Answer(400, {"error": error}, {"ms-azure-ai-errorcode": code})

    @override
    def refused_version(self, version: str) -> Answer | None:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", version) and version < self.name:  # in the list of resolve-errors
            message = f"The requested operation requires {self.name} or later."
            inner = {"code": "NotSupportedApiVersion", "message": message}
            error = {"code": "InvalidRequest", "message": MESSAGES["InvalidRequest"], "innererror": inner}
            return Answer(400, {"error": error}, {"ms-azure-ai-errorcode": "InvalidRequest"})
        return None

    @override
    def running(self, operation: Operation) -> Answer:
        return Answer(200, _body("running", operation), self.running_headers)

    @override
    def succeeded(
        self, operation: Operation, pages: Sequence[Page], options: Options, faults: Sequence[Failure]
    ) -> Json:
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
            "languages": _languages(content.paragraphs) if options.languages else [],
        }
        if faults:
            result["warnings"] = [{"code": fault.code, "message": fault.message} for fault in faults]
        return _body("succeeded", operation) | {"analyzeResult": result}

    @override
    def failed(self, operation: Operation, failure: Failure, options: Options) -> Json:
        error: Json = {"code": failure.code, "message": failure.message}
        if failure.code == UNREADABLE:
            inner = {"code": "InvalidContent", "message": f"{INVALID_CONTENT} {failure.message}"}
            error = {"code": "InvalidRequest", "message": MESSAGES["InvalidRequest"], "innererror": inner}
        return _body("failed", operation) | {"error": error}

    @override
    def unknown(self, request_id: str) -> Answer:
        return Answer(404, {"code": "NotFound", "message": "Analyze result does not exist."})


def _languages(paragraphs: Sequence[Json]) -> list[Json]:
    """Each language of the paragraphs, with its spans, and the lowest confidence among them."""
    found: dict[str, Json] = {}
    for paragraph, language in zip(paragraphs, languages([each["content"] for each in paragraphs]), strict=True):
        if language:
            locale, confidence = language
            entry = found.setdefault(locale, {"locale": locale, "spans": [], "confidence": 1.0})
            entry["spans"] += paragraph["spans"]
            entry["confidence"] = min(entry["confidence"], number(confidence, 2))
    return list(found.values())


def _body(status: str, operation: Operation) -> Json:
    return {
        "status": status,
        "createdDateTime": timestamp(operation.created),
        "lastUpdatedDateTime": timestamp(operation.updated),
    }


class _Content:
    """The growing text of a document, and the places of its parts in it."""

    def __init__(self, length_of: Callable[[str], int], line_end: str) -> None:
        self._length_of = length_of
        self._line_end = line_end
        self._offset = 0
        self._parts: list[str] = []
        self.paragraphs: list[Json] = []

    @property
    def text(self) -> str:
        """The whole text."""
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
    DocumentIntelligence(
        "2022-08-31",
        locales=LOCALES_3_0,
        takes=frozenset({"HEIF"}),
        media_types=frozenset(),
    ),
    DocumentIntelligence("2023-07-31", add_ons=ADD_ONS),
    DocumentIntelligence(
        "2024-11-30",
        root="/documentintelligence",
        add_ons=ADD_ONS,
        content_format="text",
        line_end=" ",
        running_headers={"Retry-After": "1"},
        deletes=True,
        makes_pdf=True,
    ),
)

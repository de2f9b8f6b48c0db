"""What goes over the wire: the parameters of each operation and its answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from shared.keys import blob_name
from web.schema import Field


class ShownStatus(StrEnum):
    """A document's status, or "trouble" if the app cannot read its row, because somebody has edited it."""

    SUBMITTING = "submitting"
    READING = "reading"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    IGNORED = "ignored"
    TROUBLE = "trouble"


Name = Annotated[
    str,
    Field(
        "The file's name in the input container, with its folders. Send a name too long for a URL in a JSON body.",
        made=blob_name,
        minLength=1,
        maxLength=1024,
    ),
]
Prefix = Annotated[
    str,
    Field(
        "Only documents whose names start with this, such as a folder and its slash.", made=blob_name, maxLength=1024
    ),
]
PageNumber = Annotated[int, Field("The page, from 1.", minimum=1, maximum=1_000_000)]
Limit = Annotated[int, Field("How many to return at most.", minimum=1, maximum=1000)]
Continuation = Annotated[
    str | None, Field("The continuation of the previous answer, unchanged, to get what follows.", maxLength=4096)
]
Box = Annotated[
    list[float] | None,
    Field(
        "The x and y of four corners, clockwise from where the text begins, in the page's unit.",
        minItems=8,
        maxItems=8,
    ),
]

# Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsRequest:
    """Which documents."""

    prefix: Prefix = ""
    status: Annotated[ShownStatus | None, Field("Only documents with this status.")] = None
    limit: Limit = 100
    continuation: Continuation = None
    names: Annotated[
        list[Name] | None,
        Field("Exactly these documents, in this order. Only in a JSON body.", minItems=1, maxItems=100),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsRequest:
    """Which documents."""

    prefix: Prefix = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRequest:
    """Which document."""

    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesRequest:
    """Which lines."""

    name: Name
    page: Annotated[int | None, Field("Only this page's lines.", minimum=1, maximum=1_000_000)] = None
    limit: Limit = 100
    continuation: Continuation = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page."""

    name: Name
    page: PageNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class PageImageRequest:
    """Which page, and how large."""

    name: Name
    page: PageNumber
    width: Annotated[int, Field("The image's width in pixels.", minimum=64, maximum=4000)] = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """What to upload."""

    name: Annotated[
        str,
        Field(
            "The file's name in the input container, with its folders.",
            made=blob_name,
            minLength=1,
            maxLength=1024,
            pattern=r"^[^\x00-\x1f\x7f]*$",
        ),
    ]
    metadata: Annotated[
        dict[str, str],
        Field("The blob's metadata, such as read options: language, pages, model_version, reading_order, features."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRequest:
    """What to forget."""

    name: Name
    keep_file: Annotated[bool, Field("Keep the file, and its row with the status ignored.")] = False


# Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A document, as lists show it. If you ask for an unknown name, all fields but the name are null."""

    name: Annotated[str, Field("The file's name in the input container.")]
    status: Annotated[
        ShownStatus | None,
        Field("Its status; trouble if the app cannot read its row; null if no such document is known."),
    ]
    page_count: Annotated[int | None, Field("Pages that were read.")]
    line_count: Annotated[int | None, Field("Lines that were read.")]
    word_count: Annotated[int | None, Field("Words that were read.")]
    uploaded_at: Annotated[datetime | None, Field("When this version of the file was uploaded.")]
    submitted_at: Annotated[datetime | None, Field("When Read accepted it.")]
    completed_at: Annotated[datetime | None, Field("When its status became final.")]
    due_at: Annotated[datetime | None, Field("When its next step is due.")]
    error_code: Annotated[str | None, Field("Why it waits or failed.")]
    error_message: Annotated[str | None, Field("The reason in words.")]
    advice: Annotated[str | None, Field("What to do about it.")]
    warning: Annotated[str | None, Field("What to know about the result of a document that succeeded.")]
    language: Annotated[str | None, Field("The language of most of its lines.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Summary):
    """A document in full."""

    text: Annotated[str | None, Field("Its text, up to 32,000 UTF-16 units. A line feed ends each line; an empty line separates pages.")]  # fmt: skip
    text_truncated: Annotated[bool | None, Field("Whether there is more text.")]
    source_etag: Annotated[str | None, Field("The ETag of the file's version.")]
    content_length: Annotated[int | None, Field("The file's size in bytes.")]
    api_version: Annotated[str | None, Field("The Read API version.")]
    model_version: Annotated[str | None, Field("The model that read it, if Read names it.")]
    requested_language: Annotated[str | None, Field("The language that Read was asked to use.")]
    requested_pages: Annotated[str | None, Field("The pages that Read was asked to read.")]
    submits: Annotated[int, Field("How often this version was sent to Read, and so may have been billed.")]
    polls: Annotated[int, Field("How often Read was polled.")]
    has_pages: Annotated[bool, Field("Whether /api/page has its pages.")]
    etag: Annotated[str, Field("Changes whenever the document changes. The ETag header has it in quotes.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Documents, sorted by key, or in the order of the names in the request."""

    value: list[Summary]
    next_link: Annotated[str | None, Field("The URL of the rest of the list, for a GET; null at the end.")]
    continuation: Annotated[str | None, Field("What to send as continuation in a JSON body; null at the end.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByStatus:
    """How many documents are in each status."""

    submitting: int
    reading: int
    waiting: int
    succeeded: int
    failed: int
    ignored: int
    trouble: Annotated[int, Field("Rows that the app cannot read, because somebody has edited them.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many documents there are."""

    files: Annotated[int, Field("The total.")]
    by_status: ByStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of text."""

    page: Annotated[int, Field("The number of its page, from 1.")]
    line: Annotated[int, Field("Its number on the page, from 1.")]
    text: Annotated[str, Field("Its text.")]
    bounding_box: Box
    unit: Annotated[str | None, Field("pixel or inch.")]
    confidence: Annotated[float | None, Field("The mean confidence of its words, 0 to 1; null if Read gives none.")]
    handwritten: Annotated[bool | None, Field("Whether it is handwritten; null if Read does not say.")]
    language: Annotated[str | None, Field("Its language; null if Read does not say.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines in reading order."""

    value: list[Line]
    next_link: Annotated[str | None, Field("The URL of the rest of the list, for a GET; null at the end.")]
    continuation: Annotated[str | None, Field("What to send as continuation in a JSON body; null at the end.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWord:
    """One word."""

    text: str
    box: Box
    confidence: Annotated[float | None, Field("0 to 1; null if Read gives none.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """One line with its words."""

    text: str
    box: Box
    confidence: Annotated[float | None, Field("The mean confidence of its words, 0 to 1; null if Read gives none.")]
    handwritten: Annotated[bool | None, Field("Whether it is handwritten; null if Read does not say.")]
    language: Annotated[str | None, Field("Its language; null if Read does not say.")]
    words: list[PageWord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, as a line of the document's pages blob stores it."""

    page: Annotated[int, Field("Its number, from 1.")]
    width: Annotated[float | None, Field("Its width, in its unit; null if Read gives none.")]
    height: Annotated[float | None, Field("Its height, in its unit; null if Read gives none.")]
    unit: Annotated[str | None, Field("pixel or inch.")]
    angle: Annotated[float | None, Field("The angle of its text, in degrees clockwise.")]
    language: Annotated[str | None, Field("Its language; null if Read does not say.")]
    text: Annotated[str, Field("Its text. A line feed ends each line.")]
    lines: list[PageLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Links that read one blob each until they expire. Keep them secret: whoever has a link can read the blob."""

    source: Annotated[str | None, Field("The file itself; null if it was deleted.")]
    text: Annotated[str | None, Field("The whole text in UTF-8; null unless the document succeeded.")]
    json: Annotated[str | None, Field("Read's JSON, byte for byte; null unless the document succeeded.")]
    pages: Annotated[str | None, Field("One page per line (JSON Lines); null unless the document succeeded.")]
    expires_at: Annotated[datetime, Field("When the links expire.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Where to send a file. The link can only create or replace this one blob."""

    name: Annotated[str, Field("The document's name.")]
    url: Annotated[str, Field("Where to send the file. Keep it secret.")]
    method: Annotated[str, Field("The HTTP method: PUT.")]
    headers: Annotated[dict[str, str], Field("The headers to send with the file, all of them, unchanged.")]
    expires_at: Annotated[datetime, Field("When the link expires.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check."""

    name: Annotated[str, Field("What was checked.")]
    ok: Annotated[bool, Field("Whether it is in order.")]
    message: Annotated[str, Field("What was found.")]
    advice: Annotated[str | None, Field("What to do about it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The results of all checks."""

    value: list[Finding]

"""What goes over the wire: the parameters of each operation, and what it answers with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from shared.keys import blob_name
from web.schema import Field


class ShownStatus(StrEnum):
    """A document's status; or trouble, where the app cannot read its row, which somebody has edited."""

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
        "The file's name in the input container, folders included. Too long for a URL, send it in a JSON body.",
        made=blob_name,
        minLength=1,
        maxLength=1024,
    ),
]
Prefix = Annotated[
    str,
    Field(
        "Only documents whose name begins with this, such as a folder with its slash.", made=blob_name, maxLength=1024
    ),
]
PageNumber = Annotated[int, Field("The page, from 1.", minimum=1, maximum=1_000_000)]
Limit = Annotated[int, Field("How many to answer with at most.", minimum=1, maximum=1000)]
Continuation = Annotated[
    str | None, Field("Where an earlier answer ended: its continuation, unchanged.", maxLength=4096)
]
Box = Annotated[
    list[float] | None,
    Field(
        "Four corners, x and y of each, clockwise from where the text begins, in the page's unit.",
        minItems=8,
        maxItems=8,
    ),
]

# Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsRequest:
    """Which documents."""

    prefix: Prefix = ""
    status: Annotated[ShownStatus | None, Field("Only documents of this status.")] = None
    limit: Limit = 100
    continuation: Continuation = None
    names: Annotated[
        list[Name] | None,
        Field("These documents and no others, in this order. In a JSON body only.", minItems=1, maxItems=100),
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
    """What is to be uploaded."""

    name: Annotated[
        str,
        Field(
            "The file's name in the input container, folders included.",
            made=blob_name,
            minLength=1,
            maxLength=1024,
            pattern=r"^[^\x00-\x1f\x7f]*$",
        ),
    ]
    metadata: Annotated[
        dict[str, str],
        Field("The blob's metadata, such as a read option: language, pages, model_version, reading_order, features."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRequest:
    """What is to be forgotten."""

    name: Name
    keep_file: Annotated[bool, Field("Leave the file where it is, and its row as ignored.")] = False


# Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A document, as lists show it. A name that was asked for and is not known has nothing but its name."""

    name: Annotated[str, Field("The file's name in the input container.")]
    status: Annotated[
        ShownStatus | None,
        Field("Where it stands; trouble where its row is not readable; null where no such document is known."),
    ]
    page_count: Annotated[int | None, Field("Pages that were read.")]
    line_count: Annotated[int | None, Field("Lines that were read.")]
    word_count: Annotated[int | None, Field("Words that were read.")]
    uploaded_at: Annotated[datetime | None, Field("When this version of the file was uploaded.")]
    submitted_at: Annotated[datetime | None, Field("When Read took it.")]
    completed_at: Annotated[datetime | None, Field("When it ended.")]
    due_at: Annotated[datetime | None, Field("When its next step is due.")]
    error_code: Annotated[str | None, Field("Why it waits, or has failed.")]
    error_message: Annotated[str | None, Field("The same in words.")]
    advice: Annotated[str | None, Field("What to do about it.")]
    warning: Annotated[str | None, Field("What the reader of a succeeded document should know.")]
    language: Annotated[str | None, Field("The language that most of its lines are in.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Summary):
    """A document, whole."""

    text: Annotated[str | None, Field("Its text, up to 32,000 UTF-16 units: lines end in a line feed, pages are parted by an empty line.")]  # fmt: skip
    text_truncated: Annotated[bool | None, Field("Whether there is more text than that.")]
    source_etag: Annotated[str | None, Field("The ETag of the version of the file.")]
    content_length: Annotated[int | None, Field("The file's size in bytes.")]
    api_version: Annotated[str | None, Field("The version of Read.")]
    model_version: Annotated[str | None, Field("The model that read it, where Read says so.")]
    requested_language: Annotated[str | None, Field("The language that Read was told.")]
    requested_pages: Annotated[str | None, Field("The pages that Read was asked for.")]
    submits: Annotated[int, Field("How often this version may have been paid for.")]
    polls: Annotated[int, Field("How often Read was asked how far it is.")]
    has_pages: Annotated[bool, Field("Whether its pages can be had at /api/page.")]
    etag: Annotated[str, Field("Changes whenever the document does; the header ETag has it in quotes.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Documents in the order of their keys, or in the order in which they were asked for by name."""

    value: list[Summary]
    next_link: Annotated[str | None, Field("What continues the list, with GET; null at its end.")]
    continuation: Annotated[str | None, Field("The same for a JSON body: its continuation.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByStatus:
    """Documents of each status."""

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

    files: Annotated[int, Field("All of them.")]
    by_status: ByStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of text."""

    page: Annotated[int, Field("Its page, from 1.")]
    line: Annotated[int, Field("Its number in the page, from 1.")]
    text: Annotated[str, Field("Its text.")]
    bounding_box: Box
    unit: Annotated[str | None, Field("pixel or inch.")]
    confidence: Annotated[float | None, Field("The mean of its words', 0 to 1; null where Read gives none.")]
    handwritten: Annotated[bool | None, Field("Whether it is handwriting, where Read says so.")]
    language: Annotated[str | None, Field("Its language, where Read says so.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines in reading order."""

    value: list[Line]
    next_link: Annotated[str | None, Field("What continues the list, with GET; null at its end.")]
    continuation: Annotated[str | None, Field("The same for a JSON body: its continuation.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWord:
    """One word."""

    text: str
    box: Box
    confidence: Annotated[float | None, Field("0 to 1; null where Read gives none.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """One line with its words."""

    text: str
    box: Box
    confidence: Annotated[float | None, Field("The mean of its words', 0 to 1; null where Read gives none.")]
    handwritten: Annotated[bool | None, Field("Whether it is handwriting, where Read says so.")]
    language: Annotated[str | None, Field("Its language, where Read says so.")]
    words: list[PageWord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: a line of the document's pages blob, as it is stored."""

    page: Annotated[int, Field("Its number, from 1.")]
    width: Annotated[float | None, Field("Its width in its unit; null where Read gives none.")]
    height: Annotated[float | None, Field("Its height in its unit; null where Read gives none.")]
    unit: Annotated[str | None, Field("pixel or inch.")]
    angle: Annotated[float | None, Field("The clockwise turn of its text in degrees.")]
    language: Annotated[str | None, Field("Its language, where Read says so.")]
    text: Annotated[str, Field("Its text, each line ended by a line feed.")]
    lines: list[PageLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Links that read one blob each, until they expire. They are secrets: whoever has one can read."""

    source: Annotated[str | None, Field("The file itself; null where it is gone.")]
    text: Annotated[str | None, Field("All its text, UTF-8; null before it has succeeded.")]
    json: Annotated[str | None, Field("Read's own JSON, byte for byte; null before it has succeeded.")]
    pages: Annotated[str | None, Field("One page a line (JSON Lines); null before it has succeeded.")]
    expires_at: Annotated[datetime, Field("When the links end.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Where to send a file. The link creates or replaces that one blob, and does nothing else."""

    name: Annotated[str, Field("The document's name from then on.")]
    url: Annotated[str, Field("Where to send the bytes. It is a secret.")]
    method: Annotated[str, Field("PUT.")]
    headers: Annotated[dict[str, str], Field("The headers to send with them, all of them as they are.")]
    expires_at: Annotated[datetime, Field("When the link ends.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was checked."""

    name: Annotated[str, Field("What was checked.")]
    ok: Annotated[bool, Field("Whether it is as it should be.")]
    message: Annotated[str, Field("What was found.")]
    advice: Annotated[str | None, Field("What to do about it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was checked."""

    value: list[Finding]

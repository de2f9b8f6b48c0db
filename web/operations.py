"""What each data route takes, what it answers and which problems it reports. The OpenAPI document is made from this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from web import shapes
from web.schema import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request, and its answer when the documents of EXAMPLE_DOCUMENTS are in storage.

    A test sends each request, and compares the whole answer except times, links and ETags.
    """

    request: Json = field(default_factory=dict)
    answer: Any = None
    """The answer's JSON; None if it has no body or is a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One data route."""

    summary: str
    description: str
    request: type | None = None
    """The parameters, in the query or in a JSON body."""
    status: int = 200
    answer: type | None = None
    media_types: tuple[str, ...] = ("application/json",)
    """The media types of the answer's body; empty if it has none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The answer's headers, each with its description."""
    problems: tuple[str, ...] = ()
    """The codes of this route alone; COMMON_PROBLEMS has those of every route."""
    caches: bool = False
    """Whether the answer has an ETag, and is 304 if the caller sends the current one."""
    example: Example = field(default_factory=Example)


COMMON_PROBLEMS = (
    "InvalidParameter",
    "InvalidBody",
    "AuthenticationRequired",
    "NotProtected",
    "BodyTooLarge",
    "UnsupportedMediaType",
    "InternalError",
    "StorageUnavailable",
)
"""The problems that any data route can report."""

_OF_A_NAME = ("NotInInbox", "UnsafeName")

INVOICE, BROKEN = "invoices/2026-001.png", "invoices/2026-002.png"
"""The two documents of the examples: Read took the first and rejected the second."""

EXAMPLE_TEXT = "Invoice 2026-001\nTotal 118.00"

_INVOICE = {
    "name": INVOICE,
    "status": "succeeded",
    "pageCount": 1,
    "lineCount": 2,
    "wordCount": 4,
    "uploadedAt": "2026-11-27T08:30:00.000Z",
    "submittedAt": "2026-11-27T08:30:02.000Z",
    "completedAt": "2026-11-27T08:30:04.000Z",
    "dueAt": None,
    "errorCode": None,
    "errorMessage": None,
    "advice": None,
    "warning": None,
    "language": "en",
}

_BROKEN = {
    **dict.fromkeys(_INVOICE),
    "name": BROKEN,
    "status": "failed",
    "uploadedAt": "2026-11-27T08:30:00.000Z",
    "completedAt": "2026-11-27T08:30:02.000Z",
    "errorCode": "InvalidImageSize",
    "errorMessage": "The input image is too large or too small.",
    "advice": "Read v3.2 takes images of 50 × 50 to 10,000 × 10,000 pixels. Resize the image, or pad a small one."
    " Then upload the file again.",
}

_LINES = (
    ("Invoice 2026-001", [40, 40, 360, 40, 360, 72, 40, 72]),
    ("Total 118.00", [40, 100, 280, 100, 280, 132, 40, 132]),
)

_WORDS = (
    (("Invoice", [40, 40, 180, 40, 180, 72, 40, 72], 0.99), ("2026-001", [192, 40, 360, 40, 360, 72, 192, 72], 0.95)),
    (("Total", [40, 100, 140, 100, 140, 132, 40, 132], 0.99), ("118.00", [152, 100, 280, 100, 280, 132, 152, 132], 0.61)),
)  # fmt: skip

EXAMPLE_PAGE: Json = {
    "page": 1,
    "width": 400,
    "height": 200,
    "unit": "pixel",
    "angle": 0,
    "language": "en",
    "text": f"{EXAMPLE_TEXT}\n",
    "lines": [
        {
            "text": text,
            "box": box,
            "confidence": sum(confidence for _, _, confidence in words) / len(words),
            "handwritten": False,
            "language": "en",
            "words": [
                {"text": word, "box": place, "confidence": confidence} for word, place, confidence in words
            ],
        }
        for (text, box), words in zip(_LINES, _WORDS, strict=True)
    ],
}  # fmt: skip

_STORAGE = "https://ACCOUNT.blob.core.windows.net"

OPERATIONS: Mapping[str, Operation] = {
    "documents": Operation(
        summary="List documents",
        description="All documents, or those with a name prefix or a status, sorted by key; or exactly those you name.",
        request=shapes.DocumentsRequest,
        answer=shapes.Documents,
        problems=("InvalidContinuation",),
        caches=True,
        example=Example(
            request={"prefix": "invoices/", "limit": 100},
            answer={"value": [_INVOICE, _BROKEN], "nextLink": None, "continuation": None},
        ),
    ),
    "counts": Operation(
        summary="Count documents",
        description="How many there are in total and in each status.",
        request=shapes.CountsRequest,
        answer=shapes.Counts,
        caches=True,
        example=Example(
            request={"prefix": "invoices/"},
            answer={
                "files": 2,
                "byStatus": {
                    "submitting": 0,
                    "reading": 0,
                    "waiting": 0,
                    "succeeded": 1,
                    "failed": 1,
                    "ignored": 0,
                    "trouble": 0,
                },
            },
        ),
    ),
    "document": Operation(
        summary="Get a document",
        description="Its status and its text. A document that failed is also answered with 200; see its status.",
        request=shapes.NameRequest,
        answer=shapes.Document,
        problems=("DocumentNotFound",),
        caches=True,
        example=Example(
            request={"name": INVOICE},
            answer={
                **_INVOICE,
                "text": EXAMPLE_TEXT,
                "textTruncated": False,
                "sourceEtag": '"0x8DE2D8C0B3A1F40"',
                "contentLength": 2048,
                "apiVersion": "v3.2",
                "modelVersion": "2022-04-30",
                "requestedLanguage": "en",
                "requestedPages": None,
                "submits": 1,
                "polls": 1,
                "hasPages": True,
                "etag": "3f0c9d1b7a5e4c22",
            },
        ),
    ),
    "lines": Operation(
        summary="List a document's lines",
        description="All lines, or those of one page, in reading order. Only a document that succeeded has lines.",
        request=shapes.LinesRequest,
        answer=shapes.Lines,
        problems=("DocumentNotFound", "NotRead", "InvalidContinuation"),
        caches=True,
        example=Example(
            request={"name": INVOICE, "page": 1},
            answer={
                "value": [
                    {
                        "page": 1,
                        "line": number,
                        "text": text,
                        "boundingBox": box,
                        "unit": "pixel",
                        "confidence": sum(word[2] for word in words) / len(words),
                        "handwritten": False,
                        "language": "en",
                    }
                    for number, ((text, box), words) in enumerate(zip(_LINES, _WORDS, strict=True), start=1)
                ],
                "nextLink": None,
                "continuation": None,
            },
        ),
    ),
    "page": Operation(
        summary="Get a page",
        description="Its lines and words with their positions. The shape is the same for every version of Read.",
        request=shapes.PageRequest,
        answer=shapes.Page,
        problems=("DocumentNotFound", "NotRead", "PageNotFound"),
        caches=True,
        example=Example(request={"name": INVOICE, "page": 1}, answer=EXAMPLE_PAGE),
    ),
    "page_image": Operation(
        summary="Draw a page",
        description="An image of the page as Read saw it. To place a box on the image, multiply its numbers by the"
        " image's width and divide by the page's width.",
        request=shapes.PageImageRequest,
        media_types=("image/png", "image/jpeg"),
        problems=(
            "DocumentNotFound",
            "NotRead",
            "PageNotFound",
            "PageNotDrawable",
            "SourceNotFound",
            "SourceChanged",
            "TooManyDrawings",
        ),
        caches=True,
        example=Example(request={"name": INVOICE, "page": 1, "width": 400}),
    ),
    "links": Operation(
        summary="Get links to a document's blobs",
        description="Each link reads one blob and expires after some minutes. No file passes through this interface.",
        request=shapes.NameRequest,
        answer=shapes.Links,
        problems=("DocumentNotFound", "LinksUnavailable", *_OF_A_NAME),
        example=Example(
            request={"name": INVOICE},
            answer={
                "source": f"{_STORAGE}/inbox/{INVOICE}?sp=r&sig=…",
                "text": f"{_STORAGE}/results/{INVOICE}.txt?sp=r&sig=…",
                "json": f"{_STORAGE}/results/{INVOICE}.json?sp=r&sig=…",
                "pages": f"{_STORAGE}/results/{INVOICE}.jsonl?sp=r&sig=…",
                "expiresAt": "2026-11-27T08:45:00.000Z",
            },
        ),
    ),
    "uploads": Operation(
        summary="Get a link to upload a file",
        description="The link creates or replaces this one blob and is valid for at most an hour. Send the file to it"
        " with the answer's headers; the app then reads it like any other file in the input container.",
        request=shapes.UploadRequest,
        status=201,
        answer=shapes.Upload,
        problems=("LinksUnavailable", *_OF_A_NAME),
        example=Example(
            request={"name": "invoices/2026-003.png", "metadata": {"language": "en"}},
            answer={
                "name": "invoices/2026-003.png",
                "url": f"{_STORAGE}/inbox/invoices/2026-003.png?sp=cw&sig=…",
                "method": "PUT",
                "headers": {
                    "x-ms-blob-type": "BlockBlob",
                    "content-type": "image/png",
                    "x-ms-meta-language": "en",
                },
                "expiresAt": "2026-11-27T09:30:00.000Z",
            },
        ),
    ),
    "read_again": Operation(
        summary="Read a document again",
        description="Reads it again, whatever the result was. Read bills it again.",
        request=shapes.NameRequest,
        status=202,
        media_types=(),
        headers={
            "Operation-Location": "The URL of the document's status.",
            "Retry-After": "Seconds to wait before asking for the status.",
        },
        problems=("DocumentNotFound", "AlreadyBeingRead", "Busy", *_OF_A_NAME),
        example=Example(request={"name": INVOICE}),
    ),
    "forget": Operation(
        summary="Forget a document",
        description="Deletes its row, its lines, its outputs, Read's copy of the result (if Read can delete it) and"
        " the file. Safe to repeat.",
        request=shapes.ForgetRequest,
        status=204,
        media_types=(),
        problems=("Busy", "NotInInbox"),
        example=Example(request={"name": BROKEN, "keepFile": False}),
    ),
    "check": Operation(
        summary="Check the app",
        description="Checks the settings, Read's endpoint and credentials, storage and roles. Costs nothing.",
        answer=shapes.Findings,
        example=Example(
            answer={
                "value": [
                    {
                        "name": "app settings",
                        "ok": True,
                        "message": "Files in inbox/ are read by Computer Vision, v3.2.",
                        "advice": None,
                    },
                ]
            }
        ),
    ),
}

"""A fake of the app's HTTP interface with made-up documents, and of storage, for tests of the page alone.

``FakeApi`` serves both on ports of their own, as two origins, so that the page's CORS and Content-Security-Policy are
real. Its switches (``offline``, ``key``, ``expired_links`` …) may be set at any time.

``python3 -m tests.web.fake_api`` serves a library to try the page with.
"""

import contextlib
import hashlib
import io
import json
import math
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, lru_cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from PIL import Image, ImageDraw, ImageFont

from web.site import security_headers

PAGE_FOLDER = Path(__file__).resolve().parents[2] / "web" / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STATUSES = ("submitting", "reading", "waiting", "succeeded", "failed", "ignored", "trouble")
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"

Json = dict[str, Any]
Word = tuple[str, float | None]
"""A word and its confidence."""


class ApiError(Exception):
    """A problem to answer with."""

    def __init__(self, status: int, code: str, detail: str, advice: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {
            "type": "about:blank",
            "title": code,
            "status": status,
            "detail": detail,
            "code": code,
            "advice": advice,
        }


@dataclass
class Document:
    """A document of the library. ``page`` makes the JSON of a page from its number, ``draw`` its image at a width."""

    name: str
    status: str = "succeeded"
    page_count: int | None = 1
    page: Callable[[int], Json] | None = None
    draw: Callable[[int, int], bytes] | None = None
    error: tuple[str, str, str] | None = None
    language: str | None = "en"
    warning: str | None = None
    uploaded: datetime = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    ready_at: float | None = None
    succeeded_at: float = 0.0
    """When its result was ready, even if nobody asked for it then; seconds since 1970."""
    then: Callable[["Document"], None] | None = None
    content: bytes = b""
    text_of: Callable[[int], str] | None = None
    requested_pages: str | None = None
    metadata: Json = field(default_factory=dict)

    def settle(self) -> None:
        """Take the steps that are due by now."""
        if self.ready_at is not None and self.status == "submitting":
            self.status = "reading"
        elif self.ready_at is not None and time.monotonic() >= self.ready_at:
            self.succeeded_at = time.time() - (time.monotonic() - self.ready_at)
            self.ready_at = None
            self.status = "succeeded"
            if self.then:
                self.then(self)

    @cached_property
    def pages(self) -> list[Json]:
        """All pages, for the text and the lines."""
        return [self.page(number) for number in range(1, (self.page_count or 0) + 1)] if self.page else []

    @cached_property
    def text_blob(self) -> bytes:
        """The text as in the output blob: a line feed ends each line, a form feed separates pages."""
        if self.text_of:
            return whole_text(self.text_of, self.page_count or 0)
        return "\f".join(f"{page['text']}\n" for page in self.pages).encode()

    @property
    def _size(self) -> tuple[int, int]:
        """The number of lines and words, as if all pages were like the first."""
        lines, each = counted(self.page) if self.page else (0, 0)
        return lines * (self.page_count or 0), each * (self.page_count or 0)

    def summary(self) -> Json:
        """The document as lists show it."""
        done = self.status == "succeeded"
        code, message, advice = self.error or (None, None, None)
        lines, words = self._size if done else (0, 0)
        return {
            "name": self.name,
            "status": self.status,
            "pageCount": self.page_count if done else None,
            "lineCount": lines if done else None,
            "wordCount": words if done else None,
            "uploadedAt": stamp(self.uploaded),
            "submittedAt": stamp(self.uploaded + timedelta(seconds=2)),
            "completedAt": stamp(self.uploaded + timedelta(seconds=6))
            if self.status in ("succeeded", "failed")
            else None,
            "dueAt": stamp(datetime.now(UTC) + timedelta(minutes=4)) if self.status == "waiting" else None,
            "errorCode": code,
            "errorMessage": message,
            "advice": advice,
            "warning": self.warning,
            "language": self.language if done else None,
        }

    def whole(self) -> Json:
        """The document as the viewer shows it."""
        summary = self.summary()
        text = (
            "\n".join(line["text"] for line in self.pages[0]["lines"])
            if self.status == "succeeded" and self.page_count == 1
            else ""
        )
        etag = hashlib.sha256(json.dumps(summary, default=str).encode()).hexdigest()[:16]
        return summary | {
            "text": text,
            "textTruncated": (self.page_count or 0) > 1,
            "sourceEtag": f'"{self.uploaded.timestamp():.0f}"',
            "contentLength": len(self.content) or 48_213,
            "apiVersion": "v3.2",
            "modelVersion": "2022-04-30",
            "requestedLanguage": self.metadata.get("language"),
            "requestedPages": self.requested_pages,
            "submits": 1,
            "polls": 3,
            "hasPages": self.page is not None,
            "etag": f'"{etag}"',
        }


def stamp(moment: datetime) -> str:
    """ISO 8601 with Z."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@cache
def whole_text(text_of: Callable[[int], str], pages: int) -> bytes:
    """The text of all pages, separated by form feeds."""
    return "\f".join(map(text_of, range(1, pages + 1))).encode()


@cache
def counted(page: Callable[[int], Json]) -> tuple[int, int]:
    """The number of lines and words on page 1."""
    lines = page(1)["lines"]
    return len(lines), sum(len(line["words"]) for line in lines)


UNKNOWN = Document("").summary().keys()


def line_of(page: Json, number: int) -> Json:
    """A line as /api/lines has it."""
    line = page["lines"][number - 1]
    kept = {name: line[name] for name in ("text", "confidence", "handwritten", "language")}
    return {"page": page["page"], "line": number, "boundingBox": line["box"], "unit": page["unit"], **kept}


# Pages


def page_of(
    lines: list[list[Word]],
    *,
    number: int = 1,
    size: tuple[float, float] = (1000, 1414),
    unit: str = "pixel",
    angle: float = 0.0,
    language: str | None = "en",
    top: float = 0.08,
    step: float = 0.032,
    height: float = 0.02,
) -> Json:
    """A page of typeset lines of words. ``angle`` turns the whole text clockwise about the page's centre."""
    width, tall = size
    made: list[Json] = []
    for at, words in enumerate(lines):
        y = (top + at * step) * tall
        x = 0.09 * width
        line: list[Json] = []
        for text, confidence in words:
            long = max(len(text), 1) * height * tall * 0.56
            box = turned(
                (x, y, x + long, y, x + long, y + height * tall, x, y + height * tall), angle, (width / 2, tall / 2)
            )
            line.append({"text": text, "box": box, "confidence": confidence})
            x += long + 0.012 * width
        left, right = line[0]["box"], line[-1]["box"]
        made.append(
            {
                "text": " ".join(text for text, _ in words),
                "box": [left[0], left[1], right[2], right[3], right[4], right[5], left[6], left[7]],
                "confidence": None,
                "handwritten": None,
                "language": language,
                "words": line,
            }
        )
    return {
        "page": number,
        "width": width,
        "height": tall,
        "unit": unit,
        "angle": angle,
        "language": language,
        "text": "\n".join(str(line["text"]) for line in made),
        "lines": made,
    }


def turned(box: tuple[float, ...], angle: float, centre: tuple[float, float]) -> list[float]:
    """Four corners, turned clockwise (y points down) about a centre, rounded to a millionth."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    out = []
    for x, y in zip(box[::2], box[1::2], strict=True):
        dx, dy = x - centre[0], y - centre[1]
        out += [round(centre[0] + dx * cos - dy * sin, 6), round(centre[1] + dx * sin + dy * cos, 6)]
    return out


@cache
def typeface() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font for the words."""
    return ImageFont.truetype(FONT, 40) if Path(FONT).is_file() else ImageFont.load_default(40)


def drawn(page: Json, width: int, *, solid: bool = False) -> bytes:
    """A PNG of a page at a width: its words where their boxes are, or each box filled (``solid``)."""
    return _drawn(json.dumps(page), width, solid)


@lru_cache(64)
def _drawn(content: str, width: int, solid: bool) -> bytes:
    page = json.loads(content)
    scale = width / page["width"]
    image = Image.new("L", (width, round(page["height"] * scale)), 252)
    draw = ImageDraw.Draw(image)
    for line in page["lines"]:
        for word in line["words"]:
            box = [value * scale for value in word["box"]]
            if solid:
                draw.polygon(box, fill=0)
                continue
            tall = math.hypot(box[6] - box[0], box[7] - box[1])
            long = max(1, round(math.hypot(box[2] - box[0], box[3] - box[1])))
            face = typeface()
            text = Image.new("L", (round(face.getlength(word["text"])) or 1, 48), 0)
            ImageDraw.Draw(text).text((0, 0), word["text"], fill=235, font=face)
            text = text.resize((long, max(1, round(tall * 1.15))), Image.Resampling.LANCZOS)
            if page["angle"]:
                text = text.rotate(-page["angle"], expand=True, resample=Image.Resampling.BICUBIC)
            at = (round(min(box[::2])), round(min(box[1::2])))
            image.paste(30, (*at, at[0] + text.width, at[1] + text.height), text)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def words(text: str, confidence: float | None = 0.98, **doubtful: float) -> list[Word]:
    """The words of a line. ``doubtful`` gives single words a confidence of their own."""
    return [(word, doubtful.get(word.strip(".,:"), confidence)) for word in text.split()]


INVOICE = page_of(
    [
        words("Harbour & Sons Ltd."),
        words("14 Quay Street, Bristol BS1 4RW"),
        words("Invoice 2026-0417"),
        words("Date: 17 November 2026", November=0.62),
        words("To: Marlowe Bindery, 3 Foundry Lane", Marlowe=0.71, Bindery=0.44),
        words("Bookcloth, linen, 40 m 612.00", linen=0.78),
        words("Millboard 2.5 mm, 100 sheets 184.50"),
        words("Thread, waxed, 12 reels 57.60", waxed=0.55),
        words("Carriage 22.00"),
        words("Total due 876.10"),
        words("Payment within thirty days, please."),
        words("Thank you for your custom."),
    ],
    step=0.045,
)
SENTENCE = "the quick brown fox jumps over a lazy dog while eleven grey herons watch from the old stone bridge"
PARAGRAPH = SENTENCE.split()


def book_lines(number: int) -> list[list[Word]]:
    """38 lines of nine words; one doubtful word on every third page, a needle on every hundredth."""
    lines: list[list[Word]] = [words(f"Page {number} of a long book")]
    for line in range(37):
        row: list[Word] = [(PARAGRAPH[(number * 7 + line * 5 + at) % len(PARAGRAPH)], 0.97) for at in range(9)]
        if line == 3 and number % 3 == 0:
            row[2] = ("hcrons", 0.41)
        if line == 5 and number % 100 == 0:
            row[4:6] = [("needle", 0.99), ("haystack", 0.99)]
        lines.append(row)
    return lines


def book_page(number: int) -> Json:
    """A page of a long book, in inches."""
    return page_of(book_lines(number), number=number, size=(8.5, 11), unit="inch", top=0.05, step=0.0235, height=0.013)


def book_text(number: int) -> str:
    """The page's part of the text."""
    return "".join(" ".join(text for text, _ in line) + "\n" for line in book_lines(number))


@cache
def dense_page(number: int = 1) -> Json:
    """5,000 words on one page."""
    lines: list[list[Word]] = [
        [(f"w{line * 25 + at:04d}", 0.5 if (line + at) % 40 == 0 else 0.95) for at in range(25)] for line in range(200)
    ]
    return page_of(lines, number=number, size=(2480, 3508), top=0.01, step=0.0048, height=0.0036)


HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
HOSTILE_NAMES = (
    f"in/{HOSTILE}.png",
    "a//b/../c #1?x=%2F+y&page=7.png",
    "trailing dot.",
    "\u202egnp.exe",
    "文" * 1000 + ".png",
)


def library(*, many: int = 10_000) -> Iterator[Document]:
    """Documents of every kind, and ``many`` more."""
    yield simple("invoices/2026/harbour.png", INVOICE)
    book = Document("book.pdf", page_count=2000, page=book_page, text_of=book_text)
    book.draw = lambda number, width: drawn(book_page(number), width)
    yield book
    dense = dense_page()
    yield Document("dense.pdf", page=lambda _: dense, draw=lambda _, width: drawn(dense, width, solid=True))
    tilted = page_of(
        [words("tilted words stand at an angle"), words("of fifteen degrees", 0.5)],
        angle=15,
        top=0.3,
        height=0.04,
        step=0.08,
    )
    yield Document("tilted.jpg", page=lambda _: tilted, draw=lambda _, width: drawn(tilted, width, solid=True))
    plain = page_of(
        [words("an old generation gives no confidence", None), words("so nothing is marked here", None)], language=None
    )
    yield simple("no-confidence.tif", plain)
    arabic = page_of([words("فاتورة رقم ٢٠٢٦"), words("المجموع المستحق")], language="ar")
    yield Document(
        "arabic.pdf",
        page=lambda _: arabic,
        draw=None,
        language="ar",
        warning="Read skipped a part of page 1 that it could not draw.",
    )
    yield Document(
        "broken.pdf",
        "failed",
        None,
        error=(
            "InvalidImage",
            "The file is damaged or protected by a password.",
            "Remove the password, or save the file anew. Then upload the file again.",
        ),
    )
    yield Document(
        "crashed.pdf",
        "failed",
        None,
        error=(
            "ProcessingFailed",
            "The function ended before its time.",
            "Look into the function's log for the error; then read the document again.",
        ),
    )
    yield Document(
        "later.pdf",
        "waiting",
        None,
        error=("QuotaExhausted", "The quota of the month is used up.", "It is tried again by itself."),
    )
    yield Document("notes.docx", "ignored", None)
    yield Document("being-read.pdf", "reading", None)
    parts = Document(
        "parts.pdf", page_count=3, requested_pages="4-5,9", page=lambda number: book_page(number) | {"page": number}
    )
    parts.draw = lambda number, width: drawn(book_page(number), width)
    yield parts
    for name in HOSTILE_NAMES:
        yield simple(name, page_of([words(HOSTILE), words("and a plain line")]))
    for number in range(many):
        yield Document(f"archive/{number:05d}.pdf", page_count=3, page=book_page)


def simple(name: str, page: Json) -> Document:
    """A document of one page."""
    return Document(name, page=lambda _: page, draw=lambda _, width: drawn(page, width))


# The servers


class FakeApi:
    """The interface at ``url`` and storage at ``storage_url``. As a context manager, it serves both from threads."""

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        self.begin(documents)
        self._api = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(ApiHandler))
        self._storage = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(StorageHandler))
        self.url = f"http://127.0.0.1:{self._api.server_port}/api/"
        self.storage_url = f"http://127.0.0.1:{self._storage.server_port}"

    def begin(self, documents: Iterable[Document]) -> None:
        """Start again with these documents, and with every switch at its default."""
        self.documents = {document.name: document for document in documents}
        self.key: str | None = None
        self.sign_in: str | None = None
        """Who refuses a caller who has not signed in: the "app", or the "platform" with a way to sign in."""
        self.offline = False
        self.cors = True
        self.slow_storage = 0.0
        """Seconds that storage takes to receive a file."""
        self.expired_links = 0
        """How many of the next links have already expired."""
        self.read_takes = 0.3
        """Seconds from the upload of a file to its text."""
        self.upload_error: ApiError | None = None
        self.requests: list[tuple[str, str, int]] = []
        """The requests for data: method, path, and size of the answer."""
        self.links = 0
        self.forgotten: list[tuple[str, bool]] = []
        self.read_again: list[str] = []
        self.uploads: dict[str, Json] = {}

    def _handler(self, kind: type["Handler"]) -> type["Handler"]:
        return type(kind.__name__, (kind,), {"world": self})

    def __enter__(self) -> "FakeApi":
        for server in (self._api, self._storage):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._api, self._storage):
            server.shutdown()
            server.server_close()

    def listed(self) -> list[Document]:
        """The documents, sorted by their rows' keys."""
        for document in self.documents.values():
            document.settle()
        return sorted(self.documents.values(), key=lambda document: document.name.replace("/", ":"))

    def link(self, name: str, which: str) -> str:
        """A link that storage accepts, unless ``expired_links`` says otherwise."""
        self.links += 1
        dead = self.expired_links > 0
        self.expired_links -= dead
        signature = urlencode({"sig": "dead" if dead else "good", "n": self.links})
        return f"{self.storage_url}/{which}/{quote(name, safe='')}?{signature}"

    def stored(self, name: str, content: bytes) -> None:
        """Start reading a file that has been uploaded."""
        document = Document(
            name,
            "submitting",
            None,
            uploaded=datetime.now(UTC),
            content=content,
            metadata=self.uploads[name]["metadata"],
        )
        document.ready_at = time.monotonic() + self.read_takes
        document.then = read_result
        self.documents[name] = document


def read_result(document: Document) -> None:
    """What "Read" finds: a failure if the file says so, the address in a shortcut, or a page of words."""
    if document.content.startswith(b"FAIL"):
        document.status = "failed"
        document.error = ("InvalidImage", "The file is damaged.", "Save the file anew. Then upload the file again.")
        return
    document.page_count = 1
    address = re.search(rb"URL=(\S+)", document.content)
    page = page_of([words("Read from"), words(address[1].decode())]) if address else INVOICE
    document.page = lambda _: page
    document.draw = lambda _, width: drawn(page, width)


class Handler(BaseHTTPRequestHandler):
    """What both servers have in common."""

    world: FakeApi
    protocol_version = "HTTP/1.1"
    quiet = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
        """Log nothing."""

    def answer(self, status: int, body: bytes = b"", /, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(ConnectionError):  # the page may have moved on
                self.wfile.write(body)

    def content(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))


class ApiHandler(Handler):
    """The interface."""

    def do_GET(self) -> None:
        """Serve a file of the page, or data."""
        path = unquote(urlsplit(self.path).path)
        if path in ("/api", "/api/"):
            self._file("index.html")
        elif path.startswith("/api/static/"):
            self._file(path.rpartition("/")[2])
        else:
            self._data()

    def do_POST(self) -> None:
        """Serve data."""
        self._data()

    def _file(self, name: str) -> None:
        path = PAGE_FOLDER / name
        if path.suffix not in TYPES or not path.is_file():
            self.answer(404)
            return
        headers = {"Content-Type": f"{TYPES[path.suffix]}; charset=utf-8", "Cache-Control": "no-cache"}
        self.answer(200, path.read_bytes(), **headers, **security_headers(self.world.storage_url))

    def _data(self) -> None:
        parts = urlsplit(self.path)
        route = parts.path.removeprefix("/api/")
        query: Json = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self.content()
        try:
            if "code" in query:
                raise ApiError(400, "KeyInUrl", "The page put its key into a URL.", "")
            if self.world.key and self.headers.get("x-functions-key") != self.world.key:
                self.answer(401)
                return
            if self.world.sign_in == "platform":
                self.answer(302, b"", location="https://login.microsoftonline.com/common/oauth2/v2.0/authorize")
                return
            if self.world.sign_in:
                raise ApiError(401, "AuthenticationRequired", "Nobody has signed in.", "Sign in.")
            if self.world.offline:
                raise ApiError(
                    503,
                    "StorageUnavailable",
                    "Storage cannot be reached.",
                    "Nothing to do: it is tried again by itself.",
                )
            if body:
                query |= json.loads(body)
            answer = getattr(self, "do_" + route.replace("-", "_"))(query)
        except ApiError as error:
            self.answer(
                error.status,
                json.dumps(error.body).encode(),
                content_type="application/problem+json",
                x_ms_error_code=str(error.body["code"]),
            )
            return
        status, content, headers = answer
        self.world.requests.append((self.command, route, len(content)))
        self.answer(status, content, **headers)

    def _json(self, body: object, status: int = 200, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        content = json.dumps(body, ensure_ascii=False).encode()
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if self.headers.get("if-none-match") == etag:
            return 304, b"", {"etag": etag}
        return status, content, {"content_type": "application/json", "etag": etag, **headers}

    def _document(self, query: Json) -> Document:
        document = self.world.documents.get(query["name"])
        if document is None:
            raise ApiError(404, "DocumentNotFound", "There is no document with this name.", "Look for it in the list.")
        document.settle()
        return document

    def do_documents(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """A part of the list, or the summaries of the names."""
        known = self.world.documents
        if "names" in query:
            for name in query["names"]:
                if name in known:
                    known[name].settle()
            return self._json(
                {
                    "value": [
                        known[name].summary() if name in known else dict.fromkeys(UNKNOWN) | {"name": name}
                        for name in query["names"]
                    ],
                    "nextLink": None,
                    "continuation": None,
                }
            )
        found = [
            each
            for each in self.world.listed()
            if each.name.startswith(query.get("prefix", "")) and query.get("status") in (None, "", each.status)
        ]
        return self._part(query, "documents", [each.summary for each in found])

    def _part(self, query: Json, route: str, makes: list[Callable[[], Json]]) -> tuple[int, bytes, dict[str, str]]:
        """A part of a list, and the continuation."""
        start, limit = int(query.get("continuation") or 0), int(query.get("limit", 100))
        more = str(start + limit) if start + limit < len(makes) else None
        return self._json(
            {
                "value": [make() for make in makes[start : start + limit]],
                "nextLink": f"/api/{route}?{urlencode({'continuation': more})}" if more else None,
                "continuation": more,
            }
        )

    def do_counts(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """How many documents there are, by status."""
        found = [each.status for each in self.world.listed() if each.name.startswith(query.get("prefix", ""))]
        return self._json({"files": len(found), "byStatus": {status: found.count(status) for status in STATUSES}})

    def do_document(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """One document."""
        return self._json(self._document(query).whole())

    def do_page(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """One page."""
        document = self._document(query)
        if not document.page:
            raise ApiError(404, "PageNotFound", "Read gave no such page.", "")
        return self._json(document.page(int(query["page"])))

    def do_page_image(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """One page's image."""
        document = self._document(query)
        if not document.draw:
            raise ApiError(422, "PageNotDrawable", "This page cannot be drawn.", "Download the file to see it.")
        return 200, document.draw(int(query["page"]), int(query["width"])), {"content_type": "image/png"}

    def do_lines(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """Lines of a document, a part at a time."""
        document = self._document(query)
        lines: list[Callable[[], Json]] = [
            partial(line_of, page, at) for page in document.pages for at in range(1, len(page["lines"]) + 1)
        ]
        return self._part(query, "lines", lines)

    def do_links(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """Links to the stored blobs."""
        name = self._document(query).name
        return self._json(
            {which: self.world.link(name, which) for which in ("source", "text", "json", "pages")}
            | {"expiresAt": stamp(datetime.now(UTC))}
        )

    def do_uploads(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """A link to upload one file."""
        if self.world.upload_error:
            raise self.world.upload_error
        self.world.uploads[query["name"]] = query
        headers = {"x-ms-blob-type": "BlockBlob"} | {
            f"x-ms-meta-{name}": value for name, value in query["metadata"].items()
        }
        link = {
            "name": query["name"],
            "url": self.world.link(query["name"], "inbox"),
            "method": "PUT",
            "headers": headers,
        }
        return self._json(link | {"expiresAt": stamp(datetime.now(UTC))}, 201)

    def do_read_again(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """Read a document again."""
        document = self._document(query)
        self.world.read_again.append(document.name)
        document.status, document.error, document.uploaded = "submitting", None, datetime.now(UTC)
        document.ready_at, document.then = time.monotonic() + self.world.read_takes, read_result
        return 202, b"", {"operation_location": "/api/document", "retry_after": "2"}

    def do_forget(self, query: Json) -> tuple[int, bytes, dict[str, str]]:
        """Forget a document."""
        self.world.forgotten.append((self._document(query).name, query["keepFile"]))
        del self.world.documents[query["name"]]
        return 204, b"", {}

    def do_check(self, _: Json) -> tuple[int, bytes, dict[str, str]]:
        """The check of the set-up."""
        bad = {
            "name": "Read resource",
            "ok": False,
            "message": "The key was refused.",
            "advice": "Check READ_KEY against the resource's keys.",
        }
        return self._json(
            {
                "value": [
                    {"name": "Settings", "ok": True, "message": "All are of the expected form.", "advice": None},
                    bad,
                ]
            }
        )


class StorageHandler(Handler):
    """Storage: uploads and downloads by link, from another origin."""

    def _cors(self) -> dict[str, str]:
        if not self.world.cors:
            return {}
        return {
            "access_control_allow_origin": self.world.url.removesuffix("/api/"),
            "access_control_allow_methods": "GET,PUT",
            "access_control_allow_headers": "content-type,x-ms-blob-type,x-ms-meta-language,range",
            "access_control_expose_headers": "content-range",
        }

    def do_OPTIONS(self) -> None:
        """A browser's CORS preflight."""
        self.answer(200 if self.world.cors else 403, b"", **self._cors())

    def do_PUT(self) -> None:
        """Receive a file."""
        content = self.content()
        time.sleep(self.world.slow_storage)
        if "sig=good" not in self.path:
            self._refuse()
            return
        self.world.stored(unquote(urlsplit(self.path).path.split("/")[2]), content)
        self.answer(201, b"", **self._cors())

    def do_GET(self) -> None:
        """Send a blob."""
        if "sig=good" not in self.path:
            self._refuse()
            return
        _, which, name = urlsplit(self.path).path.split("/")
        document = self.world.documents[unquote(name)]
        content = (
            document.text_blob
            if which == "text"
            else json.dumps(
                {"status": "succeeded", "analyzeResult": {"readResults": [document.page(1)] if document.page else []}}
            ).encode()
        )
        self.answer(
            200,
            content,
            content_type="application/octet-stream",
            content_disposition="attachment; filename=download.txt",
            **self._cors(),
        )

    def _refuse(self) -> None:
        self.answer(
            403, b"<Error><Code>AuthenticationFailed</Code></Error>", content_type="application/xml", **self._cors()
        )


if __name__ == "__main__":
    with FakeApi(library()) as world:
        world.key = sys.argv[1] if len(sys.argv) > 1 else None
        print(world.url, flush=True)
        threading.Event().wait()

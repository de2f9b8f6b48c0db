"""A service played from a script: what stands behind the routes, and what stands before them."""

import asyncio
import hashlib
import json
import math
import threading
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from random import Random
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.read_service.generations import Generation, Options
from local.read_service.operation import Failure, Operation, Status
from local.read_service.page import Line, Page, Word
from local.read_service.reader import KEPT, Entry, packed
from local.read_service.refusals import Reason, Refused
from local.read_service.script import Fault, QuotaRule, Script
from local.read_service.server import ReadService
from local.read_service.serving import reset, truncate

WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog")


class ScriptedReader:
    """Operations that end when the script says, with the text it says. Takes any content for a document."""

    def __init__(self, script: Script, clock: Callable[[], datetime]) -> None:
        self._script = script
        self._clock = clock
        self._chance = Random(script.seed)  # noqa: S311 - to be repeated, not to be secret
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._ends: dict[str, datetime] = {}
        self._failures: dict[str, Failure] = {}
        body = (script.folder / script.result.file).read_bytes() if script.result.file else None
        self._body = zlib.compress(body) if body is not None else None
        self.numbers: dict[str, int] = {}
        """Operations by the order in which they were accepted, from 1."""
        self.documents: Counter[str] = Counter()
        """SHA-256 of each content, and how often it was accepted."""

    def accept(self, generation: Generation, options: Options, file: IO[bytes]) -> Operation:
        """Take a document on. Raises Refused where the script has none of the pages asked for."""
        with file:
            digest = hashlib.sha256(file.read()).hexdigest()
        if not options.pages.of(self._script.result.pages):
            raise Refused(Reason.PAGES_BEYOND_END)
        with self._lock:
            now = self._clock()
            operation = Operation(str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), now, now)
            self._ends[operation.id] = now + timedelta(seconds=self._script.latency.draw(self._chance))
            self._entries[operation.id] = Entry(operation, generation, options)
            self.numbers[operation.id] = len(self.numbers) + 1
            self.documents[digest] += 1
        return operation

    def look(self, operation_id: str) -> Entry | None:
        """Where the operation stands; None where there is none, or none any more."""
        entry, now = self._entries.get(operation_id), self._clock()
        if entry is None or now > entry.operation.created + KEPT:
            return None
        if entry.body is None and now >= self._ends[operation_id]:
            entry = self._entries[operation_id] = self._ended(entry)
        return entry

    def delete(self, operation_id: str) -> None:
        """Forget the operation and its result."""
        self._entries.pop(operation_id, None)

    def fail(self, operation_id: str, failure: Failure) -> None:
        """Let the operation end so."""
        self._failures[operation_id] = failure

    def ready(self) -> bool:
        """Always: there is nothing to load."""
        return True

    def _ended(self, entry: Entry) -> Entry:
        failure = self._failures.get(entry.operation.id)
        status = Status.FAILED if failure else Status.SUCCEEDED
        operation = replace(entry.operation, status=status, updated=self._ends[entry.operation.id])
        if failure:
            body = packed(entry.generation.failed(operation, failure, entry.options))
        elif self._body is not None:
            body = self._body
        else:
            numbers = entry.options.pages.of(self._script.result.pages)[: self._script.page_cap]
            pages = [_page(number, self._script.result.lines) for number in numbers]
            body = packed(entry.generation.succeeded(operation, pages, entry.options))
        return replace(entry, operation=operation, body=body)


def _page(number: int, lines: int) -> Page:
    """US letter in inches, with as many lines as asked for, however close they stand."""
    return Page(
        number, 0.0, 8.5, 11.0, "inch", tuple(_line(number, line, 1 + line * 9 / lines) for line in range(lines))
    )


def _line(page: int, line: int, top: float) -> Line:
    texts = [f"{page}.{line + 1}", *(WORDS[(page + line + n) % len(WORDS)] for n in range(5))]
    words = tuple(
        Word((left, top, left + 0.9, top, left + 0.9, top + 0.1, left, top + 0.1), text, 0.99)
        for text, left in zip(texts, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), strict=True)
    )
    return Line((1.0, top, 6.9, top, 6.9, top + 0.1, 1.0, top + 0.1), " ".join(texts), words)


def scripted(script: Script, clock: Callable[[], datetime], key: str | None = None) -> "Stage":
    """The ASGI application that plays the script."""
    reader = ScriptedReader(script, clock)
    return Stage(ReadService(reader, key).app, script, reader, clock)


class Stage:
    """The ASGI application in front of the routes: counts each call, holds it to the quotas, and lets faults happen."""

    def __init__(self, app: ASGIApp, script: Script, reader: ScriptedReader, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._script = script
        self._reader = reader
        self._clock = clock
        self._chance = Random(script.seed)  # noqa: S311 - to be repeated, not to be secret
        self._quotas = [(rule, rule.quota()) for rule in script.quotas]
        self._calls: Counter[str] = Counter()
        self._looks: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()

    def counters(self) -> dict[str, Any]:
        """What happened so far."""
        return {
            "posts": self._calls["POST"],
            "gets": self._calls["GET"],
            "accepted": len(self._reader.numbers),
            "outcomes": dict(self._outcomes),
            "documents": dict(self._reader.documents),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["path"] == "/script/counters":
            await JSONResponse(self.counters())(scope, receive, send)
        elif scope["path"] in ("/status", "/ready") or scope["method"] not in ("POST", "GET"):
            await self._app(scope, receive, send)
        else:
            await self._play(scope, receive, send)

    async def _play(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        self._calls[method] += 1
        operation_id = path.rpartition("/")[2]
        self._looks[operation_id] += 1
        throttled = self._throttled(method, path)
        fault = next(
            (
                fault
                for fault in self._script.faults
                if not throttled
                and fault.fits(
                    method,
                    call=self._calls[method],
                    operation=self._reader.numbers.get(operation_id),
                    look=self._looks[operation_id],
                    chance=self._chance,
                )
            ),
            None,
        )
        if fault and fault.do == "reset before":
            self._outcomes[f"{method} {fault.do}"] += 1
            await reset(scope, receive)
            return
        instead = _instead(fault, path) if fault and fault.do in ("status", "html") else None
        response = throttled or (instead if fault and not fault.after else None)
        if response:
            while (await receive()).get("more_body"):
                pass  # read what is sent, so that the sender gets to hear the answer
        else:
            if fault and fault.do == "expire":
                self._reader.delete(operation_id)
            response = await _response(self._app, scope, receive)
            response = instead or response
        if fault:
            await self._change(fault, response)
        if fault and fault.do in ("reset after", "truncate"):
            self._outcomes[f"{method} {fault.do}"] += 1
            await (truncate(scope, receive, send, response) if fault.do == "truncate" else reset(scope, receive))
            return
        self._outcomes[f"{method} {response.status_code}"] += 1
        await response(scope, receive, send)

    def _throttled(self, method: str, path: str) -> Response | None:
        now = self._clock().timestamp()
        for rule, quota in self._quotas:
            wait = quota.wait(now) if method in rule.methods else 0.0
            if wait > 0:
                return _too_many(path, math.ceil(wait), rule)
        return None

    async def _change(self, fault: Fault, response: Response) -> None:
        """Do to the application's answer what the fault says."""
        location = response.headers.get("Operation-Location")
        if fault.do == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.do == "fail" and location:
            operation_id = urlsplit(location).path.rpartition("/")[2]
            self._reader.fail(operation_id, Failure(fault.code, fault.message))
        elif fault.do == "location" and location:
            parts = urlsplit(location)
            response.headers["Operation-Location"] = urlunsplit(
                parts._replace(
                    scheme=fault.scheme or parts.scheme,
                    netloc=fault.host or parts.netloc,
                    query=parts.query if fault.query is None else fault.query,
                )
            )
        elif fault.do == "status word" and response.status_code == 200:
            body = json.loads(bytes(response.body)) | {"status": fault.word}
            response.body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            response.headers["Content-Length"] = str(len(response.body))


async def _response(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """The application's answer, whole, unsent."""
    response, body = Response(), b""

    async def take(message: Message) -> None:
        nonlocal body
        if message["type"] == "http.response.start":
            response.status_code, response.raw_headers = message["status"], list(message["headers"])
        else:
            body += message.get("body", b"")

    await app(scope, receive, take)
    response.body = body
    return response


def _instead(fault: Fault, path: str) -> Response:
    status = fault.status
    if fault.do == "html":
        page = f"<html><head><title>{status}</title></head><body><h1>{HTTPStatus(status).phrase}</h1></body></html>"
        return HTMLResponse(page, status, fault.headers)
    if isinstance(fault.body, str):
        return Response(fault.body, status, fault.headers)
    if fault.body is None and status == 429:
        return _too_many(path, 1, QuotaRule(), fault.headers)
    words = {
        500: ("InternalServerError", "An unexpected error occurred."),
        503: ("ServiceUnavailable", "Please retry."),
    }
    code, message = words.get(status, (str(status), HTTPStatus(status).phrase))
    return JSONResponse(fault.body or {"error": {"code": code, "message": message}}, status, fault.headers)


def _too_many(path: str, seconds: int, rule: QuotaRule, headers: Mapping[str, str] | None = None) -> Response:
    """As recorded (azure-sdk-for-python, formrecognizer, October 2020), without Retry-After unless the rule adds it."""
    if path.startswith("/vision/"):
        api, tier = f"Computer Vision API ({path.split('/')[2]})", "ComputerVision S1"
    else:
        api, tier = "Form Recognizer API", "FormRecognizer S0"
    message = (
        f"Requests to the Read Operation under {api} have exceeded rate limit of your current {rule.tier or tier} "
        f"pricing tier. Please retry after {seconds} seconds. Please contact Azure support service if you would like "
        "to further increase the default rate limit."
    )
    wait = {"Retry-After": str(seconds)} if rule.retry_after else {}
    return JSONResponse({"error": {"code": "429", "message": message}}, 429, wait | dict(headers or {}))

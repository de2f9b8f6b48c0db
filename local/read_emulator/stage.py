"""A layer in front of the routes when a script is played: quotas, faults, and counts of everything that happened."""

import asyncio
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from random import Random
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.read_emulator.operation import Failure
from local.read_emulator.script import Fault, QuotaRule, Script
from local.read_emulator.scripted_reader import ScriptedReader
from local.read_emulator.server import ReadService
from local.read_emulator.serving import reset, truncate


class Stage:
    """An ASGI application that counts each call, enforces the quotas, and makes faults happen."""

    def __init__(self, script: Script, clock: Callable[[], datetime], key: str | None = None) -> None:
        self._reader = ScriptedReader(script, clock)
        self._app = ReadService(self._reader, key).app
        self._script = script
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
        throttled, fault = self._admit(method, path)
        if fault and fault.do == "reset before":
            self._outcomes[f"{method} {fault.do}"] += 1
            await reset(scope, receive)
            return
        instead = throttled or (_instead(fault, path) if fault and fault.do in ("status", "html") else None)
        if instead and not (fault and fault.after):
            while (await receive()).get("more_body"):
                pass  # read the body, so that the sender receives the answer
            response = instead
        else:
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

    def _admit(self, method: str, path: str) -> tuple[Response | None, Fault | None]:
        """Count the call; returns a quota's refusal, or the fault that happens to it."""
        self._calls[method] += 1
        operation_id = path.rpartition("/")[2] if method == "GET" else ""
        self._looks[operation_id] += 1
        throttled = self._throttled(method, path)
        if throttled:
            return throttled, None
        call, look = self._calls[method], self._looks[operation_id]
        operation = self._reader.numbers.get(operation_id)
        for fault in self._script.faults:
            if fault.fits(method, call, operation, look, self._chance):
                if fault.do == "expire":
                    self._reader.delete(operation_id)
                return None, fault
        return None, None

    def _throttled(self, method: str, path: str) -> Response | None:
        now = self._clock().timestamp()
        for rule, quota in self._quotas:
            wait = quota.wait(now) if method in rule.methods else 0.0
            if wait > 0:
                return _too_many(path, math.ceil(wait), rule)
        return None

    async def _change(self, fault: Fault, response: Response) -> None:
        """Apply the fault to the application's answer."""
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
    """The application's whole answer, not sent yet."""
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

"""The routes: one POST and one GET for each generation, what a container answers about itself, and what the gateway
in front of the service answers on its own."""

import asyncio
import base64
import binascii
import hmac
import json
import tempfile
import time
import uuid
import zlib
from collections.abc import Iterable
from typing import IO
from urllib.parse import urlsplit

import requests
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.read_emulator import generations
from local.read_emulator.documents import MAX_BYTES
from local.read_emulator.generations import Answer, Generation
from local.read_emulator.reader import Backend
from local.read_emulator.refusals import Reason, Rejected

JSON_TYPE = "application/json; charset=utf-8"

IN_MEMORY = 4 * 1024 * 1024
"""Larger bodies wait for their turn on disk, in files that vanish when they are closed."""

DOWNLOAD_SECONDS = 30
"""How long fetching a document by its URL may take."""

NOT_FOUND = Answer(404, {"error": {"code": "404", "message": "Resource not found"}})
"""The gateway to a path that is none (langchain-ai/langchain #28666)."""

ACCESS_DENIED = Answer(
    401,
    {
        "error": {
            "code": "401",
            "message": "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
            "valid key for an active subscription and use a correct regional API endpoint for your resource.",
        }
    },
)
"""The gateway's (azure-sdk-for-python, formrecognizer, recording test_content_url_auth_bad_key)."""


STATUS = {
    "service": "computervisionread",
    "apiStatus": "Valid",
    "apiStatusMessage": "Api Key is valid, no action needed.",
}
READY = {"service": "computervisionread", "ready": "ready", "message": "Api is ready.."}
"""The container's `/ready` (azure-sdk-for-net #17903)."""


class ReadService:
    """The ASGI application `app`, over a backend that reads."""

    def __init__(self, backend: Backend, key: str | None = None) -> None:
        self._backend = backend
        self._key = key
        self._analyze = _by_path((path, each) for each in generations.ALL for path in each.analyze)
        self._results = _by_path((path, each) for each in generations.ALL for path in each.results)
        self.app = Starlette(
            routes=[
                Route("/status", self._status),
                Route("/ready", self._ready),
                *(Route(path, self._post, methods=["POST"]) for path in self._analyze),
                *(Route(f"{path}/{{id}}", self._get, methods=["GET", "DELETE"]) for path in self._results),
            ],
            exception_handlers={404: _not_found, 405: _not_found},
        )

    async def _status(self, _: Request) -> Response:
        return JSONResponse(STATUS)

    async def _ready(self, _: Request) -> Response:
        if self._backend.ready():
            return JSONResponse(READY)
        return JSONResponse(READY | {"ready": "notReady", "message": "The engine is loading."}, 503)

    async def _post(self, request: Request) -> Response:
        generation = _select(self._analyze[request.url.path], request)
        if generation is None:
            return _respond(NOT_FOUND)
        if self._denied(request):
            return _respond(ACCESS_DENIED)
        request_id = str(uuid.uuid4())
        query = {name.lower(): value for name, value in request.query_params.items()}
        try:
            options = generation.options(query)
            file = await _document(request, generation)
            try:
                operation = await asyncio.to_thread(self._backend.accept, generation, options, file)
            except Rejected:
                file.close()
                raise
        except Rejected as refusal:
            return _respond(generation.refused(refusal, request_id), generation, request_id)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        location = f"{request.url.scheme}://{request.url.netloc}{generation.location(operation.id)}"
        return _respond(
            Answer(202, headers={"Operation-Location": location}),
            generation,
            operation.id if generation.keeps_request_id else request_id,
        )

    async def _get(self, request: Request) -> Response:
        operation_id = request.path_params["id"]
        generation = _select(self._results[request.url.path.rpartition("/")[0]], request)
        if generation is None or (request.method == "DELETE" and not generation.deletes):
            return _respond(NOT_FOUND)
        if self._denied(request):
            return _respond(ACCESS_DENIED)
        request_id = str(uuid.uuid4())
        entry = self._backend.poll(operation_id)
        if entry is None or entry.generation is not generation:
            return _respond(generation.unknown(request_id), generation, request_id)
        if request.method == "DELETE":
            self._backend.delete(operation_id)
            return _respond(Answer(204), generation, request_id)
        if entry.body is None:
            return _respond(generation.running(entry.operation), generation, request_id)
        headers = {**generation.headers, "apim-request-id": request_id}
        return Response(zlib.decompress(entry.body), headers=headers, media_type=JSON_TYPE)

    def _denied(self, request: Request) -> bool:
        given = request.headers.get("Ocp-Apim-Subscription-Key", "")
        return self._key is not None and not hmac.compare_digest(given.encode(), self._key.encode())


def _by_path(pairs: Iterable[tuple[str, Generation]]) -> dict[str, list[Generation]]:
    found: dict[str, list[Generation]] = {}
    for path, generation in pairs:
        found.setdefault(path, []).append(generation)
    return found


def _select(candidates: Iterable[Generation], request: Request) -> Generation | None:
    version = request.query_params.get("api-version")
    return next((each for each in candidates if each.api_version in (None, version)), None)


async def _not_found(_: Request, __: Exception) -> Response:
    return _respond(NOT_FOUND)


def _respond(answer: Answer, generation: Generation | None = None, request_id: str | None = None) -> Response:
    headers = {**(generation.headers if generation else {}), **answer.headers}
    if request_id:
        headers["apim-request-id"] = request_id
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, answer.status, headers, media_type=JSON_TYPE)


async def _document(request: Request, generation: Generation) -> IO[bytes]:
    """The document that the request holds or points to. Raises Rejected."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return await asyncio.to_thread(_pointed_to, await _body(request), generation)
    if media_type.startswith("image/") or media_type in ("application/pdf", "application/octet-stream"):
        return await _body(request)
    raise Rejected(Reason.MEDIA_TYPE)


async def _body(request: Request) -> IO[bytes]:
    file = _spool()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BYTES:  # the rest is read all the same, so that the client gets to hear the answer
            file.write(chunk)
    if size > MAX_BYTES:
        file.close()
        raise Rejected(Reason.TOO_MANY_BYTES)
    file.seek(0)
    return file


def _pointed_to(body: IO[bytes], generation: Generation) -> IO[bytes]:
    with body:
        try:
            source = json.load(body)
        except (ValueError, RecursionError):
            raise Rejected(Reason.BODY) from None
    if not isinstance(source, dict):
        raise Rejected(Reason.BODY)
    encoded = source.get(generation.base64_field) if generation.base64_field else None
    if isinstance(encoded, str):
        file = _spool()
        try:
            file.write(base64.b64decode(encoded, validate=True))
        except binascii.Error:
            raise Rejected(Reason.BODY) from None
        file.seek(0)
        return file
    url = source.get(generation.url_field)
    if not isinstance(url, str):
        raise Rejected(Reason.BODY)
    return _download(url)


def _download(url: str) -> IO[bytes]:
    """The document at the URL. Raises Rejected."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Rejected(Reason.URL_MALFORMED) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Rejected(Reason.URL_MALFORMED)
    end = time.monotonic() + DOWNLOAD_SECONDS
    file = _spool()
    try:
        with requests.get(url, stream=True, timeout=DOWNLOAD_SECONDS / 3) as response:
            response.raise_for_status()
            for chunk in response.iter_content(65536):
                file.write(chunk)
                if file.tell() > MAX_BYTES:
                    raise Rejected(Reason.TOO_MANY_BYTES)
                if time.monotonic() > end:
                    raise Rejected(Reason.URL_UNREACHABLE)
    except (requests.RequestException, UnicodeError):  # the latter for host names that are none
        raise Rejected(Reason.URL_UNREACHABLE) from None
    file.seek(0)
    return file


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(IN_MEMORY)

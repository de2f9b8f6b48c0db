"""The routes: one POST and one GET for each generation, a container's answers about itself, and the answers of the
gateway in front of the service."""

import asyncio
import base64
import binascii
import hmac
import json
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.read_emulator import generations
from local.read_emulator.generations import Answer, Generation
from local.read_emulator.operation import Operation
from local.read_emulator.reader import Backend
from local.read_emulator.refusals import Reason, Rejected

JSON_TYPE = "application/json; charset=utf-8"

LARGEST_POINTER = 700 * 1024 * 1024
"""The most bytes of a JSON body: a document of 500 MB in base64, and some JSON around it."""

POLL_SECONDS = 0.05
"""How often a POST that is answered with the result checks for it."""

DOWNLOAD_SECONDS = 30
"""How long fetching a document by its URL may take."""

NOT_FOUND = Answer(404, {"error": {"code": "404", "message": "Resource not found"}})
"""The gateway's answer for an unknown path (langchain-ai/langchain #28666)."""

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
"""Its answer for a bad key (azure-sdk-for-python, formrecognizer, recording test_content_url_auth_bad_key)."""


STATUS = {
    "service": "computervisionread",
    "apiStatus": "Valid",
    "apiStatusMessage": "Api Key is valid, no action needed.",
}
READY = {"service": "computervisionread", "ready": "ready", "message": "Api is ready.."}
"""The container's answer at `/ready` (azure-sdk-for-net #17903)."""


class ReadService:
    """The ASGI application `app`, over a backend that reads."""

    def __init__(self, backend: Backend, key: str | None = None) -> None:
        self._backend = backend
        self._key = key
        self._analyze = _by_path((path, each) for each in generations.ALL for path in each.analyze)
        self._results = _by_path((path, each) for each in generations.ALL for path in each.results)
        self._sync = _by_path((path, each) for each in generations.ALL for path in each.sync)
        self.app = Starlette(
            routes=[
                Route("/status", self._status),
                Route("/ready", self._ready),
                *(Route(path, self._post, methods=["POST"]) for path in self._analyze),
                *(Route(path, self._post_and_wait, methods=["POST"]) for path in self._sync),
                *(Route(f"{path}/{{id}}", self._get, methods=["GET", "DELETE"]) for path in self._results),
                *(
                    Route(f"{path}/{{id}}/pdf", self._get_pdf, methods=["GET"])
                    for path, all_here in self._results.items()
                    if any(each.makes_pdf for each in all_here)
                ),
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
        candidates = self._analyze[request.url.path]
        generation = _select(candidates, request)
        if generation is None:
            return _respond(_wrong_version(candidates, request))
        accepted = await self._accept(request, generation)
        if isinstance(accepted, Response):
            return accepted
        operation, request_id = accepted
        location = f"{request.url.scheme}://{request.url.netloc}{generation.location(operation.id)}"
        return _respond(
            Answer(202, headers={"Operation-Location": location}),
            generation,
            operation.id if generation.keeps_request_id else request_id,
        )

    async def _post_and_wait(self, request: Request) -> Response:
        (generation,) = self._sync[request.url.path]
        accepted = await self._accept(request, generation)
        if isinstance(accepted, Response):
            return accepted
        operation, request_id = accepted
        while (entry := self._backend.poll(operation.id)) is None or entry.body is None:
            await asyncio.sleep(POLL_SECONDS)
        self._backend.delete(operation.id)
        return _whole(entry.body, generation, request_id)

    async def _accept(self, request: Request, generation: Generation) -> tuple[Operation, str] | Response:
        """The operation and the request's id, or the answer to a POST that is not accepted."""
        if self._denied(request):
            return _respond(ACCESS_DENIED)
        request_id = str(uuid.uuid4())
        query = {name.lower(): value for name, value in request.query_params.items()}
        try:
            options = generation.options(query)
            file = await self._document(request, generation)
            operation = await asyncio.to_thread(self._backend.accept, generation, options, file)
        except Rejected as refusal:
            return _respond(generation.refused(refusal, request_id), generation, request_id)
        except ClientDisconnect:
            return Response(status_code=400)  # the client is gone
        return operation, request_id

    async def _get_pdf(self, request: Request) -> Response:
        generation = _select(self._results[request.url.path.rsplit("/", 2)[0]], request)
        if generation is None or not generation.makes_pdf:
            return _respond(NOT_FOUND)
        if self._denied(request):
            return _respond(ACCESS_DENIED)
        request_id = str(uuid.uuid4())
        entry = self._backend.poll(request.path_params["id"])
        if entry is None or entry.generation is not generation or entry.pdf is None:
            return _respond(generation.unknown(request_id), generation, request_id)
        headers = {**generation.headers, "apim-request-id": request_id}
        return Response(entry.pdf, headers=headers, media_type="application/pdf")

    async def _get(self, request: Request) -> Response:
        operation_id = request.path_params["id"]
        candidates = self._results[request.url.path.rpartition("/")[0]]
        generation = _select(candidates, request)
        if generation is None:
            return _respond(_wrong_version(candidates, request))
        if request.method == "DELETE" and not generation.deletes:
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
        return _whole(entry.body, generation, request_id)

    async def _document(self, request: Request, generation: Generation) -> IO[bytes]:
        """The document that the request holds or points to. Raises Rejected."""
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        largest = generation.limits.megabytes * 1024 * 1024
        if media_type == "application/json":
            body = await self._body(request, LARGEST_POINTER)
            return await asyncio.to_thread(self._pointed_to, body, generation, largest)
        if (
            media_type.startswith("image/")
            or media_type in ("application/pdf", "application/octet-stream")
            or media_type in generation.media_types
        ):
            return await self._body(request, largest)
        raise Rejected(Reason.MEDIA_TYPE)

    async def _body(self, request: Request, largest: int) -> IO[bytes]:
        size = 0
        with self._file() as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size <= largest:  # the rest is read anyway, so that the client receives the answer
                    file.write(chunk)
            if size > largest:
                raise Rejected(Reason.TOO_MANY_BYTES)
        return file

    def _pointed_to(self, body: IO[bytes], generation: Generation, largest: int) -> IO[bytes]:
        try:
            body.seek(0)
            source = json.load(body)
        except (ValueError, RecursionError):
            raise Rejected(Reason.BODY) from None
        finally:
            _discard(body)
        if not isinstance(source, dict):
            raise Rejected(Reason.BODY)
        encoded = source.get(generation.base64_field) if generation.base64_field else None
        url = source.get(generation.url_field)
        if encoded is not None and url is not None:
            raise Rejected(Reason.TWO_SOURCES)
        with self._file() as file:
            if isinstance(encoded, str):
                try:
                    file.write(base64.b64decode(encoded, validate=True))
                except (binascii.Error, ValueError):
                    raise Rejected(Reason.BODY) from None
            elif isinstance(url, str):
                _download(url, file, largest)
            else:
                raise Rejected(Reason.BODY)
        return file

    @contextmanager
    def _file(self) -> Iterator[IO[bytes]]:
        """A file to write a document to, which is removed if that fails."""
        file = self._backend.new_file()
        try:
            yield file
        except BaseException:
            _discard(file)
            raise
        file.flush()

    def _denied(self, request: Request) -> bool:
        given = request.headers.get("Ocp-Apim-Subscription-Key", "")
        return self._key is not None and not hmac.compare_digest(given.encode(), self._key.encode())


def _discard(file: IO[bytes]) -> None:
    file.close()
    with suppress(OSError, TypeError):  # a file in memory has no path
        Path(file.name).unlink()


def _whole(body: bytes, generation: Generation, request_id: str) -> Response:
    headers = {**generation.headers, "apim-request-id": request_id}
    return Response(zlib.decompress(body), headers=headers, media_type=JSON_TYPE)


def _wrong_version(candidates: Iterable[Generation], request: Request) -> Answer:
    """The answer if none of a path's versions is the requested one."""
    oldest = min(candidates, key=lambda each: each.name)
    return oldest.refused_version(request.query_params.get("api-version", "")) or NOT_FOUND


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


def _download(url: str, file: IO[bytes], largest: int) -> None:
    """Write the document at the URL. Raises Rejected."""
    import requests

    try:
        parts = urlsplit(url)
    except ValueError:
        raise Rejected(Reason.URL_MALFORMED) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Rejected(Reason.URL_MALFORMED)
    end = time.monotonic() + DOWNLOAD_SECONDS
    try:
        with requests.get(url, stream=True, timeout=DOWNLOAD_SECONDS / 3) as response:
            response.raise_for_status()
            for chunk in response.iter_content(65536):
                file.write(chunk)
                if file.tell() > largest:
                    raise Rejected(Reason.TOO_MANY_BYTES)
                if time.monotonic() > end:
                    raise Rejected(Reason.URL_UNREACHABLE)
    except (requests.RequestException, UnicodeError):  # the latter for invalid host names
        raise Rejected(Reason.URL_UNREACHABLE) from None

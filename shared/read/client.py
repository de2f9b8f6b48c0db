"""The client of Read: it POSTs, polls and deletes, and retries nothing. The key goes to the endpoint's origin only."""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from shared.clouds import cloud_of_read, is_regional
from shared.loopback import is_loopback, without_proxy
from shared.read.answers import (
    Accepted,
    AnswerLost,
    Arriving,
    BrokenOff,
    Gone,
    PollAnswer,
    Rejected,
    Retryable,
    Running,
    SubmitAnswer,
    Succeeded,
    is_no_route,
    load_object,
    parse_error,
    refusal,
    wait_named,
)
from shared.read.generation import Generation, NotOurOperation, ReadOptions
from shared.read.generations import generation_or

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 100
"""Read answers a POST when it has the whole file. Functions may run for minutes."""

MOST_IN_MEMORY = 4 * 1024 * 1024
"""Bytes. A shorter answer (some 60 dense pages) is read whole, and takes seven times its length when it is parsed. A
longer one is streamed and then read again from its blob, which costs more calls, but no more memory than this."""

_BLOCK = 256 * 1024

_WHOLE_ANSWER_SECONDS = 240
"""An answer that takes longer to arrive is given up, since a function's time is limited."""

_ENDED = {
    "failed": "OperationFailed",
    "canceled": "OperationCanceled",
    "cancelled": "OperationCanceled",
    "skipped": "OperationSkipped",
}
"""Status words of an operation that ended without a result, and the ErrorCode if Read gives no code."""


class CredentialsUnavailable(Exception):
    """There is no credential for a request. ``code`` is the ErrorCode, which says why."""

    def __init__(self, message: str, code: str = "CredentialsUnavailable") -> None:
        super().__init__(message)
        self.code = code


class Body(Protocol):
    """A request's body. It is read once, and its length is known."""

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; all that are left for -1; none at the end."""
        ...

    def __len__(self) -> int: ...


class ReadClient:
    """Speaks one generation at one endpoint.

    ``token`` returns a Microsoft Entra token, or raises CredentialsUnavailable. It is called only if there is no key.
    ``now`` is the clock. ``session`` sends the requests; a test mounts an adapter of its own on it.
    """

    def __init__(
        self,
        endpoint: str,
        generation: Generation,
        *,
        key: str | None,
        token: Callable[[], str] | None,
        now: Callable[[], datetime],
        session: requests.Session | None = None,
        most_in_memory: int = MOST_IN_MEMORY,
    ) -> None:
        self.endpoint = endpoint
        self.generation = generation
        self._key = key
        self._token = token
        self._now = now
        self._session = session or new_session()
        self._most_in_memory = most_in_memory
        self._block = min(_BLOCK, most_in_memory)

    def submit(self, body: Body, options: ReadOptions) -> SubmitAnswer:
        """POST a document. ``body`` is read once, to its end. Errors of its ``read`` are not caught."""
        return self._post(body, "application/octet-stream", options)

    def submit_link(self, link: str, options: ReadOptions) -> SubmitAnswer:
        """POST a link with which Read fetches the document itself. The answer that is returned never holds the link."""
        body = json.dumps({self.generation.url_field: link}).encode()
        answer = self._post(_Bytes(body), "application/json", options)
        match answer:
            case Rejected() | Retryable():
                return replace(answer, message=_without_link(answer.message, link))
            case _:
                return answer

    def _post(self, body: Body, content_type: str, options: ReadOptions) -> SubmitAnswer:
        query = self.generation.query(options)
        counted = _Counted(body)
        try:
            response = self._call("POST", f"{self.generation.analyze}?{query}".removesuffix("?"), counted, content_type)
        except CredentialsUnavailable as error:
            return Retryable(error.code, str(error))
        except requests.RequestException as error:
            if counted.left:
                return Retryable("Unreachable", f"The Read service could not be reached ({type(error).__name__}).")
            return AnswerLost(f"The Read service took the file and did not answer ({type(error).__name__}).")
        with response:
            content = self._content(response)  # even of a 202: a connection whose answer is not read is closed
        if response.status_code == 504:
            return AnswerLost("HTTP 504: a gateway passed the file on and got no answer in time.")
        # Read answers 202; a gateway may turn that into another success.
        if response.status_code == 202 or (response.ok and "Operation-Location" in response.headers):
            return self._accepted(response)
        return refusal(response.status_code, response.headers, content, self._now())

    def poll(self, operation_url: str, api_version: str | None = None) -> PollAnswer:
        """GET an operation. ``api_version`` is the version that it was submitted to, if that is not today's.

        The caller closes an answer that is Arriving.
        """
        generation = generation_or(api_version, self.generation)
        try:
            response = self._call("GET", generation.operation_path(operation_url))
            with ExitStack() as closing:
                closing.push(response)
                blocks = self._blocks(response)
                body, whole = self._start(blocks)
                # This is the beginning of a large result. The caller reads the rest, so the response stays open.
                if response.status_code == 200 and not whole:
                    closing.pop_all()
                    return Arriving(_rest(body, blocks, self._block), response.close)
        except NotOurOperation as error:
            return Rejected("OperationUrlRefused", str(error))
        except CredentialsUnavailable as error:
            return Retryable(error.code, str(error))
        except requests.RequestException as error:
            return Retryable("Unreachable", f"The Read service could not be reached ({type(error).__name__}).")
        # Lost: the result has expired, or a replica does not know it yet. Not so a 404 for a wrong path, or of a proxy.
        if response.status_code == 410 or (response.status_code == 404 and not is_no_route(body)):
            return Gone(": ".join(part for part in parse_error(body) if part) or "HTTP 404")
        # Refused: throttled, down, or the key was changed while Read was reading.
        if response.status_code != 200:
            refused = refusal(response.status_code, response.headers, body, self._now())
            if isinstance(refused, Rejected):  # not because of the file: a paid result may exist
                return Retryable("PollRefused", f"HTTP {response.status_code}: {refused.code}. {refused.message}")
            return refused
        answer = load_object(body)
        status = answer.get("status") if answer is not None else None
        # A sign-in page of a proxy, or JSON that broke off.
        if answer is None or not isinstance(status, str):
            return Retryable("NotReadsAnswer", "HTTP 200, but not an operation of Read.")
        match status.casefold():
            case "succeeded":
                return Succeeded(body, answer)
            case ended if ended in _ENDED:
                code, message = parse_error(answer)
                return Rejected(code or _ENDED[ended], message or f"Read says {ended} and gives no reason.")
            case _:  # notStarted, running, and words of later services
                return Running(wait_named(response.headers, "", self._now()))

    def delete(self, operation_url: str, api_version: str | None = None) -> bool:
        """Have Read delete an operation's result before it expires. Returns whether the result is gone.

        Never raises: if Read cannot delete results, or cannot be reached, the result expires within two days.
        """
        generation = generation_or(api_version, self.generation)
        if not generation.deletes:
            return False
        try:
            with self._call("DELETE", generation.operation_path(operation_url)) as response:
                return response.status_code in (200, 204, 404, 410)
        except (NotOurOperation, CredentialsUnavailable, requests.RequestException):
            return False

    def _call(
        self, method: str, path: str, body: "_Counted | None" = None, content_type: str | None = None
    ) -> requests.Response:
        """Send a request to a path below the endpoint. Raises CredentialsUnavailable or requests.RequestException."""
        return self._session.request(
            method,
            self.endpoint + path,
            data=body,
            headers={**({"Content-Type": content_type} if content_type else {}), **self._credentials()},
            timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,
        )

    def _blocks(self, response: requests.Response) -> Iterator[bytes]:
        """A body in blocks of bounded size, even if it is compressed.

        Raises requests.RequestException if it breaks off, takes too long, or is not compressed as its header says.
        """
        ends_at = self._now() + timedelta(seconds=_WHOLE_ANSWER_SECONDS)
        for block in _inflated(response, self._block):
            if self._now() > ends_at:
                raise requests.ReadTimeout("the answer takes too long")
            yield block

    def _start(self, blocks: Iterator[bytes]) -> tuple[bytes, bool]:
        """A body's first bytes, not much more than ``most_in_memory``, and whether they are all of it."""
        held: list[bytes] = []
        size = 0
        for block in blocks:
            held.append(block)
            size += len(block)
            if size > self._most_in_memory:
                return b"".join(held), False
        return b"".join(held), True

    def _content(self, response: requests.Response) -> bytes:
        """An error's body. Empty if it broke off: the status alone says enough."""
        try:
            return self._start(self._blocks(response))[0]
        except requests.RequestException:
            return b""

    def _accepted(self, response: requests.Response) -> SubmitAnswer:
        location = response.headers.get("Operation-Location", "")
        try:
            url = self.endpoint + self.generation.operation_path(location)
        except NotOurOperation as error:
            return Rejected("OperationUrlRefused", f"Read accepted the file, but {error}.")
        return Accepted(url, wait_named(response.headers, "", self._now()))

    def _credentials(self) -> dict[str, str]:
        if self._key:
            if not (self._key.isascii() and self._key.isprintable()):
                raise CredentialsUnavailable("READ_KEY has characters that no key has.", "CredentialsRefused")
            return {"Ocp-Apim-Subscription-Key": self._key}
        if is_regional(self.endpoint):
            raise CredentialsUnavailable("A region's endpoint takes no Microsoft Entra tokens.", "RegionalEndpoint")
        if self._token and cloud_of_read(self.endpoint):
            return {"Authorization": f"Bearer {self._token()}"}
        return {}


class _Session(requests.Session):
    """A session that follows no redirect, and uses no proxy for what runs on this machine."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the base class's parameter
        return None

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Without this, requests would use the environment's HTTP_PROXY for every address."""
        if is_loopback(str(url)):
            proxies = {**(proxies or {}), **without_proxy(str(url))["proxies"]}
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


def new_session() -> requests.Session:
    """A session that retries nothing, keeps no cookies and takes no credentials from ~/.netrc."""
    session = _Session()
    session.auth = lambda request: request
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=32, max_retries=0))
    return session


def _without_link(text: str, link: str) -> str:
    """Redact the link from a message that Read returned, in whatever encoding: its query is a secret."""
    plain = text
    for _ in range(5):  # a gateway may quote a URL within a URL within a URL
        plain = unquote(plain)
    query = parse_qs(urlsplit(link).query)
    for secret in query.get("sig", []) or [urlsplit(link).query]:
        # Only letters and digits are compared, whatever their case: encodings change or drop other characters.
        if secret and _letters(secret)[:24] in _letters(plain):
            return "Read's message repeats the link to the file, so it is not kept."
    return re.sub(r"(\?|%3F)\S*|sig\W{0,9}=\S*", "?…", text, flags=re.IGNORECASE)


def _letters(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.casefold())


class _Bytes(BytesIO):
    def __len__(self) -> int:
        return len(self.getbuffer())


class _Counted:
    """A body that knows how many of its bytes were not sent: a request that was not sent whole is not paid."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._length = self.left = len(body)

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        chunk = self._body.read(size)
        self.left -= len(chunk)
        return chunk


def _inflated(response: requests.Response, size: int) -> Iterator[bytes]:
    """The body in blocks of at most ``size`` bytes, since a kilobyte of gzip may hold a gigabyte.

    The app does not ask for compression, but a gateway may compress all the same.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().casefold()
    if encoding in ("", "identity"):
        yield from response.iter_content(size)
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise requests.exceptions.ContentDecodingError(f"the answer comes as {encoding[:20]!r}")
    inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, as its first bytes say
    try:
        for compressed in response.raw.stream(size, decode_content=False):
            pending = compressed
            while pending and not inflate.eof:
                if block := inflate.decompress(pending, size):
                    yield block
                pending = inflate.unconsumed_tail
    except (zlib.error, urllib3.exceptions.HTTPError) as error:
        raise requests.exceptions.ContentDecodingError(type(error).__name__) from None
    if not inflate.eof:
        raise requests.exceptions.ContentDecodingError("the compressed answer has no end")


def _rest(start: bytes, blocks: Iterator[bytes], block: int) -> Iterator[bytes]:
    """A whole body, whose start has been read already, in blocks. Raises BrokenOff."""
    yield from (start[at : at + block] for at in range(0, len(start), block))
    del start
    try:
        yield from blocks
    except requests.RequestException as error:
        raise BrokenOff(Retryable("Unreachable", f"Read's answer broke off ({type(error).__name__}).")) from None

"""The client of Read: one POST, one look, nothing retried, and the key to no other origin than the endpoint's."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from typing import Protocol

import requests
from requests.adapters import HTTPAdapter

from shared.clouds import cloud_of_read, is_regional
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
"""Read answers a POST when it has taken the whole file in; functions here may run for minutes."""

MOST_IN_MEMORY = 4 * 1024 * 1024
"""Bytes of an answer up to which it is read whole, as those of some 60 dense pages are; parsed, it takes seven times
as much. A larger one streams: a second pass over it, in blocks, costs more calls and no more memory than this."""

_BLOCK = 256 * 1024

_ENDED = {
    "failed": "OperationFailed",
    "canceled": "OperationCanceled",
    "cancelled": "OperationCanceled",
    "skipped": "OperationSkipped",
}
"""Status words of an operation that ended without a result, and the code for one that gives no reason."""


class CredentialsUnavailable(Exception):
    """There is nothing to sign a request with. ``code`` tells apart why."""

    def __init__(self, message: str, code: str = "CredentialsUnavailable") -> None:
        super().__init__(message)
        self.code = code


class Body(Protocol):
    """A request's body: read once, of a known length."""

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, all that is left for -1, none at the end."""
        ...

    def __len__(self) -> int: ...


class ReadClient:
    """Speaks one generation at one endpoint.

    ``token`` gives a Microsoft Entra token, or raises CredentialsUnavailable; it is asked only where there is no
    key. ``now`` is the clock. ``session`` carries the requests; a test mounts a wire of its own on it.
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
        """POST a document. ``body`` is read to its end once; what its ``read`` raises passes through."""
        return self._post(body, "application/octet-stream", options)

    def submit_link(self, link: str, options: ReadOptions) -> SubmitAnswer:
        """POST a link by which Read fetches the document itself. Nothing that is returned holds the link."""
        body = json.dumps({self.generation.url_field: link}).encode()
        answer = self._post(_Bytes(body), "application/json", options)
        match answer:
            case Rejected() | Retryable():
                return replace(answer, message=_without_link(answer.message))
            case _:
                return answer

    def _post(self, body: Body, content_type: str, options: ReadOptions) -> SubmitAnswer:
        url = f"{self.endpoint}{self.generation.analyze}?{self.generation.query(options)}".removesuffix("?")
        counted = _Counted(body)
        try:
            response = self._session.post(
                url,
                data=counted,
                headers={"Content-Type": content_type, **self._credentials()},
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            )
        except CredentialsUnavailable as error:
            return Retryable(error.code, str(error))
        except requests.RequestException as error:
            if counted.left:
                return Retryable("Unreachable", f"The Read service could not be reached ({type(error).__name__}).")
            return AnswerLost(f"The Read service took the file and did not answer ({type(error).__name__}).")
        with response:
            content = self._content(response)  # of a 202 too: an answer that is not read closes its connection
        if response.status_code == 504:
            return AnswerLost("HTTP 504: a gateway passed the file on and got no answer in time.")
        # 202 it is to be; a gateway may make another success of it.
        if response.status_code == 202 or (response.ok and "Operation-Location" in response.headers):
            return self._accepted(response)
        return refusal(response.status_code, response.headers, content, self._now())

    def poll(self, operation_url: str, api_version: str | None = None) -> PollAnswer:
        """GET an operation. ``api_version`` is the generation that it was submitted to, if that was another.

        An answer that is Arriving is to be closed.
        """
        generation = generation_or(api_version, self.generation)
        try:
            url = self.endpoint + generation.operation_path(operation_url)
            response = self._session.get(
                url,
                headers=self._credentials(),
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            )
            with ExitStack() as closing:
                closing.push(response)
                blocks = self._blocks(response)
                body, whole = self._start(blocks)
                if response.status_code == 200 and not whole:
                    closing.pop_all()
                    return Arriving(_rest(body, blocks, self._block), response.close)
        except NotOurOperation as error:
            return Rejected("OperationUrlRefused", str(error))
        except CredentialsUnavailable as error:
            return Retryable(error.code, str(error))
        except requests.RequestException as error:
            return Retryable("Unreachable", f"The Read service could not be reached ({type(error).__name__}).")
        if response.status_code == 410 or (response.status_code == 404 and not is_no_route(body)):
            return Gone(": ".join(part for part in parse_error(body) if part) or "HTTP 404")
        if response.status_code != 200:
            refused = refusal(response.status_code, response.headers, body, self._now())
            if isinstance(refused, Rejected):  # of no fault of the file's, whose result may be there and paid
                return Retryable("PollRefused", f"HTTP {response.status_code}: {refused.code}. {refused.message}")
            return refused
        answer = load_object(body)
        status = answer.get("status") if answer is not None else None
        if answer is None or not isinstance(status, str):
            return Retryable("NotReadsAnswer", "HTTP 200, but not an operation of Read.")
        match status.casefold():
            case "succeeded":
                return Succeeded(body, answer)
            case ended if ended in _ENDED:
                code, message = parse_error(answer)
                return Rejected(code or _ENDED[ended], message or f"Read says {ended} and no reason.")
            case _:
                return Running(wait_named(response.headers, "", self._now()))

    def delete(self, operation_url: str, api_version: str | None = None) -> bool:
        """Have Read delete an operation's result before it expires. Whether Read keeps it no longer.

        Never raises: where Read cannot delete, or is not reached, the result expires within two days.
        """
        generation = generation_or(api_version, self.generation)
        if not generation.deletes:
            return False
        try:
            with self._session.delete(
                self.endpoint + generation.operation_path(operation_url),
                headers=self._credentials(),
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code in (200, 204, 404, 410)
        except (NotOurOperation, CredentialsUnavailable, requests.RequestException):
            return False

    def _blocks(self, response: requests.Response) -> Iterator[bytes]:
        return iter(response.iter_content(self._block))

    def _start(self, blocks: Iterator[bytes]) -> tuple[bytes, bool]:
        """A body's first bytes, and whether that is all of it: never much more than may be held in memory."""
        held: list[bytes] = []
        size = 0
        for block in blocks:
            held.append(block)
            size += len(block)
            if size > self._most_in_memory:
                return b"".join(held), False
        return b"".join(held), True

    def _content(self, response: requests.Response) -> bytes:
        """An error's body, as far as it arrived: the status alone says enough."""
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
    """A session that does not even look where a redirect leads: requests does, and fails where it leads nowhere."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the base class's parameter
        return None


def new_session() -> requests.Session:
    """A session that retries nothing, keeps no cookies and takes no credentials from ~/.netrc."""
    session = _Session()
    session.auth = lambda request: request
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=32, max_retries=0))
    return session


def _without_link(text: str) -> str:
    """A text of Read's that may repeat the link that it was given, of which the query is a secret."""
    return re.sub(r"\?\S*|\bsig(=|%3D)\S*", "?…", text, flags=re.IGNORECASE)


class _Bytes(BytesIO):
    def __len__(self) -> int:
        return len(self.getbuffer())


class _Counted:
    """A body that tells how much of it has not been read: a request that lacks its end was never paid."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._length = self.left = len(body)

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        chunk = self._body.read(size)
        self.left -= len(chunk)
        return chunk


def _rest(start: bytes, blocks: Iterator[bytes], block: int) -> Iterator[bytes]:
    """A body of which the start has been read. Raises BrokenOff."""
    yield from (start[at : at + block] for at in range(0, len(start), block))
    del start
    try:
        yield from blocks
    except requests.RequestException as error:
        raise BrokenOff(Retryable("Unreachable", f"Read's answer broke off ({type(error).__name__}).")) from None

"""What Read answered, as values: to a POST, and to a poll."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.read.json_walk import NotJson, Part, Path, walk


@dataclass(frozen=True, slots=True)
class Accepted:
    """202: paid. The operation's URL, at READ_ENDPOINT, and how many seconds to wait at least, if Read said so."""

    operation_url: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused, and waiting does not help: the file or an option is wrong, or the operation failed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Retryable:
    """Refused, and waiting can help: throttled, unreachable, wrong credentials, wrong endpoint. Nothing was paid."""

    code: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """The whole request was sent, and no answer came, so it may have been paid."""

    message: str


@dataclass(frozen=True, slots=True)
class Running:
    """The operation has not ended. ``retry_after`` is how many seconds to wait, if Read said so."""

    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The result is ready. ``body`` is the answer byte for byte, and ``answer`` its JSON."""

    body: bytes
    answer: Mapping[str, Any]


class BrokenOff(Exception):
    """A large answer did not arrive whole, or is not Read's. ``answer`` is what the poll is taken to have answered."""

    def __init__(self, answer: Retryable) -> None:
        super().__init__(answer.message)
        self.answer = answer


class Arriving:
    """An answer that is too large for memory. It is walked once, while it arrives.

    Only after its last part is it known whether the answer is whole and says ``succeeded``. Until then, walking it, or
    calling ``finish``, may raise BrokenOff.
    """

    def __init__(self, blocks: Iterator[bytes], close: Callable[[], None]) -> None:
        self.keep: Callable[[bytes], object] = lambda _block: None
        """Called with each block as it arrives."""
        self.close = close
        """Closes the connection, whether the whole answer has arrived or not."""
        self._blocks = blocks
        self._parts: Iterator[Part] = iter(())

    def parts(self, without: Collection[Path] = ()) -> Iterator[Part]:
        """The answer's parts. See shared.read.json_walk.Answer."""
        self._parts = self._walk(without)
        return self._parts

    def finish(self) -> None:
        """Read the rest of the answer."""
        for _ in self._parts:
            pass

    def _walk(self, without: Collection[Path]) -> Iterator[Part]:
        status: object = None
        try:
            for path, value in walk(self._kept(), without):
                if path == ("status",):
                    status = value
                yield path, value
        except NotJson as error:
            raise BrokenOff(Retryable("NotReadsAnswer", f"HTTP 200, but not an answer of Read: {error}.")) from None
        if not isinstance(status, str) or status.casefold() != "succeeded":
            raise BrokenOff(Retryable("NotReadsAnswer", "HTTP 200 and a large answer, but not one that has succeeded."))

    def _kept(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.keep(block)
            yield block


@dataclass(frozen=True, slots=True)
class Gone:
    """404: the operation has expired, or Read never knew it."""

    message: str


SubmitAnswer = Accepted | Rejected | Retryable | AnswerLost
PollAnswer = Running | Succeeded | Arriving | Rejected | Retryable | Gone

_RETRYABLE = {
    401: "CredentialsRefused",
    403: "AccessDenied",
    404: "EndpointNotFound",
    405: "EndpointNotFound",
    407: "CredentialsRefused",
    408: "ReadUnavailable",
    409: "ReadUnavailable",
    410: "EndpointNotFound",
    421: "EndpointNotFound",
    423: "ReadUnavailable",
    425: "ReadUnavailable",
    429: "Throttled",
    500: "ReadServerError",
}
"""Statuses of a refusal that is not about the file, so that waiting, or a repair, can help, and their ErrorCode."""

_TELLING_CODES = {
    "AuthenticationTypeDisabled": "KeysDisabled",
    "AuthorizationFailed": "RoleMissing",
    "PermissionDenied": "RoleMissing",
    "OutboundAccessForbidden": "OutboundAccessForbidden",
    "NotSupportedApiVersion": "EndpointNotFound",
    "InternalServerError": "ReadServerError",
    "ServiceUnavailable": "ReadUnavailable",
    "StorageException": "ReadServerError",
    "Timeout": "ReadServerError",
    "ContentSourceTimeout": "ReadServerError",
}
"""Codes of Read that say more than the status and are not about the file. Read may send some of them with a 400."""

_TELLING_WORDS = (
    # azure-sdk-for-python #20042, #25619: the free tier's monthly quota; Retry-After may be weeks
    (r"out of call volume quota|quota will be replenished", "QuotaExhausted"),
    (r"virtual network/firewall|public access is disabled", "FirewallRefused"),
    (r"custom subdomain", "RegionalEndpoint"),
    (r"principal does not have access|lacks the required data action", "RoleMissing"),
    (r"key.based authentication is disabled", "KeysDisabled"),
)
"""Patterns of the gateway's messages: its codes only repeat the status."""


def refusal(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Rejected | Retryable:
    """What an HTTP error means. A 400 without Read's JSON comes from a proxy or a gateway."""
    code, message = parse_error(body)
    retryable = _RETRYABLE.get(status) or (
        "ReadUnavailable" if status >= 500 else "NotReadsAnswer" if status < 400 else None
    )
    if status in (400, 401, 403):
        retryable = _TELLING_CODES.get(code) or retryable
        retryable = next(
            (code_ for words, code_ in _TELLING_WORDS if re.search(words, message, re.IGNORECASE)), retryable
        )
    if retryable is None and status == 400 and body.strip() and not code and not message:
        retryable = "NotReadsAnswer"
    said = f"HTTP {status}: {code or 'no code'}. {message}".strip()
    if retryable:
        return Retryable(retryable, said, wait_named(headers, message, now))
    return Rejected(code or f"Http{status}", message or f"Read answered HTTP {status} without a message.")


def is_no_route(body: bytes) -> bool:
    """Whether a 404 means that Read does not answer at this path at all, rather than that the operation is unknown.

    The gateway says ``{"error": {"code": "404", "message": "Resource not found"}}``, and a proxy answers with a page.
    Read itself names another code; a Read container sends no body.
    """
    return (load_object(body) is None and bool(body.strip())) or parse_error(body)[0] == "404"


def parse_error(body: bytes | Mapping[str, Any]) -> tuple[str, str]:
    """The innermost code and its message, from any of Read's error bodies. Empty texts if there are none.

    Known shapes: ``{error: {code, message, innererror | innerError, details}}``, the same without the wrapper,
    ``{message}``, ``{analyzeResult: {errors: […]}}`` of a failed operation, and nothing at all.
    """
    if isinstance(body, bytes):
        parsed = load_object(body)
        if parsed is None:
            return "", ""
        body = parsed
    analyzed = body.get("analyzeResult")
    errors = analyzed.get("errors") if isinstance(analyzed, Mapping) else None
    found: Any = body.get("error") or (errors[0] if isinstance(errors, list) and errors else body)
    code = message = ""
    while isinstance(found, Mapping):
        code = _code(found.get("code")) or code
        message = _words(found.get("message")) or message
        found = found.get("innererror") or found.get("innerError") or _telling_detail(found.get("details"), code)
    return code, message


def _telling_detail(details: object, code: str) -> object:
    """The first detail whose code differs from the error's own, or else the first.

    If a document failed because of one page, its code is InternalServerError, and the second detail has the page's own
    code (learn.microsoft.com, Resolve errors in Document Intelligence).
    """
    if not isinstance(details, list) or not details:
        return None
    return next((each for each in details if isinstance(each, Mapping) and each.get("code") != code), details[0])


def load_object(body: bytes) -> dict[str, Any] | None:
    """The body as a JSON object, or None if it is anything else."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def wait_named(headers: Mapping[str, str], message: str, now: datetime) -> float | None:
    """The seconds to wait, from Retry-After (seconds or a date) or else from the message. None if neither says so.

    Messages say "Please retry after 55 seconds", "Please retry after 15 days", or "Quota will be replenished in
    22.14:18:12".
    """
    value = headers.get("Retry-After", "").strip()
    seconds: float | None = None
    if value:
        try:
            seconds = float(value)
        except ValueError:
            try:
                seconds = (parsedate_to_datetime(value) - now).total_seconds()
            except (TypeError, ValueError, OverflowError):
                seconds = None
    elif match := re.search(r"retry after (\d{1,7}) (second|minute|hour|day)", message, re.IGNORECASE):
        seconds = float(match[1]) * _SECONDS[match[2].casefold()]
    elif match := re.search(r"replenished in (?:(\d{1,3})\.)?(\d{1,2}):(\d\d):(\d\d)", message, re.IGNORECASE):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        seconds = ((days * 24 + hours) * 60 + minutes) * 60.0 + rest
    return max(0.0, seconds) if seconds is not None and math.isfinite(seconds) else None


_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def _code(value: object) -> str:
    """A code of at most 64 plain characters, or an empty text: codes are logged, and must not quote a document."""
    words = _words(value)
    return words if re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", words) else ""


def _words(value: object) -> str:
    """A text or a number, as a text that storage takes. An empty text for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:4000].encode("utf-16", "surrogatepass").decode("utf-16", "replace")

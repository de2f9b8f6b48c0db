"""A scripted Read service behind the real client: a simulated wire on its session, on the virtual clock."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random

import requests
from requests.adapters import BaseAdapter

Hook = Callable[[str, str], None]
START = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Troubles:
    """How likely each kind of trouble is per call: probabilities from 0 to 1."""

    throttled: float = 0.0
    unavailable: float = 0.0
    reset_before: float = 0.0
    answer_lost: float = 0.0
    foreign_body: float = 0.0
    truncated: float = 0.0
    expires: float = 0.0
    fails: float = 0.0
    slow: float = 0.0
    never: float = 0.0
    """An operation that never ends."""
    unknown_at_first: float = 0.0
    """An operation that only one replica knows for some seconds."""


NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Operation:
    """One paid operation."""

    content: bytes
    known_from: datetime
    ready_at: datetime
    lines: int
    expired: bool
    failed: bool
    missed: bool = False
    """A poll was answered that there is no such operation."""


@dataclass
class ScriptedRead(BaseAdapter):
    """Accepts, throttles, loses answers and forgets operations, as the random numbers decide."""

    now: Callable[[], datetime]
    random: Random
    troubles: Troubles = field(default_factory=Troubles)
    hook: Hook | None = None
    """Called before and after each exchange takes effect, like the storage's fault hook."""
    operations: dict[str, Operation] = field(default_factory=dict)
    accepted: Counter[bytes] = field(default_factory=Counter)
    """Paid 202s, by content."""
    lost: Counter[bytes] = field(default_factory=Counter)
    """Windows in which a paid 202 may be paid again: its answer never arrived, or the operation was forgotten."""
    calls: Counter[object] = field(default_factory=Counter)
    """How often each content was sent, and each operation polled."""
    too_early: list[str] = field(default_factory=list)
    """Calls that came earlier than Read had allowed, or within a second of a "not ready"."""
    not_before: dict[object, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def close(self) -> None:
        """Nothing is open."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Answer one request."""
        if self.hook:
            self.hook(f"read {request.method}", "before")
        if self._happens("reset_before"):
            raise requests.ConnectionError("reset")
        about: object = request.url
        if request.method == "POST":
            request.body = about = request.body.read()  # type: ignore[union-attr]  # always a file-like object here
        self.calls[about] += 1
        if self.now() < self.not_before.get(about, START):
            self.too_early.append(f"{request.method} at {self.now():%H:%M:%S} of {about!r}")
        response = self._post(request) if request.method == "POST" else self._get(request)
        if self.hook:
            self.hook(f"read {request.method}", "after")
        return response

    def _come_back(self, request: requests.PreparedRequest, seconds: float) -> None:
        about = request.body if request.method == "POST" else request.url
        self.not_before[about] = self.now() + timedelta(seconds=seconds)

    def _happens(self, trouble: str) -> bool:
        return bool(self.random.random() < getattr(self.troubles, trouble))

    def _trouble(self, request: requests.PreparedRequest) -> requests.Response | None:
        if self._happens("throttled"):
            seconds = self.random.randint(1, 60) if self.random.random() < 0.5 else None
            headers = {"Retry-After": str(seconds)} if seconds else {}
            self._come_back(request, seconds or 3)
            text = "Requests have exceeded rate limit. Please retry after 3 seconds."
            return answer(request, 429, {"error": {"code": "429", "message": text}}, headers)
        if self._happens("unavailable"):
            return answer(
                request, self.random.choice([500, 502, 503, 504, 401, 403, 404 if request.method == "POST" else 503])
            )
        if self._happens("foreign_body"):
            return answer(request, 200, b"<html>sign in</html>")
        return None

    def _post(self, request: requests.PreparedRequest) -> requests.Response:
        if (trouble := self._trouble(request)) is not None:  # an error is false
            return trouble
        content = bytes(request.body)  # type: ignore[arg-type]  # as read in send
        number = len(self.operations) + 1
        seconds = self.random.uniform(1.2, 1.9) if not self._happens("slow") else self.random.uniform(30, 7200)
        ready_at = NEVER if self._happens("never") else self.now() + timedelta(seconds=seconds)
        unknown_for = timedelta(seconds=20 if self._happens("unknown_at_first") else 0)
        self.operations[f"op-{number}"] = Operation(
            content=content,
            known_from=self.now() + unknown_for,
            ready_at=ready_at,
            lines=self.random.choice([0, 1, 2, 5, 120]),
            expired=self._happens("expires"),
            failed=self._happens("fails"),
        )
        self.accepted[content] += 1
        if self._happens("answer_lost"):
            self.lost[content] += 1
            raise requests.ReadTimeout("no answer")
        location = f"http://elsewhere/vision/v3.2/read/analyzeResults/op-{number}"
        return answer(request, 202, b"", {"Operation-Location": location})

    def _get(self, request: requests.PreparedRequest) -> requests.Response:
        if (trouble := self._trouble(request)) is not None:  # an error is false
            return trouble
        operation = self.operations.get(str(request.url).rsplit("/", 1)[-1])
        if operation is None or operation.expired or self.now() < operation.known_from:
            if operation is not None and operation.expired and not operation.missed:
                operation.missed = True
                self.lost[operation.content] += 1
            return answer(request, 404, {"error": {"code": "BadArgument", "message": "Operation ID is invalid."}})
        if self.now() < operation.ready_at:
            word = self.random.choice(["running", "Running", "notStarted", "queued"])
            self._come_back(request, 1)
            return answer(request, 200, {"status": word})
        if operation.failed:
            errors = [{"code": "2003", "message": "The file is corrupted."}]
            return answer(request, 200, {"status": "failed", "analyzeResult": {"errors": errors}})
        body = result_body(operation)
        if self._happens("truncated"):
            return answer(request, 200, body[: len(body) // 2])
        return answer(request, 200, body)


def result_body(operation: Operation) -> bytes:
    """Read's final answer for an operation."""
    lines = [{"text": text, "boundingBox": [0, 0, 1, 0, 1, 1, 0, 1], "words": []} for text in result_lines(operation)]
    page = {"page": 1, "angle": 0, "width": 1, "height": 1, "unit": "pixel", "lines": lines}
    analyzed = {"version": "3.2.0", "modelVersion": "2022-04-30", "readResults": [page]}
    return json.dumps({"status": "succeeded", "analyzeResult": analyzed}).encode()


def result_lines(operation: Operation) -> list[str]:
    """The lines that an operation reads. They name the content."""
    digest = hashlib.sha256(operation.content).hexdigest()[:12]
    return [f"{digest} {number}" for number in range(1, operation.lines + 1)]


def answer(
    request: requests.PreparedRequest, status: int, body: object = b"", headers: dict[str, str] | None = None
) -> requests.Response:
    """A response, as the transport would make it."""
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.headers.update(headers or {})
    response.raw = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    return response

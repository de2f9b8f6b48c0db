"""Scripts play a Read service without OCR, for tests and benchmarks, with chosen delays, quotas and faults.

    python -m local.read_emulator --port 5000 --script slow.json

A script is a JSON object, or a Script. Every key is optional; seconds may have fractions.

    {
      "seed": 7,                                   seed of random numbers, so that a run can be repeated
      "latency": 1.5,                              seconds from a POST to its result; or, spread with a long tail:
      "latency": {"median": 1.5, "sigma": 0.4, "tail": 0.02, "tail_seconds": 90},
      "result": {"pages": 3, "lines": 20},         every document's text; or one body, served byte for byte:
      "result": {"file": "body.json"},             a path from the script's folder
      "page_cap": 2,                               the most pages that are read; the free tier reads two
      "quotas": [
        {"kind": "token bucket", "calls": 20, "per": 60, "methods": ["POST", "GET"],
         "retry_after": true, "tier": "ComputerVision F0"}
      ],
      "faults": [
        {"on": "POST", "calls": [1, 2], "do": "status", "status": 503},
        {"on": "GET", "probability": 0.05, "do": "reset before"}
      ]
    }

A quota's kind is `token bucket`, `fixed window` or `sliding window`; its methods share it, and a call must pass every
quota. `retry_after` puts the wait into a header, too; without it, only the message's text names the wait, as recorded.

A fault is `on` a method, POST or GET, for the calls that every given selector picks: `calls` (numbers of that method's
calls, from 1), `operations` (numbers of operations, from 1, in the order they were accepted; GET only), `looks`
(numbers of an operation's own GETs; GET only), `probability`. The first fault that matches happens. `do` is one of:

    status           answer `status` instead, with `body` (JSON, or a text) and `headers`; by default with its own text
    html             the same with an HTML page, as proxies send
                     (with `"after": true`, the request is carried out first, as when a proxy times out)
    reset before     the connection breaks; nothing was done
    reset after      the request is carried out (a POST is accepted and paid), then the connection breaks
    truncate         the answer and the connection end half-way
    delay            the answer comes `seconds` later
    status word      a GET says `word` instead of the true status
    expire           the operation is unknown from then on
    fail             the POST's operation fails in the end, with `code` and `message`
    location         Operation-Location with another `scheme`, `host` or `query`

GET /script/counters reports what happened: {"posts": 4, "gets": 9, "accepted": 3, "outcomes": {"POST 202": 3,
"POST 429": 1, "GET 200": 8, "GET reset before": 1}, "documents": {SHA-256 of a content: times it was accepted}}.
"""

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal, Self, TypeVar, get_args

from local.read_emulator.quotas import FixedWindow, Quota, SlidingWindow, TokenBucket

QUOTAS: dict[str, Callable[[int, float], Quota]] = {
    "token bucket": TokenBucket,
    "fixed window": FixedWindow,
    "sliding window": SlidingWindow,
}

Deed = Literal[
    "status",
    "html",
    "reset before",
    "reset after",
    "truncate",
    "delay",
    "status word",
    "expire",
    "fail",
    "location",
]


class ScriptError(ValueError):
    """The script is wrong; the text says where."""


@dataclass(frozen=True)
class Latency:
    """Seconds from a POST to its result: log-normal about a median, and for some operations a fixed, long time."""

    median: float = 0.0
    sigma: float = 0.0
    tail: float = 0.0
    """Share of operations, 0 to 1, that take `tail_seconds`."""
    tail_seconds: float = 0.0

    def draw(self, chance: Random) -> float:
        """How long one operation takes."""
        if chance.random() < self.tail:
            return self.tail_seconds
        return self.median * math.exp(chance.gauss(0.0, self.sigma))


@dataclass(frozen=True)
class Result:
    """The text of every document."""

    pages: int = 1
    lines: int = 1
    file: str | None = None
    """A body to serve byte for byte instead."""


@dataclass(frozen=True)
class QuotaRule:
    """A quota, and which calls it counts."""

    kind: str = "token bucket"
    calls: int = 20
    per: float = 60.0
    methods: tuple[str, ...] = ("POST", "GET")
    retry_after: bool = False
    tier: str | None = None
    """The name of the tier in the message."""

    def __post_init__(self) -> None:
        _one_of(self.kind, QUOTAS, "a quota's kind")

    def quota(self) -> Quota:
        """A fresh count."""
        return QUOTAS[self.kind](self.calls, self.per)


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and at which calls. The module's docstring lists the faults and their parameters."""

    on: str
    do: Deed
    calls: tuple[int, ...] | None = None
    operations: tuple[int, ...] | None = None
    polls: tuple[int, ...] | None = None
    probability: float | None = None
    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    seconds: float = 0.0
    word: str = ""
    code: str = "InternalServerError"
    message: str = "An unexpected error occurred."
    scheme: str | None = None
    host: str | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        _one_of(self.do, get_args(Deed), "a fault's do")
        _one_of(self.on, ("POST", "GET"), "a fault's on")

    def fits(self, method: str, call: int, operation: int | None, look: int | None, chance: Random) -> bool:
        """Whether the fault happens at this call."""
        return (
            method == self.on
            and (self.calls is None or call in self.calls)
            and (self.operations is None or operation in self.operations)
            and (self.polls is None or look in self.polls)
            and (self.probability is None or chance.random() < self.probability)
        )


@dataclass(frozen=True)
class Script:
    """A service to play."""

    seed: int = 0
    latency: Latency = field(default_factory=Latency)
    result: Result = field(default_factory=Result)
    page_cap: int | None = None
    quotas: tuple[QuotaRule, ...] = ()
    faults: tuple[Fault, ...] = ()
    folder: Path = field(default_factory=Path)
    """The folder of `result.file`."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """From a file. Raises ScriptError, OSError."""
        try:
            script = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ScriptError(f"{path} is no JSON: {error}") from None
        return cls.parse(script, path.parent)

    @classmethod
    def parse(cls, script: Any, folder: Path | None = None) -> Self:
        """From JSON. Raises ScriptError."""
        given = dict(_object(script, "the script"))
        latency = given.get("latency", {})
        given["latency"] = _record(
            Latency, {"median": latency} if isinstance(latency, int | float) else latency, "latency"
        )
        given["result"] = _record(Result, given.get("result", {}), "result")
        given["quotas"] = [_record(QuotaRule, rule, f"quotas[{n}]") for n, rule in enumerate(given.get("quotas", []))]
        given["faults"] = [_record(Fault, fault, f"faults[{n}]") for n, fault in enumerate(given.get("faults", []))]
        return _record(cls, given | {"folder": folder or Path()}, "the script")


_Record = TypeVar("_Record")


def _record(kind: Callable[..., _Record], given: Any, where: str) -> _Record:
    given = _object(given, where)
    known = inspect.signature(kind).parameters
    for key in given:
        _one_of(key, known, where)
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in given:
            raise ScriptError(f"{where} needs {name!r}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})


def _object(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ScriptError(f"{where} must be an object, not {given!r}")
    return given


def _one_of(given: Any, known: Iterable[str], where: str) -> None:
    known = list(known)
    if given not in known:
        raise ScriptError(f"{where}: {given!r} is none of {', '.join(known)}")

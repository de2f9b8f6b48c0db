"""Ways of counting calls against a quota. Azure does not publish which one it uses; clients should work with each."""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol


class Quota(Protocol):
    """Counts calls over time, in seconds of any clock."""

    def wait(self, now: float) -> float:
        """Count a call and return 0, or refuse it and return the seconds until a call would be accepted."""


@dataclass
class TokenBucket:
    """Allows a burst of calls, and then as many as the rate refills. A refused call costs nothing."""

    calls: int
    per: float
    _tokens: float = field(init=False)
    _filled: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._tokens = self.calls

    def wait(self, now: float) -> float:
        """Count a call and return 0, or refuse it and return the seconds until a call would be accepted."""
        if self._filled is not None:
            self._tokens = min(self.calls, self._tokens + (now - self._filled) * self.calls / self.per)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) * self.per / self.calls
        self._tokens -= 1
        return 0.0


@dataclass
class FixedWindow:
    """Allows a number of calls in each window; the first call opens it."""

    calls: int
    per: float
    _opened: float | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def wait(self, now: float) -> float:
        """Count a call and return 0, or refuse it and return the seconds until a call would be accepted."""
        if self._opened is None or now >= self._opened + self.per:
            self._opened, self._used = now, 0
        if self._used >= self.calls:
            return self._opened + self.per - now
        self._used += 1
        return 0.0


@dataclass
class SlidingWindow:
    """Allows a number of calls in any period of that length."""

    calls: int
    per: float
    _taken: deque[float] = field(default_factory=deque, init=False)

    def wait(self, now: float) -> float:
        """Count a call and return 0, or refuse it and return the seconds until a call would be accepted."""
        while self._taken and self._taken[0] <= now - self.per:
            self._taken.popleft()
        if len(self._taken) >= self.calls:
            return self._taken[0] + self.per - now
        self._taken.append(now)
        return 0.0

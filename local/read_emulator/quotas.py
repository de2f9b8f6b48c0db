"""Ways of counting calls against a quota. Which one Azure uses is not published; clients should live with each."""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol


class Quota(Protocol):
    """Counts calls over time, in seconds of any clock."""

    def wait(self, now: float) -> float:
        """Count a call and give 0, or refuse it and give the seconds until one would be taken."""


@dataclass
class TokenBucket:
    """Calls may come in a burst, and then as fast as they are made up for. A refused call costs nothing."""

    calls: int
    per: float
    _tokens: float = field(init=False)
    _filled: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._tokens = self.calls

    def wait(self, now: float) -> float:
        """Count a call and give 0, or refuse it and give the seconds until one would be taken."""
        if self._filled is not None:
            self._tokens = min(self.calls, self._tokens + (now - self._filled) * self.calls / self.per)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) * self.per / self.calls
        self._tokens -= 1
        return 0.0


@dataclass
class FixedWindow:
    """So many calls in each window; the first call opens it."""

    calls: int
    per: float
    _opened: float | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def wait(self, now: float) -> float:
        """Count a call and give 0, or refuse it and give the seconds until one would be taken."""
        if self._opened is None or now >= self._opened + self.per:
            self._opened, self._used = now, 0
        if self._used >= self.calls:
            return self._opened + self.per - now
        self._used += 1
        return 0.0


@dataclass
class SlidingWindow:
    """So many calls in any stretch of that length."""

    calls: int
    per: float
    _taken: deque[float] = field(default_factory=deque, init=False)

    def wait(self, now: float) -> float:
        """Count a call and give 0, or refuse it and give the seconds until one would be taken."""
        while self._taken and self._taken[0] <= now - self.per:
            self._taken.popleft()
        if len(self._taken) >= self.calls:
            return self._taken[0] + self.per - now
        self._taken.append(now)
        return 0.0

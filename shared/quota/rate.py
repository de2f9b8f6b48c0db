"""How many calls a Read resource takes: what READ_RATE says."""

import re
from dataclasses import dataclass
from enum import Enum


class Call(Enum):
    """A call of Read: the POST of a document, or the GET of an operation."""

    SUBMIT = "POST"
    POLL = "GET"


@dataclass(frozen=True, slots=True)
class Quota:
    """A number of calls in a window of seconds."""

    calls: int
    seconds: int

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """The quotas of a Read resource. ``shared``: POSTs and GETs together have one quota."""

    posts: Quota
    gets: Quota
    shared: bool

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Parse ``30/s``, ``20/min``, or ``15/s,50/s`` (POST, GET). Raises ValueError, with the right form."""
        match = re.fullmatch(r"([0-9]{1,6})/(s|min)(?:,([0-9]{1,6})/(s|min))?", text.replace(" ", ""))
        quotas = [Quota(int(match[n]), {"s": 1, "min": 60}[match[n + 1]]) for n in (1, 3) if match[n]] if match else []
        if not quotas or not all(quota.calls for quota in quotas):
            raise ValueError("it is calls (1 to 999999) in a time, such as 30/s, 20/min, or 15/s,50/s (POST, GET)")
        return cls(quotas[0], quotas[-1], shared=len(quotas) == 1)

    @property
    def documents(self) -> float:
        """Documents a second that the quota is enough for, with one POST and two polls each."""
        return self.posts.rate / 3 if self.shared else min(self.posts.rate, self.gets.rate / 2)

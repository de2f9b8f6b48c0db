"""Pace: who may call Read when, so that all instances together keep its quota. Pure arithmetic, in seconds UTC.

Which way Azure counts calls is not published. What is booked here suits a token bucket, a fixed window and a sliding
one alike: no stretch as long as the quota's own has more calls than the quota. A message can be hidden for whole
seconds only, so a step that is put off comes back a whole number of seconds later: those are the times on offer.

The host takes up to half a second to fetch a message, and takes several at a time. A token bucket evens that out; a
window of a second refuses what is over. There, bench/throughput.py reaches seven to eight tenths of the quota.
"""

import json
import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from operator import sub
from typing import Any, NamedTuple

from shared.schedule import FIRST_POLL_DELAY, LONGEST_DELAY, LONGEST_WAIT
from shared.settings import Quota, Rate

HEADROOM = 0.995
"""What submits, and the first looks that they bring, take of the quota at most: other looks find the rest free, and
calls come a little sooner or later than booked."""

EARLY_BY = 0.4
"""Seconds by which a message may come before its call is booked, rather than most of a second after it."""

PATIENCE = 2
"""Seconds that a call may come later for being made nearer to the time for which it is booked."""

SUBMIT_TAKES = 0.5
"""Seconds from the time for which a submit is booked to Read's answer: the host's polling is in it."""

EARLY = 1.0
LATE = 10.0
"""Seconds around its time in which a booked call is made; one that comes later books anew."""

AHEAD = 90
"""Seconds, or ten windows of the quota where that is longer, that are booked ahead. What is beyond is told when to
come and book."""

GUARD = 2
"""Seconds by which a call of a minute's quota may come late without there being too many in the minute."""

BLOCK = 20
"""Windows over which the quota is kept on average, so that it need not be whole calls a window."""

CHANCE = 0.1
"""The share of refused calls up to which chance is to blame, and not the quota."""

LEAST_SHARE = 0.02
RECOVERY = 0.01
"""The share of the quota that is won back in ten of its windows."""

_LONG_WAIT = 2
"""Seconds: of a shorter wait the others would hear too late."""

_MOST_BINS = 10_000
_NEVER = 1e11
"""What a row may hold: storage's own size is the limit to what somebody may have written there."""

_BY_CHANCE, _BY_CHANCE_OF_LONG = 10, 3
"""Refusals that tell nothing of the quota; a long wait is not asked for as easily."""


class Slot(NamedTuple):
    """A booked call: when it may be made, and in which calendar. Once there is a newer calendar, it is void."""

    calendar: int
    at: float


class Booking(NamedTuple):
    """The slots of this call and of the next one; without slots, the time at which to come and book."""

    at: float
    slots: tuple[Slot, ...] = ()


class Lane:
    """The calendar of one quota: how many calls are booked in each bin, a quarter of a second or a second long."""

    def __init__(self, quota: Quota, saved: Sequence[Any] = ()) -> None:
        self.quota = quota
        self._bins = 4 if quota.seconds < 10 else quota.seconds
        """To a window."""
        self._width = quota.seconds / self._bins
        if len(saved) > _MOST_BINS or not all(type(value) in (int, float) and abs(value) < _NEVER for value in saved):
            raise ValueError("a calendar is made of numbers")
        state: Sequence[Any] = saved[:8] or (0, 1.0, 0.0, 0.0, 0.0, 0, 0, 0)
        self.number: int = state[0]
        self.share: float = min(max(state[1], LEAST_SHARE), 1.0)
        self._risen_at: float = state[2]
        self.not_before: float = state[3]
        self._later: float = state[4]
        self.calls: int = state[5]
        self.refusals: int = state[6]
        self._first: int = int(state[7])
        self._booked: list[int] = [int(calls) for calls in saved[8:]]

    def saved(self) -> list[Any]:
        """What is kept of it."""
        state = [self.number, round(self.share, 4), self._risen_at, self.not_before, self._later, self.calls]
        return [*state, self.refusals, self._first, *self._booked]

    @property
    def horizon(self) -> float:
        """Seconds that are booked ahead at most: the less sure the quota is, the less is booked in vain."""
        return max(AHEAD * self.share, 10 * self.quota.seconds)

    def pass_to(self, now: float) -> None:
        """Forget what is over, and win back a little of what was lost to refusals."""
        keep_from = (self._bin(now) // (self._bins * BLOCK)) * self._bins * BLOCK
        keep_from = min(keep_from, self._bin(now) - self._bins)
        if gone := min(max(keep_from - self._first, 0), len(self._booked)):
            self.calls += sum(self._booked[:gone])
            del self._booked[:gone]
        self._first = max(keep_from, self._first) if self._booked else keep_from
        if self.calls > 10 * BLOCK * self.quota.calls:
            self.calls, self.refusals = self.calls // 2, self.refusals // 2
        tens = math.floor((now - self._risen_at) / (10 * self.quota.seconds))
        if tens > 0:
            self.share = min(1.0, self.share + tens * RECOVERY)
            self._risen_at = now

    def is_busy(self, now: float) -> bool:
        """Whether more than a fifth of a window's calls are booked from a window ago on, or none may be made."""
        self.pass_to(now)
        recent = self._booked[max(0, self._bin(now) - self._bins - self._first) :]
        return now < self.not_before or self.share < 1 or sum(recent) * 5 > self.quota.calls

    def first_free(self, start: float, at_least: float, headroom: float) -> float:
        """A time with room that is not before ``at_least``, and little later than the first.

        Best is a whole number of seconds after ``start``, when a message that is sent then can come back; else what is
        nearest to that.
        """
        calls = self.quota.calls * self.share * headroom
        at_least = max(at_least, min(self.not_before, start + LONGEST_WAIT))
        number = self._next_with_room(self._bin(at_least), calls)
        until = max(at_least, number * self._width) + PATIENCE
        best, best_off = 0.0, math.inf
        while number * self._width < until:
            first, last = max(at_least, number * self._width), (number + 1) * self._width - 0.01
            whole = start + round((first + last) / 2 - start)
            at = min(max(whole, first), last)
            if abs(at - whole) < best_off:
                best, best_off = at, abs(at - whole)
                if best_off < self._width / 10:
                    break
            number = self._next_with_room(number + 1, calls)
        return best

    def _next_with_room(self, number: int, calls: float) -> int:
        """The first bin from ``number`` on in which one more call is no more than so many in a window."""
        if self._width < 1:  # a bin's own share, so that calls are spread within their second
            per_bin = calls / self._bins
            while self._count(number) >= math.floor((number + 1) * per_bin) - math.floor(number * per_bin):
                number += 1
            return number
        window, most = self._bins + GUARD, max(1, round(calls))
        before = [0, *accumulate(self._booked)]  # calls before each bin
        padded = [0] * window + before + before[-1:] * window
        in_window = map(sub, padded[window:], padded)  # by the bin that follows the window
        full = [end - 1 for end, booked in enumerate(in_window) if booked >= most]
        index = number - self._first
        while True:
            for last in full[bisect_left(full, index) :]:  # a window that is full blocks all its bins
                if last >= index + window:
                    break
                index = last + 1
            block = (index + self._first) // (self._bins * BLOCK) * self._bins * BLOCK - self._first
            ends = [before[min(max(end, 0), len(self._booked))] for end in (block, block + self._bins * BLOCK)]
            if ends[1] - ends[0] < max(1, math.floor(calls * BLOCK)):
                return index + self._first
            index = block + self._bins * BLOCK

    def book(self, at: float) -> Slot:
        """Book a call at a time."""
        index = self._bin(at) - self._first
        if index < 0:
            return Slot(self.number, at)
        self._booked.extend([0] * (index + 1 - len(self._booked)))
        self._booked[index] += 1
        return Slot(self.number, round(at, 2))

    def come_again(self, now: float, calls: int) -> float:
        """When to come and book, for a document that needs so many calls: half a horizon ahead of its likely turn."""
        self._later = min(max(self._later, now + self.horizon), now + LONGEST_DELAY)
        at = self._later - self.horizon / 2
        self._later = round(self._later + calls / (self.quota.rate * self.share * HEADROOM), 3)
        return at

    def refused(self, now: float, wait: float, calendar: int) -> None:
        """Take in a 429. One by chance changes nothing; many, or a long wait, begin a new calendar."""
        if calendar != self.number:
            return  # it was booked under a calendar that is known to be wrong
        wait = min(wait, LONGEST_WAIT)
        self.refusals += 1
        made = self.calls + sum(self._booked[: max(0, self._bin(now) + 1 - self._first)])
        long = wait > _LONG_WAIT
        too_many = self.refusals > max(_BY_CHANCE_OF_LONG if long else _BY_CHANCE, CHANCE * made)
        if too_many:
            kept = 1 - self.refusals / max(made, self.refusals)
            self.share = max(LEAST_SHARE, self.share * max(kept, 0.5))
            self.calls, self.refusals = -made + self.calls, 0
        if too_many or long:
            self.number += 1
            self.not_before = round(now + wait, 3)
            self._risen_at = now  # and those who were told when to come keep their turns
            del self._booked[max(0, self._bin(now) + 1 - self._first) :]

    def _bin(self, at: float) -> int:
        return math.floor(at / self._width + 1e-9)

    def _count(self, number: int) -> int:
        index = number - self._first
        return self._booked[index] if 0 <= index < len(self._booked) else 0


class Pace:
    """The calendars of a Read resource: one, or one for POSTs and one for GETs. ``text`` is what storage keeps."""

    def __init__(self, rate: Rate, text: str | None = None) -> None:
        quotas = [rate.posts] if rate.shared else [rate.posts, rate.gets]
        self.lanes = [Lane(quota) for quota in quotas]
        try:
            saved = json.loads(text or "null")
            if saved and saved["quotas"] == [[quota.calls, quota.seconds] for quota in quotas]:
                self.lanes = [Lane(quota, lane) for quota, lane in zip(quotas, saved["lanes"], strict=True)]
        except (ValueError, LookupError, TypeError, RecursionError):
            pass  # of another version, or anybody's: a calendar is only as old as what is booked in it

    @property
    def text(self) -> str:
        """What storage keeps: at most some 3,000 characters."""
        state = {
            "quotas": [[lane.quota.calls, lane.quota.seconds] for lane in self.lanes],
            "lanes": [lane.saved() for lane in self.lanes],
        }
        return json.dumps(state, separators=(",", ":"))

    def lane(self, submits: bool) -> Lane:
        """The calendar of POSTs, or that of GETs."""
        return self.lanes[0 if submits else -1]

    def book_submit(self, now: float) -> Booking:
        """Book a POST and the first look after it."""
        posts, gets = self.lane(True), self.lane(False)
        for lane in self.lanes:
            lane.pass_to(now)
        at = posts.first_free(now, now, HEADROOM)
        if at - now > posts.horizon:
            return Booking(posts.come_again(now, 2 if posts is gets else 1))
        post = posts.book(at)
        look_at = gets.first_free(at + SUBMIT_TAKES, at + SUBMIT_TAKES + FIRST_POLL_DELAY, HEADROOM)
        return Booking(at, (post, gets.book(look_at)))

    def book_look(self, now: float) -> Booking:
        """Book a look. It goes before submits, which leave room for it."""
        gets = self.lane(False)
        gets.pass_to(now)
        at = gets.first_free(now, now, 1.0)
        return Booking(at, (gets.book(at),))

    def is_good(self, slot: Slot, now: float, submits: bool) -> bool:
        """Whether a booked call may be made now."""
        return slot.calendar == self.lane(submits).number and slot.at - EARLY <= now <= slot.at + LATE

"""Lanes: which slots of a quota are reserved, and when each is. Pure arithmetic, in seconds UTC.

A lane is a row of numbered slots, each (window + slack) / calls seconds long; a slot takes one call. So calls are
evenly spaced, and no window has more of them than the quota, whether Azure counts by a token bucket, a fixed or a
sliding window (which one is not published). Where Read refuses calls all the same, slots become longer for everybody.

An example, at 30/s (one quota for POST and GET), where a slot is 1.006 s / 30 = 33.5 ms: 300 files come at 12:00:00.

- The first is submitted in slot 0, at once. Read answers and the row is written by 12:00:00.35; the first poll is due
  2 s later, and its message is to come 0.35 s early: so it gets slot 81, at 12:00:02.72.
- The second is submitted in slot 1, at 12:00:00.03, by a function that waits for it.
- Another finds the next free slot 1.38 s away, longer than a function may wait. Its message is hidden for 1 s, and its
  function waits out the rest. The last one's poll is 20 s away.
- At 12:00:05 a call in its own slot is answered 429: from here on slots are 33.7 ms long, for every instance. All
  reservations hold; a slot that was 10 s away is now 10.04 s away. With no further refusal, slots are 33.5 ms long
  again four seconds later.
"""

import json
import math
from dataclasses import asdict, dataclass, replace

from shared.quota.rate import Call, Quota, Rate
from shared.schedule import FIRST_POLL_DELAY, LONGEST_DELAY, LONGEST_WAIT

LEAD = 0.35
"""Seconds by which a message is to be visible before its slot: the host polls up to 0.25 s late, and storage takes its
time."""

LONGEST_HOLD = 1 + LEAD
"""Seconds that a function waits for its slot at most: a message is hidden for whole seconds, so it may come a second
earlier than it is to."""

SUBMIT_TAKES, SUBMIT_TAKES_APART = 0.35, 0.12
"""Seconds from the slot of a submit to the message about its first poll: at most, where submits and polls share a lane;
at least, where polls have their own. A late poll meets no other call there, so it need not wait for the slowest submit.
"""

LATE = 10
"""Seconds (or a window, if that is longer) after its slot up to which a call may still be made in it."""

AHEAD = 90
"""How many seconds (or ten windows, if that is longer) ahead slots are reserved. Later calls must come again."""

MOST_AHEAD = 10_000
"""How many slots ahead are reserved at most, so that they fit into the row."""

SLACK, LONG_SLACK = 0.006, 1
"""Seconds by which a window of slots is longer than the quota's: for windows of about a second, and of a minute. This
avoids a few refusals and costs a little of the quota. If the network's jitter needs more, slots grow with refusals."""

LATER_COSTS = 0.25
"""Seconds of waiting in a function that are as bad as a call that comes one second later."""

KEPT = 256
"""On a shared lane, one of so many slots is kept for polls after the first, which submits would delay otherwise."""

LONG_WINDOW = 10
"""Seconds. If a quota's window is this long, its calls may be made at once after a pause: at 20 a minute, a few files
that come after a pause need not take minutes."""

BY_CHANCE = 0.2
"""The share of a window's calls that may be refused by chance, because of the network or the clocks."""

SLOWER, MUCH_SLOWER, SLOWEST = 1.004, 1.05, 50
"""By which factor slots become longer: at a refusal, to the power of the recent refusals; at a refusal when there are
more than chance explains; and in all, at most."""

RECOVERY = 1.001
"""By which factor slots become shorter again in each window."""

LONG_WAIT = 2
"""Seconds. A shorter Retry-After is over before other instances could take it into account."""


@dataclass(slots=True)
class State:
    """What the row holds about a lane."""

    number: int
    """The number of the current or next slot. Earlier ones are over."""
    starts_at: float
    """When that slot begins."""
    width: float
    """The length of a slot in seconds."""
    taken: str = "0"
    """Hexadecimal: bit n is set if slot ``number`` + n is reserved."""
    at_once: int = 0
    """How many of the slots before ``number`` may still be used, at any time until ``starts_at``."""
    refused_at: float = 0
    refusals: float = 0
    """Recent refusals: one counts half after a window, and a quarter after two."""
    backlog_until: float = 0
    """When all calls that must come again will have had their slot."""


class Lane:
    """The slots of one quota, as they are now."""

    def __init__(self, quota: Quota, now: float, state: State | None = None, kept: int = 0) -> None:
        """Raises ValueError, TypeError or OverflowError for a state that this quota's lane cannot have now.

        ``kept``: one of so many slots is kept for polls after the first.
        """
        self._slack = SLACK if quota.seconds < LONG_WINDOW else LONG_SLACK
        self.quota = quota
        self._kept = kept
        self._shortest = max((quota.seconds + self._slack) / quota.calls, 0.001)
        self.horizon = max(min(AHEAD, MOST_AHEAD * self._shortest), 10 * quota.seconds)
        # Numbers are counted by the clock: if a row is lost, slots that were reserved in it have lower numbers.
        idle_since = now - 2 * quota.seconds
        self._state = state or State(int(idle_since / self._shortest), idle_since, self._shortest)
        self._taken = self._check(now)
        self._advance_to(now)

    def _check(self, now: float) -> int:
        state = self._state
        if not (
            len(state.taken) <= self.horizon / self._shortest
            and 0 <= state.number <= state.starts_at / self._shortest + 1
            and 0 <= state.starts_at <= now + LONGEST_WAIT + 2 * self.quota.seconds
            and self._shortest <= state.width <= self._shortest * SLOWEST
            and 0 <= state.at_once <= self.quota.calls
            and 0 <= state.refused_at <= now + LONGEST_WAIT
            and 0 <= state.refusals <= state.refusals + 1 < math.inf
            and 0 <= state.backlog_until < math.inf
        ):
            raise ValueError("a lane's numbers are out of range")
        state.number, state.at_once = int(state.number), int(state.at_once)
        return abs(int(state.taken, 16))

    @property
    def state(self) -> State:
        """The state for the row."""
        return replace(self._state, taken=f"{self._taken:x}")

    def _advance_to(self, now: float) -> None:
        """Drop the slots that are over, shorten slots that refusals made longer, and begin anew after a pause."""
        state, calls = self._state, self.quota.calls
        passed = int((now - state.starts_at) / state.width)
        if passed >= 0:
            state.at_once = 0
        if passed > 0:
            idle = not self._taken >> max(passed - calls, 0) and passed >= calls
            self._taken >>= passed
            state.number += passed
            state.starts_at += passed * state.width
            windows = min(passed * state.width / self.quota.seconds, 10_000)
            state.width = max(state.width / RECOVERY**windows, self._shortest)
            if idle and self.quota.seconds >= LONG_WINDOW:
                state.number += calls
                state.starts_at = now + calls * state.width
                state.at_once = calls
        if not self._taken and state.starts_at < now:
            state.starts_at = now

    def is_quiet(self, now: float) -> bool:
        """Whether less than a fifth of a window's calls are reserved, and Read has not refused many."""
        state = self._state
        few = self._taken.bit_count() * 5 < self.quota.calls
        return few and state.starts_at <= now and state.width < self._shortest * MUCH_SLOWER

    def wait(self, slot: int, now: float) -> float | None:
        """Seconds until a reserved slot, 0 if it has begun. None if it is long over, or too far ahead to be real."""
        ahead = slot - self._state.number
        if ahead < 0:
            return 0 if -ahead <= max(self.quota.calls, LATE / self._state.width) else None
        if ahead > 2 * self.horizon / self._shortest:
            return None
        return max(0.0, self._state.starts_at + ahead * self._state.width - now)

    def reserve(self, now: float, within: float, sent_at: float, earliest: float, *, is_further: bool) -> int | None:
        """Reserve one of the first free slots from ``earliest`` on: the one for which a function waits least.

        The message about the call is sent at ``sent_at``; a call that is due now needs no message if it need not wait
        long. None if all slots ``within`` so many seconds are taken. ``is_further``: for a poll after the first.
        """
        state = self._state
        # A window that ends after ``starts_at`` holds calls of both kinds: as time passes, fewer may be made at once.
        left = (state.starts_at + self._slack - earliest) / state.width
        state.at_once = max(0, min(state.at_once, int(left)))
        if state.at_once:
            state.at_once -= 1
            return state.number - state.at_once - 1
        best = index = self._free(self._index(earliest), is_further)
        if self._at(index) - now > within:
            return None
        if not (sent_at == now and self._at(index) - now <= LONGEST_HOLD):
            least, until = math.inf, self._at(index) + 1
            while self._at(index) < until:
                hold = (self._at(index) - sent_at - LEAD) % 1 + LATER_COSTS * (self._at(index) - until)
                if hold < least:
                    best, least = index, hold
                index = self._free(index + 1, is_further)
        self._taken |= 1 << best
        return state.number + best

    def skip(self) -> None:
        """Leave the next free slot unused, for a call that was made without one."""
        self._taken |= 1 << self._free(0, is_further=False)

    def come_again(self, now: float, calls: int) -> float:
        """When a step is to come again to reserve this many calls: half a horizon before their likely time."""
        state = self._state
        state.backlog_until = min(max(state.backlog_until, now + self.horizon), now + LONGEST_DELAY)
        at = state.backlog_until - self.horizon / 2
        state.backlog_until += calls * state.width
        return at

    def throttled(self, now: float, wait: float, *, in_its_slot: bool) -> None:
        """Take a 429 into account. All reservations stay, and move to later times."""
        state = self._state
        if in_its_slot:
            windows = max(0.0, now - state.refused_at) / self.quota.seconds
            state.refusals = state.refusals / 2 ** min(windows, 99) + 1
            too_many = state.refusals > max(2, self.quota.calls * BY_CHANCE)
            step = MUCH_SLOWER if too_many else min(SLOWER**state.refusals, MUCH_SLOWER)
            state.width = min(state.width * step, self._shortest * SLOWEST)
            state.refused_at = now
        if wait > LONG_WAIT:
            until = now + min(wait, LONGEST_WAIT)
            state.at_once = 0
            state.starts_at = max(state.starts_at, until)

    def _index(self, time: float) -> int:
        return max(0, math.ceil((time - self._state.starts_at) / self._state.width - 1e-6))

    def _at(self, index: int) -> float:
        return self._state.starts_at + index * self._state.width

    def _free(self, index: int, is_further: bool) -> int:
        kept = 0 if is_further else self._kept
        taken = self._taken >> index
        while taken & 1 or (kept and (self._state.number + index) % kept == 0):
            index += 1
            taken >>= 1
        return index


class Lanes:
    """The lanes of a Read resource: one, or one for POSTs and one for GETs."""

    def __init__(self, rate: Rate, now: float, text: str = "") -> None:
        """``text`` is what the row holds. If it cannot be read, the lanes begin anew."""
        quotas = [rate.posts] if rate.shared else [rate.posts, rate.gets]
        kept = KEPT if rate.shared else 0
        self._lanes = [Lane(quota, now, kept=kept) for quota in quotas]
        try:
            saved = json.loads(text or "null")
            if saved and saved["quotas"] == [[quota.calls, quota.seconds] for quota in quotas]:
                states = [State(**lane) for lane in saved["lanes"]]
                self._lanes = [Lane(*each, kept) for each in zip(quotas, [now] * len(quotas), states, strict=True)]
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
            pass  # another version or a person wrote it: reservations are lost, and Read refuses excess calls

    @property
    def text(self) -> str:
        """The text for the row: some 10,000 characters at most."""
        quotas = [[lane.quota.calls, lane.quota.seconds] for lane in self._lanes]
        return json.dumps({"quotas": quotas, "lanes": [asdict(lane.state) for lane in self._lanes]})

    def of(self, call: Call) -> Lane:
        """The lane that a call takes its slots from."""
        return self._lanes[0 if call is Call.SUBMIT else -1]

    def reserve(self, call: Call, now: float) -> tuple[int, ...]:
        """Reserve a slot; for a submit, also one for its first poll. Empty if the step must come again."""
        lane, polls = self.of(call), self.of(Call.POLL)
        if call is Call.POLL:
            further = lane.reserve(now, 2 * lane.horizon, now, now, is_further=True)
            return () if further is None else (further,)
        slot = lane.reserve(now, lane.horizon, now, now, is_further=False)
        if slot is None:
            return ()
        sent_at = now + (lane.wait(slot, now) or 0) + (SUBMIT_TAKES if lane is polls else SUBMIT_TAKES_APART)
        earliest = sent_at + FIRST_POLL_DELAY + LEAD
        poll = polls.reserve(now, 2 * polls.horizon, sent_at, earliest, is_further=False)
        return (slot,) if poll is None else (slot, poll)

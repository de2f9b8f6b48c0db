"""Lanes: which slots of a quota are reserved, and when each is. Pure arithmetic, in seconds UTC.

A lane is a row of numbered slots, each (window + slack) / calls seconds long; a slot takes one call. So calls are evenly
spaced, and no window has more of them than the quota, whether Azure counts by a token bucket, a fixed or a sliding
window (which one is not published). Where Read refuses calls all the same, slots become longer for everybody.

An example, at 30/s (one quota for POST and GET), where a slot is 1.01 s / 30 = 33.7 ms: 300 files come at 12:00:00.

- The first is submitted in slot 0, at once. Its first poll is due 2 s after Read's answer, so it gets slot 83, at
  12:00:02.80: its message is hidden for 2 s and comes some 0.4 s before the slot.
- The second is submitted in slot 1, at 12:00:00.03, by a function that waits; so are those up to slot 41.
- The 43rd finds its slot 1.41 s away, longer than a function may wait: its message is hidden for 1 s, and then
  its function waits out the rest. The last one's slots are 20 s away.
- At 12:00:05 a call in its own slot is answered 429: from here on slots are 34.0 ms long. All reservations hold; a slot
  that was 10 s away is now 10.1 s away. Without refusals slots are 33.7 ms long again ten seconds later.
"""

import json
import math
from dataclasses import asdict, dataclass, replace

from shared.quota.rate import Call, Quota, Rate
from shared.schedule import FIRST_POLL_DELAY, LONGEST_DELAY, LONGEST_WAIT

LONGEST_HOLD = 1.4
"""Seconds that a function waits for its slot at most."""

LEAD = 0.4
"""Seconds by which a message is to be visible before its slot: the host polls up to 0.25 s late, and storage takes time.
"""

SUBMIT_TAKES = 0.4
"""Seconds from the slot of a submit to the message about its first poll."""

LATE = 10
"""Seconds (or a window, if that is longer) after its slot up to which a call may still be made in it."""

AHEAD = 30
"""Seconds (or ten windows, if that is longer) ahead that are reserved. What comes later is told when to come again."""

KEPT = 64
"""One slot in so many is kept for further polls on a shared lane, where submits would delay them otherwise."""

LONG_WINDOW = 10
"""Seconds. After a pause, the calls of a longer window may be made at once: at 20 a minute, a few files that come alone
need not take minutes."""

SLOWER, MUCH_SLOWER, SLOWEST = 1.01, 1.05, 50
"""How many times as long slots become by a refusal; by one that follows another within a window; by all, at most."""

RECOVERY = 1.001
"""How many times shorter they become again in each window."""

LONG_WAIT = 2
"""Seconds. Of a Retry-After that is not longer, the others would hear too late."""


@dataclass(slots=True)
class State:
    """What the row holds of a lane."""

    number: int
    """Of the slot that is next, or now. Earlier ones are over."""
    starts_at: float
    """When that slot is."""
    width: float
    """Seconds to a slot."""
    taken: str = "0"
    """Hexadecimal: bit n is set if slot ``number`` + n is reserved."""
    at_once: int = 0
    """So many of the slots before ``number`` may still be used, at any time."""
    refused_at: float = 0
    backlog_until: float = 0
    """By when all who were told to come again will have been served."""


class Lane:
    """The slots of one quota, as they are now."""

    def __init__(self, quota: Quota, now: float, state: State | None = None, kept: int = 0) -> None:
        """Raises ValueError, TypeError or OverflowError for a state that no lane of this quota has now.

        ``kept``: one in so many slots is for polls.
        """
        slack = 0.01 if quota.seconds < LONG_WINDOW else 1
        self.quota = quota
        self.horizon = max(AHEAD, 10 * quota.seconds)
        self._kept = kept
        self._shortest = max((quota.seconds + slack) / quota.calls, 0.002)  # so that a row holds all that is reserved
        # Numbers go by the clock: those that were reserved before a row was lost are over now.
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
            and 0 <= state.backlog_until < math.inf
        ):
            raise ValueError("a lane's numbers are out of range")
        state.number, state.at_once = int(state.number), int(state.at_once)
        return abs(int(state.taken, 16))

    @property
    def state(self) -> State:
        """What the row is to hold."""
        return replace(self._state, taken=f"{self._taken:x}")

    def _advance_to(self, now: float) -> None:
        """Leave behind the slots that are over; win back some of what was lost to refusals; begin anew after a pause."""
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
        """Whether less than a fifth of a window's calls are reserved, and nothing says that Read takes fewer."""
        state = self._state
        few = self._taken.bit_count() * 5 < self.quota.calls
        return few and state.starts_at <= now and state.width < self._shortest * MUCH_SLOWER

    def wait(self, slot: int, now: float) -> float | None:
        """Seconds until a reserved slot, 0 if it has begun; None for one that is long over, or that nobody has reserved."""
        ahead = slot - self._state.number
        if ahead < 0:
            return 0 if -ahead <= max(self.quota.calls, LATE / self._state.width) else None
        if ahead > 2 * self.horizon / self._shortest:
            return None
        return max(0.0, self._state.starts_at + ahead * self._state.width - now)

    def reserve(self, call: Call, now: float, sent_at: float, earliest: float) -> int | None:
        """Reserve the slot, of the first that are free from ``earliest`` on, for which a function waits least.

        Its message is sent at ``sent_at``; what is due now goes on without one, if it does not wait too long. None where
        all slots within the horizon are taken.
        """
        state = self._state
        if state.at_once:
            state.at_once -= 1
            return state.number - state.at_once - 1
        first = index = self._free(max(0, math.ceil((earliest - state.starts_at) / state.width - 1e-6)), call)
        if self._at(first) - now > self.horizon * (1 if call is Call.SUBMIT else 2):
            return None
        if not (sent_at == now and self._at(first) - now <= LONGEST_HOLD):
            least = math.inf
            while self._at(index) < self._at(first) + 1:
                if (hold := (self._at(index) - sent_at - LEAD) % 1) < least - 0.001:
                    first, least = index, hold
                index = self._free(index + 1, call)
        self._taken |= 1 << first
        return state.number + first

    def come_again(self, now: float, calls: int) -> float:
        """When somebody is to come and reserve so many calls: half a horizon before their likely time."""
        state = self._state
        state.backlog_until = min(max(state.backlog_until, now + self.horizon), now + LONGEST_DELAY)
        at = state.backlog_until - self.horizon / 2
        state.backlog_until += calls * state.width
        return at

    def throttled(self, now: float, wait: float, *, in_its_slot: bool) -> None:
        """Take in a 429. What is reserved stays reserved, and moves."""
        state = self._state
        if in_its_slot:
            slower = MUCH_SLOWER if now - state.refused_at < self.quota.seconds else SLOWER
            state.width = min(state.width * slower, self._shortest * SLOWEST)
            state.refused_at = now
        if wait > LONG_WAIT:
            until = now + min(wait, LONGEST_WAIT)
            state.at_once = 0
            state.starts_at = max(state.starts_at, until)

    def _at(self, index: int) -> float:
        return self._state.starts_at + index * self._state.width

    def _free(self, index: int, call: Call) -> int:
        taken = self._taken >> index
        while taken & 1 or (self._kept and call is Call.SUBMIT and (self._state.number + index) % self._kept == 0):
            index += 1
            taken >>= 1
        return index


class Lanes:
    """The lanes of a Read resource: one, or one for POSTs and one for GETs."""

    def __init__(self, rate: Rate, now: float, text: str = "") -> None:
        """``text`` is what the row holds. What is not understood is begun anew."""
        quotas = [rate.posts] if rate.shared else [rate.posts, rate.gets]
        kept = KEPT if rate.shared else 0
        self._lanes = [Lane(quota, now, kept=kept) for quota in quotas]
        try:
            saved = json.loads(text or "null")
            if saved and saved["quotas"] == [[quota.calls, quota.seconds] for quota in quotas]:
                states = [State(**lane) for lane in saved["lanes"]]
                self._lanes = [Lane(*each, kept) for each in zip(quotas, [now] * len(quotas), states, strict=True)]
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
            pass  # of another version, or anybody's: what is reserved is forgotten, and Read refuses what is too much

    @property
    def text(self) -> str:
        """What the row is to hold: at most some 16,000 characters."""
        quotas = [[lane.quota.calls, lane.quota.seconds] for lane in self._lanes]
        return json.dumps({"quotas": quotas, "lanes": [asdict(lane.state) for lane in self._lanes]})

    def of(self, call: Call) -> Lane:
        """The lane that a call takes its slots from."""
        return self._lanes[0 if call is Call.SUBMIT else -1]

    def reserve(self, call: Call, now: float) -> tuple[int, ...]:
        """Reserve a slot; for a submit, also that of the first poll after it. Nothing if it must come again."""
        lane, polls = self.of(call), self.of(Call.POLL)
        slot = lane.reserve(call, now, now, now)
        if slot is None:
            return ()
        if call is Call.POLL:
            return (slot,)
        sent_at = now + (lane.wait(slot, now) or 0) + SUBMIT_TAKES
        poll = polls.reserve(Call.SUBMIT, now, sent_at, sent_at + FIRST_POLL_DELAY + LEAD)
        return (slot,) if poll is None else (slot, poll)

"""The rate limiter of a process. It reserves slots for all its threads together, with as few calls as possible."""

import math
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from threading import RLock
from typing import NamedTuple

from azure.core.exceptions import AzureError

from shared import log
from shared.quota.lane import LEAD, LONG_WAIT, LONG_WINDOW, LONGEST_HOLD, Lanes
from shared.quota.rate import Call, Rate
from shared.quota.row import Kept, QuotaRow

TRIES = 8
"""How often a reservation begins anew because another process has written the row."""

FRESH, QUIET_FOR = 5, 60
"""For how many seconds a process trusts what it read in the row: for a call with a slot, and for one without."""

QUIET_PART = 30
"""A process makes one call without a slot in the time of so many, so that a few processes do not exceed the quota."""


class Reservation(NamedTuple):
    """Come again in ``delay`` seconds, with ``slots``. If ``delay`` is 0, wait for ``time`` and make the call."""

    delay: int = 0
    slots: tuple[int, ...] = ()
    """The slots for the call, if it is still to come, and for the poll after it."""
    time: float = 0
    """When the call is to be made, in seconds UTC."""
    slot: int | None = None
    """The slot in which the call is made; None without one."""


@dataclass(slots=True)
class _Request:
    call: Call
    slots: tuple[int, ...] = ()
    come_again_at: float = 0
    error: AzureError | None = None
    is_over: bool = False


class RateLimiter:
    """Says when Read may be called. If storage is in trouble, calls are made without a slot.

    ``lock`` is held while the row is read and written. Other threads that need a slot wait for it, and then find
    their slots reserved.
    """

    def __init__(
        self,
        rate: Rate,
        row: QuotaRow,
        now: Callable[[], datetime],
        sleep: Callable[[float], object],
        random: Random,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._rate = rate
        self._row = row
        self._now = now
        self._sleep = sleep
        self._random = random
        self._lock = lock or RLock()
        self._asking: deque[None] = deque()
        """One entry for each thread that is in ``reserve`` just now."""
        self._waiting: deque[_Request] = deque()
        self._seen = Kept()
        self._seen_at = -math.inf
        self._is_alone = False
        """Whether this process wrote the row last, as far as it knows. Then it need not read the row first."""
        # Of the many processes that start in a burst, none makes its first call without a slot.
        self._unreserved_at = self._time()
        self._unreserved: Call | None = None
        """A call that was just made without a slot, so that the row does not know it."""

    def reserve(self, call: Call, slots: tuple[int, ...] = ()) -> Reservation:
        """Ask to make a call. ``slots`` are reserved already, for the call and for the poll after it."""
        self._asking.append(None)
        try:
            return self._reserve(call, slots)
        except AzureError as error:
            log.trouble("The rate limiter has no storage: Read is called all the same.", code=type(error).__name__)
            return Reservation()
        finally:
            self._asking.pop()

    def wait(self, reservation: Reservation) -> None:
        """Wait for the slot, right before the call."""
        if (seconds := reservation.time - self._time()) > 0:
            self._sleep(min(seconds, LONGEST_HOLD))

    def delay(self, call: Call, slots: tuple[int, ...]) -> int:
        """Seconds for which to hide the message about a call, so that it comes shortly before its slot."""
        wait = self._lanes().of(call).wait(slots[0], self._time()) if slots else None
        return max(0, math.floor((wait or 0) - LEAD))

    def throttled(self, call: Call, reservation: Reservation, retry_after: float | None) -> None:
        """Read answered 429: all reservations move to later times, for every instance."""
        in_its_slot = reservation.slot is not None
        if not in_its_slot and (retry_after or 0) <= LONG_WAIT:
            return
        try:
            with self._lock:
                for _ in range(TRIES):
                    self._read()
                    lanes = self._lanes()
                    lanes.of(call).throttled(self._time(), retry_after or 0, in_its_slot=in_its_slot)
                    if self._write(lanes):
                        return
        except AzureError as error:
            log.trouble(
                "Read throttles, but the row for all instances could not be written.", code=type(error).__name__
            )

    def _reserve(self, call: Call, slots: tuple[int, ...]) -> Reservation:
        wait = None
        if slots:
            self._look(FRESH)
            wait = self._lanes().of(call).wait(slots[0], self._time())
        elif self._may_go_unreserved(call):
            return Reservation()
        if wait is None:
            request = self._join(call)
            if request.come_again_at:
                return Reservation(max(1, math.ceil(request.come_again_at - self._time())))
            slots = request.slots
            wait = self._lanes().of(call).wait(slots[0], self._time()) or 0
        if wait > LONGEST_HOLD:
            return Reservation(max(1, math.floor(wait - LEAD)), slots)
        return Reservation(0, slots[1:], self._time() + wait, slots[0])

    def _may_go_unreserved(self, call: Call) -> bool:
        """Whether this call needs no slot: this process and all others make only a few calls."""
        quota = self._rate.posts if call is Call.SUBMIT else self._rate.gets
        if quota.seconds >= LONG_WINDOW or self._time() - self._unreserved_at < QUIET_PART / quota.rate:
            return False
        self._look(QUIET_FOR)
        if len(self._asking) > 1 or not self._lanes().of(call).is_quiet(self._time()):
            return False
        self._unreserved, self._unreserved_at = call, self._time()
        return True

    def _join(self, call: Call) -> _Request:
        """Get a slot, reserved by the thread of this process that writes the row next."""
        request = _Request(call)
        self._waiting.append(request)
        with self._lock:
            if not request.is_over:
                self._reserve_all()
        if request.error:
            raise request.error
        return request

    def _reserve_all(self) -> None:
        """Reserve slots for all requests that wait, and for those that come while other processes win the row."""
        requests: list[_Request] = []
        try:
            for _ in range(TRIES):
                if not self._is_alone:
                    self._read()
                while self._waiting:
                    requests.append(self._waiting.popleft())
                now, lanes = self._time(), self._lanes()
                if self._unreserved and now - self._unreserved_at < 1:
                    lanes.of(self._unreserved).skip()
                for request in requests:
                    request.slots, request.come_again_at = lanes.reserve(request.call, now), 0
                    if not request.slots:
                        request.come_again_at = lanes.of(request.call).come_again(now, self._calls(request.call))
                if self._write(lanes):
                    self._unreserved = None
                    return
            self._give_up(requests)
        except AzureError as error:
            requests += self._waiting  # the read may have failed before they were taken up
            self._waiting.clear()
            for request in requests:
                request.error = error
        finally:
            for request in requests:
                request.is_over = True

    def _give_up(self, requests: list[_Request]) -> None:
        """Too many other processes write the row just now. Their slots come first, so there is time to come again."""
        lanes, now = self._lanes(), self._time()
        for request in requests:
            slots = lanes.reserve(request.call, now)
            free_in = lanes.of(request.call).wait(slots[0], now) or 0 if slots else LONGEST_HOLD
            request.slots, request.come_again_at = (), now + self._random.uniform(1, max(3, free_in / 2))

    def _calls(self, call: Call) -> int:
        return 2 if call is Call.SUBMIT and self._rate.shared else 1

    def _time(self) -> float:
        return self._now().timestamp()

    def _lanes(self) -> Lanes:
        return Lanes(self._rate, self._time(), self._seen.text)

    def _look(self, within: float) -> None:
        """Read the row, unless it was read within this many seconds."""
        if self._time() - self._seen_at > within:
            with self._lock:
                if self._time() - self._seen_at > within:
                    self._read()

    def _read(self) -> None:
        self._seen = self._row.read()
        self._seen_at = self._time()

    def _write(self, lanes: Lanes) -> bool:
        kept = self._row.write(lanes.text, self._seen)
        self._is_alone = kept is not None
        if kept is None:
            return False
        self._seen, self._seen_at = kept, self._time()
        return True

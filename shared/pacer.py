"""A process's part in the common pace: it books for all its threads at once, and asks storage no more than it must."""

import logging
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from threading import RLock
from typing import NamedTuple

from azure.core.exceptions import AzureError

from shared.pace import EARLY_BY, Booking, Pace, Slot
from shared.settings import Rate
from shared.storage.pace import Kept, PaceRow

_log = logging.getLogger(__name__)

_TRIES = 8
"""Rounds of losing the row to other processes."""

FRESH = 5
"""Seconds for which a process believes what it last saw of the calendar when it makes a booked call."""

QUIET_FOR = 60
"""Seconds for which a process that found little booked makes a few calls unbooked."""

_FORGIVING = 10
"""Seconds: of a quota with a longer window no call goes unbooked; what is refused there waits for long."""

STRICT_AFTER, STRICT_FOR = 10, 100
"""After so many refusals in so many seconds, a process makes no more calls in a window's length than the quota: the
host fetches messages in clumps, which a token bucket takes, and a window does not."""

_EDGE = 0.03
"""Seconds by which calls may be nearer to each other at Read than they were here."""

QUIET_CALLS = 30
"""The part of the quota that one process takes unbooked, at most: 1/30."""


class Turn(NamedTuple):
    """Go on, where ``delay`` is 0; else come back in so many seconds. ``slots`` are what is booked from here on."""

    delay: float
    slots: tuple[Slot, ...] = ()


@dataclass(slots=True)
class _Request:
    submits: bool
    booking: Booking | None = None
    error: AzureError | None = None
    over: bool = False


class Pacer:
    """Says when Read may be called. Storage trouble never stops reading: then calls go unpaced.

    ``lock`` is held while the row is read and written; the other threads that need a slot wait for that, and find
    themselves served by it.
    """

    def __init__(
        self,
        rate: Rate,
        row: PaceRow,
        now: Callable[[], datetime],
        random: Random,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._rate = rate
        self._row = row
        self._now = now
        self._random = random
        self._lock = lock or RLock()
        self._waiting: deque[_Request] = deque()
        self._seen = Kept()
        self._seen_at = float("-inf")
        self._pace = Pace(rate)
        self._is_alone = False
        """Whether the row was last written by this process, as far as it knows: then it need not be read first."""
        self._unbooked_at = float("-inf")
        posts = deque[float](maxlen=rate.posts.calls)
        self._made = {True: posts, False: posts if rate.shared else deque[float](maxlen=rate.gets.calls)}
        """When this process made its last calls: as many as a window takes."""
        self._refusals = deque[float](maxlen=STRICT_AFTER)

    def turn(self, submits: bool, slots: tuple[Slot, ...] = ()) -> Turn:
        """Ask for a call: a submit, or a look. ``slots`` are those that were booked for it and for what follows."""
        turn = self._turn(submits, slots)
        if turn.delay:
            return turn
        now, quota = self._now().timestamp(), self._rate.posts if submits else self._rate.gets
        made, refusals = self._made[submits], self._refusals
        is_strict = len(refusals) == refusals.maxlen and now - refusals[0] < STRICT_FOR
        if is_strict and len(made) == quota.calls and now - made[0] < quota.seconds + _EDGE:
            return Turn(max(1.0, made[0] + quota.seconds + _EDGE - now), turn.slots)
        made.append(now)
        return Turn(0, turn.slots[1:])

    def _turn(self, submits: bool, slots: tuple[Slot, ...]) -> Turn:
        """The same by the calendar alone. Of a call that may be made now, ``slots`` are its own and what follows."""
        now = self._now().timestamp()
        try:
            if slots:
                self._see(FRESH)
                if self._pace.is_good(slots[0], now, submits):
                    return Turn(0, slots)
            elif self._is_quiet(now, submits):
                return Turn(0)
            booking = self._book(submits)
        except AzureError as error:
            _log.warning("The pace cannot be kept for now (%s): Read is called all the same.", type(error).__name__)
            return Turn(0)
        if booking is None:
            return Turn(self._random.uniform(1, 3))
        wait = booking.at - self._now().timestamp()
        if not booking.slots:
            return Turn(max(1.0, wait))
        return Turn(wait - EARLY_BY if wait > EARLY_BY else 0, booking.slots)

    def refused(self, submits: bool, wait: float | None) -> None:
        """Read answered 429: tell everyone."""
        calendar = self._pace.lane(submits).number
        self._refusals.append(self._now().timestamp())
        try:
            with self._lock:
                for _ in range(_TRIES):
                    self._look_up()
                    pace = Pace(self._rate, self._seen.text)
                    pace.lane(submits).refused(self._now().timestamp(), wait or 0, calendar)
                    if self._save(pace):
                        return
        except AzureError as error:
            _log.warning("Others could not be told that Read throttles (%s).", type(error).__name__)

    def _is_quiet(self, now: float, submits: bool) -> bool:
        """Whether this call may go unbooked: it is one of a few, and so are everyone's.

        Of thirty processes that do so at once, none is refused.
        """
        quota = self._rate.posts if submits else self._rate.gets
        if now - self._unbooked_at < QUIET_CALLS / quota.rate:
            return False
        if quota.seconds > _FORGIVING:
            return False
        self._see(QUIET_FOR)
        if self._pace.lane(submits).is_busy(now):
            return False
        self._unbooked_at = now
        return True

    def _book(self, submits: bool) -> Booking | None:
        request = _Request(submits)
        self._waiting.append(request)
        with self._lock:
            if not request.over:
                requests: list[_Request] = []
                try:
                    self._book_all(requests)
                except AzureError as error:
                    for each in requests:
                        each.error = error
                finally:
                    for each in requests:
                        each.over = True
        if request.error:
            raise request.error
        return request.booking

    def _book_all(self, requests: list[_Request]) -> None:
        """Book what waits. ``requests`` takes it in; who comes while others win the row is booked along."""
        for _ in range(_TRIES):
            if not self._is_alone:
                self._look_up()
            while self._waiting:
                requests.append(self._waiting.popleft())
            now = self._now().timestamp()
            pace = Pace(self._rate, self._seen.text)
            bookings = [pace.book_submit(now) if each.submits else pace.book_look(now) for each in requests]
            if self._save(pace):
                for request, booking in zip(requests, bookings, strict=True):
                    request.booking = booking
                return

    def _see(self, within: float) -> None:
        """Look the row up, unless that was done within so many seconds."""
        if self._now().timestamp() - self._seen_at > within:
            with self._lock:
                if self._now().timestamp() - self._seen_at > within:
                    self._look_up()

    def _look_up(self) -> None:
        self._seen = self._row.read()
        self._seen_at = self._now().timestamp()
        self._pace = Pace(self._rate, self._seen.text)

    def _save(self, pace: Pace) -> bool:
        kept = self._row.write(pace.text, self._seen)
        self._is_alone = kept is not None
        if kept is None:
            return False
        self._seen, self._seen_at, self._pace = kept, self._now().timestamp(), pace
        return True

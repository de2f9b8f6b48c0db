"""The common pace: what is booked suits every way of counting calls."""

import json
from collections.abc import Callable
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared.pace import AHEAD, LATE, Pace, Slot

from local.read_emulator.quotas import Quota as Counted
from local.read_emulator.quotas import TokenBucket
from shared.schedule import FIRST_POLL_DELAY, LONGEST_DELAY
from shared.settings import Quota, Rate

NOW = 1_795_305_600.0
PAID = Rate(Quota(30, 1), Quota(30, 1), shared=True)
FREE = Rate(Quota(20, 60), Quota(20, 60), shared=True)
APART = Rate(Quota(15, 1), Quota(50, 1), shared=False)
rates = pytest.mark.parametrize("rate", [PAID, FREE, APART])


def test_a_submit_is_booked_now_and_with_it_the_first_look() -> None:
    booking = Pace(PAID).book_submit(NOW)
    assert booking.at == NOW
    assert [slot.at - NOW >= wait for slot, wait in zip(booking.slots, (0, FIRST_POLL_DELAY), strict=True)] == [
        True,
        True,
    ]


@rates
@given(arrivals=st.lists(st.floats(0, 100), max_size=80), polls=st.lists(st.booleans(), min_size=80, max_size=80))
def test_no_window_has_much_more_than_its_quota(rate: Rate, arrivals: list[float], polls: list[bool]) -> None:
    pace, booked = Pace(rate), [list[float](), list[float]()]
    for arrival, look in zip(sorted(arrivals), polls, strict=False):
        booking = pace.book_look(NOW + arrival) if look else pace.book_submit(NOW + arrival)
        for index, slot in enumerate(booking.slots):
            booked[(index == 1 or look) and not rate.shared].append(slot.at)
    for calls, quota in zip(booked, (rate.posts, rate.gets), strict=True):
        for start in calls:
            inside = sum(start <= at < start + quota.seconds for at in calls)
            assert inside <= quota.calls * 1.5 + 1  # what is in a bin lies anywhere in it


@rates
@pytest.mark.parametrize("within", [0.0, 3.0])
def test_a_thousand_documents_are_booked_as_fast_as_the_quota_allows(rate: Rate, within: float) -> None:
    pace = Pace(rate)
    bookings = [pace.book_submit(NOW + within * number / 1000) for number in range(1000)]
    ideal = 1000 * (2 / rate.posts.rate if rate.shared else 1 / rate.posts.rate)
    last = max(booking.slots[-1].at if booking.slots else booking.at for booking in bookings)
    assert last - NOW < ideal * 1.08


@rates
def test_what_is_booked_is_kept_in_a_row_of_storage(rate: Rate) -> None:
    pace = Pace(rate)
    for _ in range(1000):
        pace.book_submit(NOW)
    assert len(pace.text) < 8_000
    again = Pace(rate, pace.text)
    assert again.text == pace.text
    assert again.book_look(NOW) == pace.book_look(NOW)


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '{"quotas":[[1,1]],"lanes":[[]]}', '{"lanes":3}', "[" * 30_000]
)
def test_a_row_that_is_not_understood_is_begun_anew(text: str) -> None:
    assert Pace(PAID, text).book_submit(NOW).at == NOW


NUMBERS = st.one_of(
    st.integers(), st.integers(0, 2_000_000_000), st.floats(), st.booleans(), st.none(), st.text(max_size=3)
)


@given(lane=st.lists(NUMBERS, max_size=40) | NUMBERS)
def test_whatever_somebody_wrote_into_the_row_a_call_has_its_turn(lane: object) -> None:
    pace = Pace(PAID, json.dumps({"quotas": [[30, 1]], "lanes": [lane]}))
    for _ in range(3):
        assert NOW <= pace.book_submit(NOW).at <= NOW + LONGEST_DELAY
        assert NOW <= pace.book_look(NOW).at <= NOW + LONGEST_DELAY
    pace.lane(True).refused(NOW, 1, pace.lane(True).number)
    assert Pace(PAID, pace.text).book_look(NOW).at <= NOW + LONGEST_DELAY


def test_a_backlog_beyond_what_is_booked_ahead_is_told_to_come_again_each_in_its_turn() -> None:
    pace = Pace(PAID)
    bookings = [pace.book_submit(NOW) for _ in range(3000)]
    later = [booking.at for booking in bookings if not booking.slots]
    assert later == sorted(later)
    assert min(later) > NOW + AHEAD / 3
    assert max(later) < NOW + 3000 * 2 / 30 * 1.1


def test_a_look_goes_before_submits_that_wait() -> None:
    pace = Pace(PAID)
    for _ in range(1000):
        pace.book_submit(NOW)
    assert pace.book_look(NOW).at - NOW < 5
    assert pace.book_submit(NOW).at - NOW > 60


@pytest.mark.parametrize(("moved", "good"), [(-2.0, False), (-0.5, True), (0.0, True), (LATE, True), (LATE + 1, False)])
def test_a_booked_call_is_made_about_its_time(moved: float, good: bool) -> None:
    assert Pace(PAID).is_good(Slot(0, NOW), NOW + moved, submits=True) is good


def test_a_refusal_by_chance_changes_nothing() -> None:
    pace = Pace(PAID)
    slot = pace.book_submit(NOW).slots[0]
    pace.lane(True).refused(NOW, 1, slot.calendar)
    assert pace.is_good(slot, NOW, submits=True)


def test_a_long_wait_that_read_names_is_everyone_s() -> None:
    pace = Pace(PAID)
    slot = pace.book_submit(NOW).slots[0]
    pace.lane(True).refused(NOW, 55, slot.calendar)
    assert not pace.is_good(slot, NOW, submits=True)
    assert pace.book_submit(NOW + 1).at >= NOW + 55


def test_refusals_under_an_older_calendar_are_known_already() -> None:
    pace = Pace(PAID)
    pace.lane(True).refused(NOW, 55, 0)
    pace.lane(True).refused(NOW, 155, 0)
    assert pace.book_submit(NOW + 1).at < NOW + 60


def _live(pace: Pace, seconds: int, real: Callable[[float], float]) -> tuple[int, int]:
    """So many seconds of more looks than the quota takes: how many were made, and refused, in the second half."""
    agenda: list[tuple[float, tuple[Slot, ...]]] = [
        (NOW + number / 40, (Slot(-1, 0.0),)) for number in range(40 * seconds)
    ]
    made = refused = 0
    while agenda:
        now, slots = heappop(agenda)
        if now > NOW + seconds:
            break
        if not pace.is_good(slots[0], now, submits=False):
            booking = pace.book_look(now)
            heappush(agenda, (max(booking.at, now + 0.001), booking.slots[:1]))
            continue
        wait = real(now)
        made += now > NOW + seconds / 2
        if wait:
            refused += now > NOW + seconds / 2
            pace.lane(False).refused(now, wait, slots[0].calendar)
    return made, refused


def test_a_quota_smaller_than_the_setting_is_learnt() -> None:
    real: Counted = TokenBucket(15, 1)
    pace = Pace(PAID)
    made, refused = _live(pace, 60, real.wait)
    assert 0.3 < pace.lane(False).share < 0.65
    assert made - refused > 30 * 15 * 0.7
    assert refused / made < 0.15


def test_a_quota_that_is_as_the_settings_say_is_used_whole() -> None:
    real: Counted = TokenBucket(30, 1)
    made, refused = _live(Pace(PAID), 20, real.wait)
    assert made >= 10 * 30 * 0.95
    assert refused < made * 0.01


def test_what_was_lost_to_refusals_is_won_back_slowly() -> None:
    pace = Pace(PAID)
    _live(pace, 20, lambda _: 1.0)
    low = pace.lane(False).share
    for second in range(20, 2000):
        pace.book_look(NOW + second)
        assert pace.lane(False).share - low < 0.01 * (second / 10 + 1)
    assert pace.lane(False).share == 1.0


def test_a_call_that_is_reserved_and_never_made_takes_nothing_from_later_ones() -> None:
    pace = Pace(PAID)
    for _ in range(1000):
        pace.book_submit(NOW)
    an_hour_later = NOW + 3600
    assert pace.book_submit(an_hour_later).at == pytest.approx(an_hour_later, abs=0.5)

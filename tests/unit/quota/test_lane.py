"""The lanes of a quota: reserved slots satisfy every way of counting calls, whatever the row holds."""

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.read_emulator.quotas import FixedWindow, SlidingWindow, TokenBucket
from local.read_emulator.quotas import Quota as Counted
from shared.quota.lane import AHEAD, LATE, MUCH_SLOWER, Lanes, State
from shared.quota.rate import Call, Quota, Rate
from shared.schedule import FIRST_POLL_DELAY, LONGEST_DELAY

NOW = 1_795_305_600.0
PAID, FREE, APART = Rate.parse("30/s"), Rate.parse("20/min"), Rate.parse("15/s,50/s")
rates = pytest.mark.parametrize("rate", [PAID, FREE, APART])


def after(lanes: Lanes, seconds: float, rate: Rate = PAID) -> Lanes:
    """The same lanes, read from the row ``seconds`` later."""
    return Lanes(rate, NOW + seconds, lanes.text)


def wait(lanes: Lanes, call: Call, slot: int, now: float = NOW) -> float:
    """Seconds until this slot, which must be reserved."""
    seconds = lanes.of(call).wait(slot, now)
    assert seconds is not None
    return seconds


def test_a_submit_reserves_the_next_slot_and_one_for_its_first_poll() -> None:
    lanes = Lanes(PAID, NOW)
    submit, poll = lanes.reserve(Call.SUBMIT, NOW)
    assert wait(lanes, Call.SUBMIT, submit) == 0
    assert FIRST_POLL_DELAY < wait(lanes, Call.POLL, poll) < FIRST_POLL_DELAY + 1


def test_the_example_in_the_docstring_is_right() -> None:
    lanes = Lanes(PAID, NOW)
    slots = [lanes.reserve(Call.SUBMIT, NOW) for _ in range(300)]
    first = slots[0][0]
    assert [slots[0][0] - first, slots[0][1] - first, slots[1][0] - first] == [0, 81, 1]
    assert wait(lanes, Call.POLL, slots[0][1]) == pytest.approx(2.72, abs=0.01)
    assert max(wait(lanes, Call.POLL, poll) for _, poll in slots) == pytest.approx(20, abs=1.5)
    at_five = after(lanes, 5)
    later = next(slot for slot, _ in slots if wait(at_five, Call.SUBMIT, slot, NOW + 5) > 10)
    before = wait(at_five, Call.SUBMIT, later, NOW + 5)
    at_five.of(Call.SUBMIT).throttled(NOW + 5, 1, in_its_slot=True)
    assert at_five.of(Call.SUBMIT).state.width == pytest.approx(0.0337, abs=0.0001)
    assert wait(at_five, Call.SUBMIT, later, NOW + 5) - before == pytest.approx(0.04, abs=0.02)
    assert after(at_five, 11.1).of(Call.SUBMIT).state.width == pytest.approx(1.006 / 30)


@rates
@pytest.mark.parametrize("count", [TokenBucket, FixedWindow, SlidingWindow])
@settings(max_examples=20)
@given(arrivals=st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
@example(arrivals=[(2.0, False)] * 11)
@example(arrivals=[(50.0, True)] * 30)
@example(arrivals=[(second / 2, False) for second in range(60)])
def test_a_call_in_its_slot_is_accepted_however_the_service_counts(
    count: Callable[[int, float], Counted], rate: Rate, arrivals: list[tuple[float, bool]]
) -> None:
    lanes = Lanes(rate, NOW)
    calls: list[tuple[float, Call]] = []
    for arrival, polls in sorted(arrivals):
        now, call = NOW + arrival, Call.POLL if polls else Call.SUBMIT
        lanes = after(lanes, arrival, rate)
        for slot, of in zip(lanes.reserve(call, now), (call, Call.POLL), strict=False):
            calls.append((now + wait(lanes, of, slot, now), of))
    posts = count(rate.posts.calls, rate.posts.seconds)
    counted = {Call.SUBMIT: posts, Call.POLL: posts if rate.shared else count(rate.gets.calls, rate.gets.seconds)}
    calls.sort(key=lambda call: call[0])
    assert not [at for at, of in calls if counted[of].wait(at)]


@pytest.mark.parametrize("rate", [PAID, APART])
def test_no_two_calls_have_the_same_slot(rate: Rate) -> None:
    lanes = Lanes(rate, NOW)
    reserved = [lanes.reserve(Call.SUBMIT, NOW) for _ in range(500)]
    times = sorted(wait(lanes, Call.SUBMIT, submit) for submit, _ in reserved)
    assert min(after - before for before, after in pairwise(times)) > 1 / rate.posts.rate
    polls = [poll for _, poll in reserved]
    assert len({*polls}) == 500
    if rate.shared:
        assert not {*polls} & {submit for submit, _ in reserved}


@rates
@pytest.mark.parametrize("within", [0.0, 3.0])
def test_a_thousand_documents_are_reserved_as_fast_as_the_quota_allows(rate: Rate, within: float) -> None:
    lanes = Lanes(rate, NOW)
    last = 0.0
    for number in range(1000):
        arrival = within * number / 1000
        lanes = after(lanes, arrival, rate)
        slots = lanes.reserve(Call.SUBMIT, NOW + arrival)
        if slots:
            last = arrival + wait(lanes, Call.POLL, slots[-1], NOW + arrival)
        else:
            last = lanes.of(Call.SUBMIT).come_again(NOW + arrival, 2) - NOW + lanes.of(Call.SUBMIT).horizon / 2
    assert last < 1000 * (2 if rate.shared else 1) / rate.posts.rate * 1.08


@rates
def test_the_reservations_fit_a_row_of_storage_and_can_be_read_back(rate: Rate) -> None:
    lanes = Lanes(rate, NOW)
    while lanes.reserve(Call.SUBMIT, NOW):
        pass
    assert len(lanes.text) < 3_000
    again = after(lanes, 0, rate)
    assert again.text == lanes.text
    assert again.reserve(Call.POLL, NOW) == lanes.reserve(Call.POLL, NOW)


def test_the_reservations_of_the_fastest_quota_fit_too() -> None:
    rate = Rate.parse("999999/s,999999/s")
    lanes = Lanes(rate, NOW)
    for call in Call:
        for _ in range(3_000):
            lanes.reserve(call, NOW)
    assert len(lanes.text) < 30_000
    assert Lanes(rate, NOW, lanes.text).text == lanes.text


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '{"quotas":[[30,1]],"lanes":[[]]}', '{"lanes":3}', "[" * 30_000]
)
def test_an_unreadable_row_starts_again(text: str) -> None:
    lanes = Lanes(PAID, NOW, text)
    assert wait(lanes, Call.SUBMIT, lanes.reserve(Call.SUBMIT, NOW)[0]) == 0


ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.integers(),
    st.integers(0, 2_000_000_000),
    st.floats(),
    st.floats(0, 1),
    st.booleans(),
    st.none(),
    st.text("0123456789abcdef", max_size=20),
)


@given(
    lane=st.fixed_dictionaries({}, optional={field.name: ANYTHING for field in fields(State)}) | ANYTHING,
    is_whole=st.booleans(),
)
def test_a_call_gets_a_slot_whatever_somebody_wrote_into_the_row(lane: Any, is_whole: bool) -> None:
    if is_whole and isinstance(lane, dict):
        lane = asdict(Lanes(PAID, NOW).of(Call.SUBMIT).state) | lane
    lanes = Lanes(PAID, NOW, json.dumps({"quotas": [[30, 1]], "lanes": [lane]}))
    for call in (*Call, *Call):
        if slots := lanes.reserve(call, NOW):
            assert all(0 <= wait(lanes, Call.POLL, slot) <= LONGEST_DELAY for slot in slots)
        else:
            assert NOW <= lanes.of(call).come_again(NOW, 1) <= NOW + LONGEST_DELAY
    lanes.of(Call.SUBMIT).throttled(NOW, 1e300, in_its_slot=True)
    assert after(lanes, 0).text == lanes.text


@given(slot=st.integers(0, 2**53))
def test_an_impossible_slot_is_void(slot: int) -> None:
    seconds = Lanes(PAID, NOW).of(Call.POLL).wait(slot, NOW)
    assert seconds is None or seconds <= 2 * AHEAD + 1


def test_calls_beyond_what_can_be_reserved_come_again_in_order() -> None:
    lanes, later = Lanes(PAID, NOW), list[float]()
    for _ in range(3000):
        if not lanes.reserve(Call.SUBMIT, NOW):
            later.append(lanes.of(Call.SUBMIT).come_again(NOW, 2) - NOW)
    assert later == sorted(later)
    assert min(later) > AHEAD / 3
    assert max(later) < 3000 * 2 / 30 * 1.1


def test_a_later_poll_soon_finds_a_slot_that_submits_do_not_use() -> None:
    lanes = Lanes(PAID, NOW)
    while lanes.reserve(Call.SUBMIT, NOW):
        pass
    (poll,) = lanes.reserve(Call.POLL, NOW)
    assert wait(lanes, Call.POLL, poll) < 10


@pytest.mark.parametrize(("late", "good"), [(0.0, True), (LATE - 1, True), (LATE + 1, False)])
def test_a_call_may_be_slightly_late_for_its_slot(late: float, good: bool) -> None:
    lanes = Lanes(PAID, NOW)
    submit, _ = lanes.reserve(Call.SUBMIT, NOW)
    assert (after(lanes, late).of(Call.SUBMIT).wait(submit, NOW + late) is not None) is good


def test_after_the_row_is_lost_a_slot_is_as_good_as_before_or_void() -> None:
    lanes = Lanes(PAID, NOW)
    slots = [lanes.reserve(Call.SUBMIT, NOW)[0] for _ in range(100)]
    lost = Lanes(PAID, NOW + 1)
    for slot in slots:
        seconds = lost.of(Call.SUBMIT).wait(slot, NOW + 1)
        assert seconds is None or seconds <= max(wait(lanes, Call.SUBMIT, slot) - 1 + 0.1, 0)


def test_a_wait_that_read_names_applies_to_all_calls() -> None:
    lanes = Lanes(PAID, NOW)
    _, poll = lanes.reserve(Call.SUBMIT, NOW)
    lanes.of(Call.SUBMIT).throttled(NOW + 1, 55, in_its_slot=False)
    lanes.of(Call.SUBMIT).throttled(NOW + 2, 54, in_its_slot=False)
    assert 56 <= wait(lanes, Call.POLL, poll) < 60
    assert wait(lanes, Call.SUBMIT, lanes.reserve(Call.SUBMIT, NOW + 2)[0], NOW + 2) >= 54
    assert wait(after(lanes, 70), Call.SUBMIT, after(lanes, 70).reserve(Call.SUBMIT, NOW + 70)[0], NOW + 70) < 1


def test_one_refusal_makes_slots_slightly_longer_and_many_make_them_much_longer() -> None:
    lane = Lanes(PAID, NOW).of(Call.SUBMIT)
    lane.throttled(NOW, 1, in_its_slot=True)
    assert lane.state.width == pytest.approx(1.006 / 30 * 1.004)
    for _ in range(20):
        lane.throttled(NOW, 1, in_its_slot=True)
    assert lane.state.width > 2 / 30


def test_a_refusal_of_a_call_without_a_slot_does_not_change_the_rate() -> None:
    lane = Lanes(PAID, NOW).of(Call.SUBMIT)
    before = lane.state
    lane.throttled(NOW, 1, in_its_slot=False)
    assert lane.state == before


def _live(rate: Rate, seconds: int, count: Counted, made: list[float]) -> list[float]:
    """Poll faster than the quota for some seconds. Returns when polls were refused; ``made`` collects all polls."""
    lanes, refused = Lanes(rate, NOW), list[float]()
    agenda: list[tuple[float, int]] = [(number / 40, 0) for number in range(40 * seconds)]
    while agenda:
        at, slot = heappop(agenda)
        if at > seconds:
            break
        lanes = after(lanes, at, rate)
        lane, now = lanes.of(Call.POLL), NOW + at
        left = lane.wait(slot, now) if slot else None
        if left is None:
            slots = lanes.reserve(Call.POLL, now)
            if not slots:
                heappush(agenda, (lane.come_again(now, 1) - NOW, 0))
                continue
            slot, left = slots[0], wait(lanes, Call.POLL, slots[0], now)
        if left > 0.001:
            heappush(agenda, (at + left, slot))
            continue
        made.append(at)
        if again := count.wait(now):
            refused.append(at)
            lane.throttled(now, again, in_its_slot=True)
    return refused


@pytest.mark.parametrize("count", [TokenBucket(15, 1), FixedWindow(15, 1), SlidingWindow(15, 1)])
def test_a_quota_below_the_setting_is_learnt(count: Counted) -> None:
    made: list[float] = []
    refused = _live(PAID, 60, count, made)
    late = sum(at > 30 for at in made)
    assert late > 30 * 15 * 0.9
    assert sum(at > 30 for at in refused) < late * 0.02


def test_a_quota_that_matches_the_setting_is_used_in_full() -> None:
    made: list[float] = []
    assert not _live(PAID, 20, FixedWindow(30, 1), made)
    assert len(made) > 20 * 30 * 0.97


def test_no_single_refusal_slows_the_lane_more_than_the_limit() -> None:
    lane = Lanes(Rate.parse("200/s"), NOW).of(Call.SUBMIT)
    for _ in range(40):  # a fifth of a window's calls
        before = lane.state.width
        lane.throttled(NOW, 1, in_its_slot=True)
        assert lane.state.width <= before * MUCH_SLOWER


def test_after_refusals_the_rate_recovers() -> None:
    lanes = Lanes(PAID, NOW)
    for _ in range(50):
        lanes.of(Call.POLL).throttled(NOW, 1, in_its_slot=True)
    slow = lanes.of(Call.POLL).state.width
    assert after(lanes, 60).of(Call.POLL).state.width < slow / 1.05
    assert after(lanes, 3600).of(Call.POLL).state.width == pytest.approx(1.006 / 30)


def test_a_call_that_is_reserved_and_never_made_takes_nothing_from_later_ones() -> None:
    lanes = Lanes(PAID, NOW)
    for _ in range(1000):
        lanes.reserve(Call.SUBMIT, NOW)
    later = after(lanes, 3600)
    assert wait(later, Call.SUBMIT, later.reserve(Call.SUBMIT, NOW + 3600)[0], NOW + 3600) == 0


def test_a_few_files_need_not_wait_for_a_quota_per_minute() -> None:
    lanes = Lanes(FREE, NOW)
    slots = [slot for _ in range(10) for slot in lanes.reserve(Call.SUBMIT, NOW)]
    assert [wait(lanes, Call.POLL, slot) for slot in slots] == [0] * 20
    assert wait(lanes, Call.SUBMIT, lanes.reserve(Call.SUBMIT, NOW)[0]) >= 60
    assert Quota(20, 60) == FREE.posts

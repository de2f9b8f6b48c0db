"""The kinds of quotas that a script can enforce."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.read_emulator.quotas import FixedWindow, Quota, SlidingWindow, TokenBucket

KINDS: list[Callable[[int, float], Quota]] = [TokenBucket, FixedWindow, SlidingWindow]
GAPS = st.lists(st.floats(0, 30), max_size=60)


def admitted(quota: Quota, times: list[float]) -> list[float]:
    return [time for time in times if quota.wait(time) == 0]


def test_a_token_bucket_takes_a_burst_and_then_one_call_per_new_token() -> None:
    # 20 a minute is one in 3 s
    assert admitted(TokenBucket(2, 6), [0, 0, 0, 2.9, 3, 3.1, 6]) == [0, 0, 3, 6]


def test_a_fixed_window_may_take_twice_its_calls_around_its_end() -> None:
    assert admitted(FixedWindow(2, 60), [0, 59, 59.5, 60, 61, 62]) == [0, 59, 60, 61]


def test_a_sliding_window_never_takes_more_than_its_calls_in_any_stretch() -> None:
    assert admitted(SlidingWindow(2, 60), [0, 59, 59.5, 60, 61, 119]) == [0, 59, 60, 119]


@pytest.mark.parametrize("kind", KINDS)
@given(gaps=GAPS)
def test_a_call_succeeds_after_the_wait_that_its_429_gave(
    kind: Callable[[int, float], Quota], gaps: list[float]
) -> None:
    quota, now = kind(3, 10), 1000.0
    for gap in gaps:
        now += gap
        wait = quota.wait(now)
        assert 0 <= wait <= 10 + 1e-9  # floats have rounding errors
        if wait:
            now += wait + 1e-6
            assert quota.wait(now) == 0


@pytest.mark.parametrize("kind", KINDS)
@given(gaps=GAPS)
def test_no_more_than_twice_the_calls_fit_into_one_period(
    kind: Callable[[int, float], Quota], gaps: list[float]
) -> None:
    times = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    taken = admitted(kind(3, 10), times)
    for start in taken:
        assert sum(start <= time < start + 10 for time in taken) <= (3 if kind is SlidingWindow else 6)

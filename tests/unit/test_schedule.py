"""When the next step is due."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.schedule import poll_delay, wait_delay

SIX_DAYS = 6 * 24 * 3600

counts = st.integers(0, 10_000)
waits_named = st.none() | st.floats(0, 1e300)
randoms = st.randoms(use_true_random=False)


@pytest.mark.parametrize(
    ("waited", "seconds"),
    [(0, 2), (2, 3), (6, 3), (30, 7), (60, 12), (348, 60), (86_400, 60)],  # 2 + waited / 6, to 60
)
def test_the_longer_read_has_taken_the_later_the_next_poll(waited: float, seconds: int) -> None:
    assert poll_delay(waited, None) == seconds


def test_the_longest_delay_can_be_set() -> None:
    assert {poll_delay(waited, None, 2) for waited in range(100)} == {2}


def test_a_document_that_takes_a_minute_is_polled_eleven_times() -> None:
    polls, waited = 0, 0
    while waited < 60:
        waited += poll_delay(waited, None)
        polls += 1
    assert polls == 11


@given(st.floats(0, 1e6), waits_named)
def test_a_poll_is_never_sooner_than_read_says(waited: float, retry_after: float | None) -> None:
    delay = poll_delay(waited, retry_after)
    assert 1 <= delay <= SIX_DAYS
    assert delay >= min(retry_after or 0, SIX_DAYS)


@given(counts, waits_named, randoms)
def test_an_attempt_is_never_sooner_than_read_says(attempts: int, retry_after: float | None, random: Random) -> None:
    delay = wait_delay(attempts, retry_after, random)
    assert isinstance(delay, int)
    assert 1 <= delay <= SIX_DAYS
    assert delay >= min(retry_after or 0, SIX_DAYS)


@given(randoms)
def test_repeated_failed_attempts_wait_up_to_a_quarter_of_an_hour(random: Random) -> None:
    assert wait_delay(0, None, random) <= 2
    assert 450 <= wait_delay(20, None, random) <= 900


def test_documents_that_were_refused_at_the_same_time_do_not_return_at_the_same_time() -> None:
    random = Random(1)  # noqa: S311 - jitter
    assert len({wait_delay(5, 30, random) for _ in range(100)}) > 20


@given(st.integers(0, 9), st.integers(0, 2**32))
def test_the_wait_grows_with_each_attempt(attempts: int, seed: int) -> None:
    first, second = (wait_delay(count, None, Random(seed)) for count in (attempts, attempts + 1))  # noqa: S311
    assert first <= second

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
    ("polls", "seconds"),
    [
        (0, 2),
        (1, 2),
        (2, 4),
        (3, 8),
        (4, 16),
        (5, 32),
        (6, 60),
        (7, 60),
        (1000, 60),
    ],  # 2 · 2^(polls - 1), to 60
)
def test_polls_come_soon_at_first_and_then_ever_more_rarely(polls: int, seconds: int) -> None:
    assert poll_delay(polls, None) == seconds


@given(counts, waits_named)
def test_a_poll_is_never_sooner_than_read_says(polls: int, retry_after: float | None) -> None:
    delay = poll_delay(polls, retry_after)
    assert 1 <= delay <= SIX_DAYS
    assert delay >= min(retry_after or 0, SIX_DAYS)


@given(counts, waits_named, randoms)
def test_an_attempt_is_never_sooner_than_read_s_own_word(
    attempts: int, retry_after: float | None, random: Random
) -> None:
    delay = wait_delay(attempts, retry_after, random)
    assert isinstance(delay, int)
    assert 1 <= delay <= SIX_DAYS
    assert delay >= min(retry_after or 0, SIX_DAYS)


@given(randoms)
def test_attempts_that_are_refused_again_and_again_wait_up_to_a_quarter_of_an_hour(random: Random) -> None:
    assert wait_delay(0, None, random) <= 2
    assert 450 <= wait_delay(20, None, random) <= 900


def test_documents_that_were_refused_together_do_not_come_back_together() -> None:
    random = Random(1)  # noqa: S311 - jitter
    assert len({wait_delay(5, 30, random) for _ in range(100)}) > 20


@given(st.integers(0, 9), st.integers(0, 2**32))
def test_the_wait_grows_with_each_attempt(attempts: int, seed: int) -> None:
    first, second = (wait_delay(count, None, Random(seed)) for count in (attempts, attempts + 1))  # noqa: S311
    assert first <= second

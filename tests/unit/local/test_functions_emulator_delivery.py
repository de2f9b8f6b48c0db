"""What happens to a queue message, and when."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.functions_emulator.delivery import (
    Backoff,
    Step,
    after_invocation,
    before_invocation,
    decode,
    next_renewal,
    poison_queue_name,
)


class Middle(Random):
    """A random source that always returns the middle of the range."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def waits(backoff: Backoff, found: list[bool]) -> list[float]:
    delays = []
    for hit in found:
        backoff = backoff.after(hit, Middle())
        delays.append(round(backoff.delay, 6))
    return delays


def test_waits_after_empty_polls_grow_as_in_the_real_host() -> None:
    # 100 ms, then min + 2^(n-1) * min for n = 1, 2, 3, …: 200, 300, 500, 900, 1700 ms
    assert waits(Backoff(60), [True, False, False, False, False, False]) == [0.1, 0.2, 0.3, 0.5, 0.9, 1.7]


def test_a_queue_that_never_had_a_message_starts_with_100_ms_too() -> None:
    assert waits(Backoff(60), [False, False, False]) == [0.1, 0.2, 0.3]


def test_the_wait_never_exceeds_the_longest_polling_interval() -> None:
    assert waits(Backoff(0.25), [True, False, False, False]) == [0.1, 0.2, 0.25, 0.25]


def test_a_message_resets_the_wait() -> None:
    assert waits(Backoff(60), [True, False, False, False, True, False])[-2:] == [0.1, 0.2]


@given(st.lists(st.booleans(), max_size=60), st.floats(0.1, 600), st.integers())
def test_a_wait_is_between_100_ms_and_the_longest_whatever_happens(
    found: list[bool], longest: float, seed: int
) -> None:
    backoff, random = Backoff(longest), Random(seed)  # noqa: S311 - guards nothing
    for hit in found:
        backoff = backoff.after(hit, random)
        assert 0.1 <= backoff.delay <= longest


def test_success_deletes() -> None:
    assert after_invocation(True, 5, 5, has_poison_queue=True) is Step.DELETE


@pytest.mark.parametrize("dequeue_count", [1, 4])
def test_failure_below_the_limit_makes_the_message_visible_again(dequeue_count: int) -> None:
    assert after_invocation(False, dequeue_count, 5, has_poison_queue=True) is Step.RELEASE


@pytest.mark.parametrize("dequeue_count", [5, 6])
def test_failure_at_the_limit_goes_to_the_poison_queue(dequeue_count: int) -> None:
    assert after_invocation(False, dequeue_count, 5, has_poison_queue=True) is Step.POISON


def test_without_a_poison_queue_a_failed_message_stays_until_its_lease_ends() -> None:
    assert after_invocation(False, 9, 5, has_poison_queue=False) is Step.LEAVE


def test_a_message_over_the_limit_goes_to_the_poison_queue_without_an_invocation() -> None:
    assert before_invocation(6, 5, has_poison_queue=True) is Step.POISON
    assert before_invocation(5, 5, has_poison_queue=True) is Step.INVOKE


def test_a_poison_queue_itself_has_no_limit() -> None:
    assert before_invocation(1000, 5, has_poison_queue=False) is Step.INVOKE


def test_a_lease_is_renewed_after_half_its_duration() -> None:
    assert next_renewal(120, 600, renewed=True) == 300


def test_failed_renewals_are_retried_ever_sooner_down_to_a_tenth_of_the_lease() -> None:
    # 300 s, then 150 s, 75 s, and never below 60 s: the real host's LinearSpeedupStrategy with a minimum of a minute
    assert [next_renewal(previous, 600, renewed=False) for previous in (300, 150, 75, 60)] == [150, 75, 60, 60]


def test_a_poison_queue_is_named_after_its_queue() -> None:
    assert poison_queue_name("read-operations") == "read-operations-poison"


@pytest.mark.parametrize("queue", ["read-operations-poison", "q" * 57])
def test_a_poison_queue_or_a_queue_with_too_long_a_name_has_no_poison_queue(queue: str) -> None:
    assert poison_queue_name(queue) is None


def test_the_longest_name_with_a_poison_queue_has_56_characters() -> None:
    assert poison_queue_name("q" * 56) == "q" * 56 + "-poison"


def test_a_message_is_decoded_from_base64_with_or_without_line_breaks() -> None:
    assert decode("aGVs\r\nbG8=", "base64") == b"hello"


@pytest.mark.parametrize("text", ["hello!", "aGVsbG8", "{}", "aGVsbG8=x"])
def test_a_message_that_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        decode(text, "base64")


def test_without_encoding_the_text_is_the_body() -> None:
    assert decode("ä aGVsbG8=", "none") == "ä aGVsbG8=".encode()

"""The setting READ_RATE."""

import pytest

from shared.quota.rate import Quota, Rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("30/s", Rate(Quota(30, 1), Quota(30, 1), shared=True)),
        ("20/min", Rate(Quota(20, 60), Quota(20, 60), shared=True)),
        ("15/s, 50/s", Rate(Quota(15, 1), Quota(50, 1), shared=False)),
    ],
)
def test_a_rate_is_calls_per_time_for_all_calls_or_for_post_and_get_apart(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["", "30", "0/s", "15/s,0/s", "30/h", "-1/s", "15/s,50/s,1/s", "1e9/s"])
def test_an_invalid_rate_is_refused_with_the_expected_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 30/s, 20/min, or 15/s,50/s \(POST, GET\)"):
        Rate.parse(text)


def test_a_document_needs_one_post_and_at_most_two_polls() -> None:
    assert Rate.parse("30/s").documents == 10
    assert Rate.parse("15/s,50/s").documents == 15
    assert Rate.parse("15/s,20/s").documents == 10

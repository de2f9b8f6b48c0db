"""A burst is read as fast as Read's quota allows, by any number of instances; bench/throughput.py measures more."""

import logging
from collections.abc import Callable

import pytest

from local.read_emulator.quotas import FixedWindow, TokenBucket
from local.read_emulator.script import QUOTAS
from simulation.burst import Burst, Quota, live


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("shared").setLevel(logging.CRITICAL)


@pytest.mark.parametrize("instances", [1, 3])
def test_a_burst_reaches_the_quota_with_hardly_any_refusals(instances: int) -> None:
    outcome = live(Burst(TokenBucket, instances=instances, files=300))
    assert outcome.failed == 0
    assert outcome.share > 0.85  # of twenty seconds; with more documents, the first and the last poll weigh less
    assert outcome.refused_share < 0.01
    assert outcome.longest < 1.3


def test_a_burst_reaches_the_quota_even_if_clocks_and_network_are_not_ideal() -> None:
    outcome = live(Burst(FixedWindow, instances=3, files=300, harder=True))
    assert outcome.failed == 0
    assert outcome.steady_share > 0.88
    assert outcome.refused_share < 0.03


@pytest.mark.parametrize("counted", QUOTAS.values(), ids=QUOTAS)
@pytest.mark.parametrize("rate", ["30/s", "15/s,50/s", "20/min"])
def test_all_documents_are_read_however_the_service_counts_calls(
    counted: Callable[[int, float], Quota], rate: str
) -> None:
    outcome = live(Burst(counted, rate, instances=2, files=40))
    assert outcome.failed == 0


def test_all_documents_are_read_even_if_the_quota_is_half_the_setting() -> None:
    outcome = live(Burst(TokenBucket, rate="15/s", setting="30/s", instances=2, files=300))
    assert outcome.failed == 0
    assert outcome.share > 0.85

"""The benchmarks of schedules, bursts and memory, at their smallest."""

import pytest

from bench import memory, schedule, throughput
from bench.schedule import LARGE_SECONDS, ORACLE, SCHEDULES, WORKLOADS, added_name, calls_name


@pytest.mark.usefixtures("azurite")
def test_schedules_are_measured_on_the_virtual_clock_and_on_the_local_stack() -> None:
    figures = {figure.name: figure for figure in schedule.measure(quick=True)}
    for workload in WORKLOADS:
        best = figures[calls_name(workload.name, ORACLE)], figures[added_name(workload.name, ORACLE, "p50")]
        assert best[0].value == 2
        for name in SCHEDULES:
            assert figures[calls_name(workload.name, name)].value >= 2
            assert figures[added_name(workload.name, name, "p50")].value > best[1].value
    every_second = figures[calls_name("2,000 pages", "fixed 1 s")].value
    assert LARGE_SECONDS[0] / 2 < every_second < LARGE_SECONDS[1]
    ours = "ours, on the local stack"
    assert figures[calls_name("one page", ours)].value >= 2
    assert 0.1 < figures[added_name("one page", ours, "p50")].value < 20
    with_goals = {name for name, figure in figures.items() if figure.goal is not None}
    assert with_goals == {
        name
        for each in ("ours", ours)
        for name in (
            calls_name("one page", each),
            added_name("one page", each, "p50"),
            added_name("one page", each, "p95"),
        )
    } | {name for name in figures if name.startswith(("Latency added", "Read calls, "))}


def test_bursts_are_measured_and_the_worst_of_them_is_reported() -> None:
    figures = {figure.name: figure for figure in throughput.measure(quick=True)}
    for world, all_measured in (("Burst", throughput.PLAIN), ("Burst in the harder world", throughput.HARDER)):
        for measured in all_measured:
            worst = figures[f"{world} of 30 files, 1 instance: {measured.name}, at worst"]
            each = figures[f"{world} at 30/s, token bucket, 1 instance: {measured.name}"]
            assert (worst.value, worst.goal) == (each.value, each.goal)
            assert worst.goal == measured.goal
    half = "Burst at 15/s, READ_RATE says 30/s, token bucket, 1 instance"
    assert [figures[f"{half}: {measured.name}"].goal for measured in throughput.PLAIN] == [None] * 3
    assert figures["Burst at 30/s, token bucket, 1 instance: documents failed"].value == 0


@pytest.mark.usefixtures("azurite")
def test_memory_is_compared_with_the_naive_way_and_time_with_azurites() -> None:
    figures = {figure.name: figure for figure in memory.measure(quick=True)}
    assert {name: figure.goal for name, figure in figures.items()} == {
        "Memory to submit a file of 5 MB": 16,
        "Memory to store 2 pages, v3.2": None,
        "Memory to store 20 pages, v3.2": 16,
        "Memory to store 20 pages, v3.2, beyond what a tenth takes": 4,
        "Memory for json.loads of 20 pages, v3.2": None,
        "Time to store 20 pages, v3.2, without Azurite's own for the lines beyond 2 pages": None,
        "Lines stored a second, 2 pages": None,
        "Lines that Azurite takes a second in full batches, 2 pages": None,
        "Lines stored a second, against Azurite's own rate, 2 pages": 0.9,
    }
    assert figures["Memory for json.loads of 20 pages, v3.2"].value > 1
    assert all(figure.value > 0 for name, figure in figures.items() if name.startswith(("Time ", "Lines ")))

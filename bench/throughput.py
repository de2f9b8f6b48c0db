"""Burst throughput at Read's quotas: files that all arrive at once, read by the real app on a virtual clock."""

import itertools
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from bench.figure import Figure
from simulation.burst import KINDS, Burst, Outcome, live

RATES = ("30/s", "15/s,50/s", "20/min")
WORST_KIND = "sliding window"
"""Nothing says that Read counts so; reported, without a goal."""

INSTANCES = (1, 2, 10)
MANY = 100
"""Instances; reported on a token bucket alone."""

SEEDS = (1, 2, 3)
"""Repetitions with one instance, where there is a goal; of the others there is one."""

HALVED = {"30/s": "15/s", "15/s,50/s": "7/s,25/s", "20/min": "10/min"}
"""What READ_RATE says, and the quota that there is."""


class Measured(NamedTuple):
    """One number of a burst: goals with one instance, and with several."""

    name: str
    unit: str
    of: Callable[[Outcome], float]
    goal: float
    goal_of_several: float
    at_least: bool = False


MEASURED = (
    Measured("share of the ceiling", "%", lambda outcome: outcome.share * 100, 95, 90, at_least=True),
    Measured("calls refused", "%", lambda outcome: outcome.refused / outcome.calls * 100, 1, 3),
    Measured("documents failed", "documents", lambda outcome: outcome.failed, 0, 0),
    Measured("longest wait", "× the ideal makespan", lambda outcome: outcome.longest, 2, 2),
)

Runs = dict[Burst, list[Outcome]]


def measure(*, quick: bool) -> Iterator[Figure]:
    """Every burst, and what was worst over all that have goals."""
    goals, others = _bursts(quick)
    runs: Runs = {burst: [] for burst in [*goals, *others]}
    seeded = [
        replace(burst, seed=seed)
        for burst in reversed(runs)  # the longest first, so that no process is left with one at the end
        for seed in (SEEDS if burst.instances == 1 and burst in goals and not quick else SEEDS[:1])
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=_be_quiet) as processes:
        for number, (burst, outcome) in enumerate(zip(seeded, processes.map(live, seeded), strict=True), start=1):
            print(f"  {number} of {len(seeded)}: {title(burst)}", file=sys.stderr, flush=True)
            runs[replace(burst, seed=SEEDS[0])].append(outcome)
    for measured in MEASURED:
        for several in (False, True):
            if found := [burst for burst in goals if (burst.instances > 1) is several]:
                yield _worst(measured, found, runs, several)
    for burst, outcomes in runs.items():
        yield from _each(burst, outcomes, has_goals=burst in goals)


def _bursts(quick: bool) -> tuple[list[Burst], list[Burst]]:
    """Those with goals, and the others."""
    if quick:
        return [Burst(files=30)], [Burst(kind=WORST_KIND, files=30)]
    plain = [Burst(kind, rate, number) for number, rate, kind in itertools.product(INSTANCES, RATES, KINDS)]
    return (
        [burst for burst in plain if burst.kind != WORST_KIND],
        [burst for burst in plain if burst.kind == WORST_KIND]
        + [Burst(rate=there, setting=said, instances=2) for said, there in HALVED.items()]
        + [Burst(instances=MANY)],  # at 20 a minute, a hundred that poll an empty queue take hours to simulate
    )


def _be_quiet() -> None:
    logging.disable(logging.CRITICAL)


def title(burst: Burst) -> str:
    """A burst in words."""
    said = f", READ_RATE says {burst.setting}" if burst.setting else ""
    return f"Burst at {burst.rate}{said}, {burst.kind}, {_instances(burst.instances)}"


def _instances(number: int) -> str:
    return "1 instance" if number == 1 else f"{number} instances"


def _each(burst: Burst, outcomes: list[Outcome], *, has_goals: bool) -> Iterator[Figure]:
    for measured in MEASURED:
        values = [measured.of(outcome) for outcome in outcomes]
        goal = measured.goal_of_several if burst.instances > 1 else measured.goal
        yield Figure(
            name=f"{title(burst)}: {measured.name}",
            value=round(median(values), 2),
            unit=measured.unit,
            goal=goal if has_goals else None,
            at_least=measured.at_least,
            note=_spread(values),
        )


def _worst(measured: Measured, bursts: Iterable[Burst], runs: Runs, several: bool) -> Figure:
    values = {burst: median(map(measured.of, runs[burst])) for burst in bursts}
    worst = (min if measured.at_least else max)(values, key=lambda burst: values[burst])
    number = " and ".join(map(str, sorted({burst.instances for burst in values})))
    return Figure(
        name=f"Bursts of {worst.files:,} files, {number} instance{'s' * several}: {measured.name}, at worst",
        value=round(values[worst], 2),
        unit=measured.unit,
        goal=measured.goal_of_several if several else measured.goal,
        at_least=measured.at_least,
        note=f"{title(worst)}, of {len(values)}",
    )


def _spread(values: list[float]) -> str:
    return f"{len(values)} runs: {min(values):.2f} to {max(values):.2f}" if len(values) > 1 else ""

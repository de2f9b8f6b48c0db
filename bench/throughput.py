"""Burst throughput under Read's quotas: files that all arrive at once, read by the real app on a virtual clock."""

import itertools
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from bench.figure import Figure
from local.read_emulator.quotas import TokenBucket
from local.read_emulator.script import QUOTAS
from simulation.burst import Burst, Outcome, live

RATES = ("30/s", "15/s,50/s")
INSTANCES = (1, 2, 10)
MANY = 100
"""Numbers of instances; used only with 30/s."""

UNLIKE = {"30/s": ("15/s", "60/s"), "15/s,50/s": ("7/s,25/s", "30/s,100/s")}
"""The READ_RATE setting, with real quotas of half and twice that rate."""


class Measured(NamedTuple):
    """One number of a burst, with its goal and that of many instances."""

    name: str
    unit: str
    of: Callable[[Outcome], float]
    goal: float
    goal_of_many: float
    at_least: bool = False


FAILED = Measured("documents failed", "documents", lambda outcome: outcome.failed, 0, 0)
HELD = Measured("functions held, a document", "s", lambda outcome: outcome.held / outcome.files, 1.3, float("inf"))
PLAIN = (
    Measured("share of the ceiling", "%", lambda outcome: outcome.share * 100, 95, 90, at_least=True),
    Measured("calls refused", "%", lambda outcome: outcome.refused_share * 100, 1, 3),
    FAILED,
)
HARDER = (
    Measured("share of the ceiling, steady", "%", lambda outcome: outcome.steady_share * 100, 93, 90, at_least=True),
    Measured("calls refused", "%", lambda outcome: outcome.refused_share * 100, 2, 3),
    FAILED,
)


def measure(*, quick: bool) -> Iterator[Figure]:
    """The worst value over all bursts of each world, and then every burst."""
    goals, others = _bursts(quick)
    bursts = [*goals, *others]
    context = multiprocessing.get_context("spawn")
    runs: dict[Burst, Outcome] = {}
    longest_first = bursts[::-1]  # so that no process is left with one at the end
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=_be_quiet) as processes:
        for number, (burst, outcome) in enumerate(
            zip(longest_first, processes.map(live, longest_first), strict=True), start=1
        ):
            print(f"  {number} of {len(bursts)}: {title(burst)}", file=sys.stderr, flush=True)
            runs[burst] = outcome
    for harder, many in itertools.product((True, False), (False, True)):
        found = [burst for burst in goals if (burst.harder, burst.instances == MANY) == (harder, many)]
        for measured in _measured(harder) if found else ():
            yield _worst(measured, found, runs)
    if one := [burst for burst in goals if burst.instances == 1 and not burst.harder]:
        yield _worst(HELD, one, runs)
    for burst in bursts:
        for measured in _measured(burst.harder):
            yield Figure(
                name=f"{title(burst)}: {measured.name}",
                value=round(measured.of(runs[burst]), 2),
                unit=measured.unit,
                goal=_goal(measured, burst) if burst in goals else None,
                at_least=measured.at_least,
            )


def _bursts(quick: bool) -> tuple[list[Burst], list[Burst]]:
    """The figures with goals, and the others."""
    if quick:
        return [Burst(TokenBucket, files=30), Burst(TokenBucket, files=30, harder=True)], [
            Burst(TokenBucket, rate="15/s", setting="30/s", files=30)
        ]
    worlds = (True, False)
    few = itertools.product(QUOTAS.values(), RATES, INSTANCES, worlds)
    many = itertools.product(QUOTAS.values(), RATES[:1], [MANY], worlds)
    goals = [Burst(counted, rate, number, harder=harder) for counted, rate, number, harder in [*few, *many]]
    others = [
        Burst(TokenBucket, rate=there, setting=said, instances=2, files=1000)
        for said, quotas in UNLIKE.items()
        for there in quotas
    ]
    return goals, others


def _measured(harder: bool) -> tuple[Measured, ...]:
    return HARDER if harder else PLAIN


def _goal(measured: Measured, burst: Burst) -> float:
    return measured.goal_of_many if burst.instances == MANY else measured.goal


def _be_quiet() -> None:
    logging.disable(logging.CRITICAL)


def title(burst: Burst) -> str:
    """A burst in words."""
    said = f", READ_RATE says {burst.setting}" if burst.setting else ""
    instances = "1 instance" if burst.instances == 1 else f"{burst.instances} instances"
    counted = next(name for name, quota in QUOTAS.items() if quota is burst.counted)
    return f"{_world(burst)} at {burst.rate}{said}, {counted}, {instances}"


def _world(burst: Burst) -> str:
    return "Burst in the harder world" if burst.harder else "Burst"


def _worst(measured: Measured, bursts: list[Burst], runs: dict[Burst, Outcome]) -> Figure:
    """The worst of some bursts of one world."""
    worst = (min if measured.at_least else max)(bursts, key=lambda burst: measured.of(runs[burst]))
    numbers = sorted({burst.instances for burst in bursts})
    instances = f"{', '.join(map(str, numbers))} instance{'s' if numbers != [1] else ''}"
    return Figure(
        name=f"{_world(worst)} of {worst.files:,} files, {instances}: {measured.name}, at worst",
        value=round(measured.of(runs[worst]), 2),
        unit=measured.unit,
        goal=_goal(measured, worst),
        at_least=measured.at_least,
        note=f"{title(worst)}, of {len(bursts)}",
    )

"""Polls against delay: calls of Read per document and added latency, for each schedule of polls.

On a virtual clock and an otherwise quiet app: the schedule and the host's polling are the code of the app and of the
Functions emulator; the times of storage and Read are assumed. The same is then measured on the local stack.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from statistics import mean, median, quantiles

from bench.figure import Figure
from bench.one_page import Added, read_one_page_documents
from local.functions_emulator.delivery import Backoff
from local.functions_emulator.host_json import load_host_options
from local.paths import ROOT
from shared.schedule import poll_delay
from simulation.burst import GET_SECONDS, READ_SECONDS, STORAGE_SECONDS, TAIL

POLLING = Backoff(load_host_options(ROOT, {}).queues.max_polling_interval)
LARGE_SECONDS = (30.0, 200.0)
"""Seconds that Read takes for 2,000 pages."""

MOST_CALLS, MOST_MEDIAN, MOST_P95 = 2.1, 0.8, 1.2
MOST_ADDED, MOST_CALLS_OF_SLOW = 15, 12
"""Of slow documents: % of Read's own time, at the median; calls for any that takes less than a minute."""
ORACLE = "oracle"
STORES = 4
"""Storage calls from Read's answer to the end: JSON, text, lines, row."""

Draw = Callable[[Random], float]


def ours(waited: float) -> float:
    """The app's own schedule."""
    return poll_delay(waited, None)


def doubling() -> Callable[[float], float]:
    """2, 2, 4, 8 … 60 s."""
    delays = itertools.chain([2.0, 2.0, 4.0, 8.0, 16.0, 32.0], itertools.repeat(60.0))
    return lambda _: next(delays)


def fibonacci() -> Callable[[float], float]:
    """2, 5, 13, and then 34 s, as Microsoft's documentation suggests."""
    delays = itertools.chain([2.0, 5.0, 13.0], itertools.repeat(34.0))
    return lambda _: next(delays)


SCHEDULES: dict[str, Callable[[], Callable[[float], float]]] = {
    "ours": lambda: ours,
    "doubling": doubling,
    "fixed 1 s": lambda: lambda _: 1.0,
    "fixed 10 s": lambda: lambda _: 10.0,
    "2-5-13-34": fibonacci,
}
"""Delays, given the seconds already waited."""


def typical(random: Random) -> float:
    """Seconds that Read takes for one page."""
    return random.uniform(*READ_SECONDS)


def slow(random: Random) -> float:
    """The same for one of the slow tail."""
    return random.uniform(READ_SECONDS[1], TAIL[1])


def one_page(random: Random) -> float:
    """And for one of all."""
    return slow(random) if random.random() < TAIL[0] else typical(random)


@dataclass(frozen=True)
class Workload:
    """Documents of a kind."""

    name: str
    seconds: Draw
    documents: int
    has_goals: bool = False


WORKLOADS = (
    Workload("one page", one_page, 50_000, has_goals=True),
    Workload("the slow 2 %", slow, 10_000),
    Workload("2,000 pages", lambda random: random.uniform(*LARGE_SECONDS), 500),
)


def calls_name(workload: str, schedule: str) -> str:
    """The name of the figure for Read calls per document."""
    return f"Read calls per document, {workload}: {schedule}"


def added_name(workload: str, schedule: str, what: str) -> str:
    """The name of the figure for added latency; ``what`` is ``p50`` or ``p95``."""
    return f"Added latency, {workload}, {what}: {schedule}"


def measure(*, quick: bool) -> Iterator[Figure]:
    """Every schedule on the virtual clock, then the app's on the local stack."""
    for workload in WORKLOADS:
        documents = workload.documents // (100 if quick else 1)
        for schedule in [*SCHEDULES, ORACLE]:
            results = simulate(schedule, workload.seconds, documents)
            goals = workload.has_goals and schedule == "ours"
            yield from _figures(workload.name, schedule, results, f"{documents:,} documents simulated", goals)
        if not workload.has_goals:
            yield from _slow(workload, documents)
    modelled = _cuts(simulate("ours", typical, 1_000 if quick else 20_000))
    note = f"without a tail; simulated it is {modelled[49]:.2f} s, p95 {modelled[94]:.2f} s"
    results = read_one_page_documents([READ_SECONDS[0], *_evenly(2 if quick else 40)], GET_SECONDS)
    yield from _figures(
        "one page", "ours, on the local stack", results, f"{len(results)} documents one by one; {note}", True
    )


def _slow(workload: Workload, documents: int) -> Iterator[Figure]:
    """What the app's schedule means for documents that take Read long."""
    random = Random(1)  # noqa: S311 - a run is to be replayed
    taken = [workload.seconds(random) for _ in range(documents)]
    results = [_read(ours, seconds, random) for seconds in taken]
    shares = [100 * added.seconds / seconds for added, seconds in zip(results, taken, strict=True)]
    most = max((added.calls for added, seconds in zip(results, taken, strict=True) if seconds < 60), default=0)
    name = f"Latency added to Read's own time, {workload.name}, median: ours"
    yield Figure(name=name, value=round(median(shares), 1), unit="%", goal=MOST_ADDED)
    name = f"Read calls, {workload.name}, most for a document that takes less than a minute: ours"
    yield Figure(name=name, value=most, unit="calls", goal=MOST_CALLS_OF_SLOW)


def simulate(schedule: str, seconds: Draw, documents: int) -> list[Added]:
    """Documents that take Read ``seconds`` each, one by one."""
    random = Random(1)  # noqa: S311 - a run is to be replayed
    if schedule == ORACLE:
        return [Added(2, random.uniform(*GET_SECONDS) + _stored(random)) for _ in range(documents)]
    return [_read(SCHEDULES[schedule](), seconds(random), random) for _ in range(documents)]


def _read(delay: Callable[[float], float], seconds: float, random: Random) -> Added:
    """One document, from Read's 202 on: row and message, then polls until one finds the answer."""
    time, calls = 0.0, 1
    while True:
        later = delay(time)
        time += _storage(random) + _storage(random)  # the row, the message
        time = _fetched(time + later, random) + _storage(random)  # the row again
        calls += 1
        ready = time >= seconds
        time += random.uniform(*GET_SECONDS)
        if ready:
            return Added(calls, time + _stored(random) - seconds)


def _fetched(visible: float, random: Random) -> float:
    """When the host has a message that becomes visible, having found the last one a second ago or earlier."""
    polling = POLLING.after(True, random)
    time = visible - random.uniform(1.0, 1.0 + POLLING.longest)
    while True:
        asked_at, time = time, time + _storage(random)
        if asked_at >= visible:
            return time
        time += polling.delay
        polling = polling.after(False, random)


def _storage(random: Random) -> float:
    return random.uniform(*STORAGE_SECONDS)


def _stored(random: Random) -> float:
    return sum(_storage(random) for _ in range(STORES))


def _evenly(count: int) -> list[float]:
    """As ``typical``, without the chance of few."""
    shortest, longest = READ_SECONDS
    seconds = [shortest + (longest - shortest) * (each + 0.5) / count for each in range(count)]
    Random(1).shuffle(seconds)  # noqa: S311 - a run must be repeatable
    return seconds


def _cuts(results: Iterable[Added]) -> list[float]:
    return quantiles((each.seconds for each in results), n=100)


def _figures(workload: str, schedule: str, results: list[Added], note: str, goals: bool) -> Iterator[Figure]:
    cuts = _cuts(results)
    for name, value, unit, goal in (
        (calls_name(workload, schedule), mean(each.calls for each in results), "calls", MOST_CALLS),
        (added_name(workload, schedule, "p50"), cuts[49], "s", MOST_MEDIAN),
        (added_name(workload, schedule, "p95"), cuts[94], "s", MOST_P95),
    ):
        yield Figure(name=name, value=round(value, 3), unit=unit, goal=goal if goals else None, note=note)

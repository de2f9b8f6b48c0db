"""Looks against delay: calls of Read a document, and seconds added to Read's own, by schedule of looks.

``python -m bench.schedule [--documents N]``. On a virtual clock: one-page documents on an otherwise quiet app. A
message is seen as the real host sees it: after an empty poll it waits, longer each time, up to ``maxPollingInterval``
(azure-sdk-for-net, QueueListener.cs and RandomizedExponentialBackoffStrategy.cs).
"""

import argparse
import itertools
from collections.abc import Callable, Iterator
from random import Random
from statistics import mean, quantiles

from shared.schedule import FIRST_LOOK, look_delay

MOST_POLL = 0.25
"""host.json's maxPollingInterval, in seconds."""
QUEUE_CALL, GET = (0.005, 0.02), (0.05, 0.15)
TYPICAL, TAIL, TAIL_SHARE = (1.2, 1.9), 60.0, 0.02


def ours() -> Iterator[float]:
    """The app's own schedule."""
    yield FIRST_LOOK
    yield from (look_delay(looks, None) for looks in itertools.count(1))


SCHEDULES: dict[str, Callable[[], Iterator[float]]] = {
    "ours": ours,
    "fixed 1 s": lambda: itertools.repeat(1.0),
    "fixed 10 s": lambda: itertools.repeat(10.0),
    "2-5-13-34": lambda: itertools.chain([2.0, 5.0, 13.0], itertools.repeat(34.0)),
    "2, then 1 s": lambda: itertools.chain([2.0], itertools.repeat(1.0)),
    "2-1-2-4-8…60": lambda: itertools.chain([2.0, 1.0], (min(2.0 * 2**n, 60.0) for n in itertools.count())),
    "2-3-6-12…60": lambda: itertools.chain([2.0], (min(3.0 * 2**n, 60.0) for n in itertools.count())),
}


def operation(random: Random) -> float:
    """Seconds that Read takes for one page."""
    return random.uniform(TYPICAL[1], TAIL) if random.random() < TAIL_SHARE else random.uniform(*TYPICAL)


def document(delays: Iterator[float], seconds: float, random: Random) -> tuple[int, float]:
    """Read calls of one document, and the seconds from its answer's being ready to its row's being so."""
    time, calls = 0.0, 1
    for delay in delays:
        # The host has been polling an empty queue for as long: its next poll comes within the longest pause.
        time += random.uniform(*QUEUE_CALL) + delay + random.uniform(0, MOST_POLL) + 2 * random.uniform(*QUEUE_CALL)
        calls += 1
        ready = time >= seconds
        time += random.uniform(*GET)
        if ready:
            break
        time += random.uniform(*QUEUE_CALL)  # the row
    stored = sum(random.uniform(*QUEUE_CALL) for _ in range(4))  # JSON, text, lines, row
    return calls, time + stored - seconds


def oracle(random: Random) -> tuple[int, float]:
    """Whoever knows when each operation ends: two calls, and no delay but the exchange's and storage's own."""
    return 2, random.uniform(*GET) + sum(random.uniform(*QUEUE_CALL) for _ in range(4))


def main() -> None:
    """Print a table, a line a schedule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    count = parser.parse_args().documents
    print(f"{'schedule':14} calls/doc  added s: median   p95    p99   of the tail, median")
    for name, schedule in [*SCHEDULES.items(), ("oracle", None)]:
        random = Random(1)  # noqa: S311 - a run is to be replayed
        results, tail = [], []
        for _ in range(count):
            seconds = operation(random)
            result = document(schedule(), seconds, random) if schedule else oracle(random)
            results.append(result)
            if seconds > TYPICAL[1]:
                tail.append(result[1])
        cuts = quantiles([added for _, added in results], n=100)
        calls = mean(calls for calls, _ in results)
        middle = quantiles(tail, n=2)[0]
        print(f"{name:14} {calls:9.3f} {cuts[49]:16.2f} {cuts[94]:6.2f} {cuts[98]:6.2f} {middle:12.2f}")


if __name__ == "__main__":
    main()

"""What a million documents cost: calls of storage, bytes, time and money. docs/scale.md draws the conclusions.

``python -m bench.million [--quick]`` prints the rows of that page's tables. The cost of one document is counted step by
step; growing samples show that each of a million costs the same.
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping

from bench.counted import CALLS, compare, comparison_memory, enqueued, life, quota_used, sample, sweep
from bench.figure import Figure
from shared.missed import SLICE
from shared.quota.rate import Quota, Rate

MILLION = 1_000_000
QUOTAS = {
    "30/s": Rate(Quota(30, 1), Quota(30, 1), shared=True),
    "15/s,50/s": Rate(Quota(15, 1), Quota(50, 1), shared=False),
    "20/min": Rate(Quota(20, 60), Quota(20, 60), shared=True),
}

PRICES = {
    "table": 0.00036 / 10_000,
    "queue": 0.004 / 10_000,
    "blob write": 0.055 / 10_000,
    "blob list": 0.055 / 10_000,
    "blob read": 0.0044 / 10_000,
    "blob other": 0.0044 / 10_000,
    "event": 0.60 / MILLION,
    "execution": 0.40 / MILLION,
    "GB-second": 0.000026,
    "GB-second, always ready": 0.000004,
    "execution, Consumption": 0.20 / MILLION,
    "GB-second, Consumption": 0.000016,
    "table GB": 0.045,
    "blob GB": 0.0208,
}
"""US dollars; docs/scale.md names the sources."""

BY_EVENT_GRID = Counter({"event": 2, "blob other": 2, "queue": 3})
BY_SCAN = Counter({"blob write": 1, "blob other": 9, "queue": 3})
"""What the host does for a file until the function runs. By Event Grid: an event is published and delivered; a message
is sent, received and deleted; the file's properties are read twice (azure-sdk-for-net, BlobQueueTriggerExecutor.cs). By
scan, no event, but a receipt: looked for, created, leased, read, read, marked, released; and the file's properties read
once more (BlobTriggerExecutor.cs, BlobReceiptManager.cs)."""
SCAN_CALLS = 9
"""Those of them that the single scanner makes, for one file after another."""
CALL_SECONDS, READ_SECONDS = 0.01, 0.3
"""Assumed: a call of storage; a POST and a GET of Read together."""
LISTED_AT_ONCE, SCAN_EVERY = 5000, 10
"""Files in a page of a listing; seconds between two pages (BlobTriggerPolling.md)."""

INSTANCES, INSTANCE_GB = 2, 2
"""On Flex Consumption, the blob trigger and the queue trigger run on instances of their own."""
LEAST_SECONDS = 1
"""Billed for an execution that shares its instance with no other (learn.microsoft.com, Flex Consumption, Billing)."""
EXECUTION_GB = 0.25
"""On the Consumption plan, where what an execution uses is billed. Assumed."""
POLLS = 4
"""A second, of an empty queue, with the maxPollingInterval of host.json."""
MONTH = 30 * 24 * 3600
PARTITION_TARGET = 2000
"""Entities a second in one partition (learn.microsoft.com/azure/storage/tables/scalability-targets)."""
HIDDEN_FOR_HOURS = 1
"""In place of six days, where a backlog outlasts a message's longest delay."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """All figures. ``quick`` takes small samples; the exact figures stay the same."""
    logging.getLogger("shared").setLevel(logging.CRITICAL)  # documents are overdue on purpose
    yield from exact()
    yield from sampled(quick=quick)


def exact() -> Iterator[Figure]:
    """The figures that are counted, or computed from counts: the same in every run."""
    alone, behind = life(behind_others=False), life(behind_others=True)
    for who, counts in (("that comes alone", alone), ("behind others", behind)):
        for kind in ("table", "quota", "blob read", "blob write", "queue", "poll", "execution"):
            yield Figure(name=f"{_KINDS[kind]}, a document {who}", value=counts[kind], unit="")
    entities = behind["entity"]
    yield Figure(name="Entities written to one partition, a document behind others", value=entities, unit="")
    yield Figure(name="Documents that one partition takes", value=PARTITION_TARGET / entities, unit="a second")
    for where in ("table", "blob"):
        stored = alone[f"{where} bytes"]
        yield Figure(name=f"Stored as {where}, a page of 50 lines", value=stored, unit="bytes")
        yield Figure(name=f"Stored as {where}, a million pages", value=stored * MILLION / 1e9, unit="GB")
    yield Figure(name="Largest message", value=behind["message bytes"], unit="bytes")
    for in_flight, overdue in ((200, 0), (600, 0), (200, 100)):
        name = f"Calls of one sweep, {in_flight:,} in flight, {overdue} overdue"
        yield Figure(name=name, value=sweep(in_flight, overdue), unit="")
    for rate, quota in QUOTAS.items():
        yield Figure(name=f"A million at {rate}, at best", value=_hours(quota), unit="hours")
    handed, _ = enqueued("20/min", 20_000)
    yield Figure(name="Files that find_missed enqueues in a day, at 20/min", value=handed, unit="")
    each = HIDDEN_FOR_HOURS * 3600 // round(_hours(QUOTAS["20/min"]) * 3600 / MILLION)
    for times in (1, 2):
        used = quota_used(QUOTAS["20/min"], times * each, HIDDEN_FOR_HOURS * 3600)
        name = f"Of the quota used, by a backlog of {times} times a message's longest delay"
        yield Figure(name=name, value=100 * used, unit="%")
    yield Figure(name="Scan: files passed to the app", value=1 / (SCAN_CALLS * CALL_SECONDS), unit="a second")
    pages = MILLION / LISTED_AT_ONCE
    yield Figure(name="Scan: one round of a million files", value=pages * SCAN_EVERY / 60, unit="minutes")
    yield from _money(alone, behind)


_KINDS = {
    "table": "Calls of tables",
    "quota": "Calls of the rate limiter's row",
    "blob read": "Blobs read",
    "blob write": "Blobs written",
    "queue": "Messages sent and deleted",
    "poll": "Messages received",
    "execution": "Executions",
}


def _hours(rate: Rate) -> float:
    """The time that a quota needs for a million documents of two calls."""
    seconds = max((2 if rate.shared else 1) / rate.posts.rate, 0 if rate.shared else 1 / rate.gets.rate)
    return MILLION * seconds / 3600


def _money(alone: Mapping[str, int], behind: Mapping[str, int]) -> Iterator[Figure]:
    """Cents for a thousand documents of one page, and dollars a month."""

    def thousand(what: str, dollars: float) -> Figure:
        return Figure(name=f"A thousand pages: {what}", value=1000 * 100 * dollars, unit="cents")

    def price(calls: Mapping[str, int]) -> float:
        return sum(PRICES[kind] * number for kind, number in calls.items())

    def storage(counts: Mapping[str, int]) -> tuple[float, float, float]:
        """Blobs, messages, tables."""
        blobs = price({kind: counts[kind] for kind in ("blob read", "blob write", "blob other")})
        messages = PRICES["queue"] * (counts["queue"] + counts["poll"])
        return blobs, messages, PRICES["table"] * (counts["table"] + counts["quota"])

    blobs, messages, tables = storage(behind)
    seconds = _hours(QUOTAS["30/s"]) * 3600 / MILLION
    computing = PRICES["GB-second"] * seconds * INSTANCES * INSTANCE_GB + PRICES["execution"] * behind["execution"]
    calls = sum(behind[kind] for kind in ("table", "quota", "blob read", "blob write")) + behind["queue"] / 2
    older = PRICES["GB-second, Consumption"] * EXECUTION_GB * (calls * CALL_SECONDS + READ_SECONDS)
    older += PRICES["execution, Consumption"] * behind["execution"]
    yield thousand("blobs read and written", blobs)
    yield thousand("messages", messages)
    yield thousand("tables", tables)
    yield thousand("Flex Consumption, at 30/s", computing)
    yield thousand("the older Consumption plan, instead", older)
    yield thousand("Event Grid's trigger", price(BY_EVENT_GRID))
    yield thousand("the scan's trigger, instead", price(BY_SCAN))
    yield thousand("all, with Event Grid", blobs + messages + tables + computing + price(BY_EVENT_GRID))
    one_by_one = (PRICES["GB-second"] * LEAST_SECONDS * INSTANCE_GB + PRICES["execution"]) * alone["execution"]
    yield thousand("one by one, Flex Consumption", one_by_one)
    yield thousand("one by one, all, with Event Grid", sum(storage(alone)) + one_by_one + price(BY_EVENT_GRID))
    for where in ("table", "blob"):
        capacity = PRICES[f"{where} GB"] * alone[f"{where} bytes"] * MILLION / 1e9
        yield Figure(name=f"A month: a million pages stored as {where}", value=capacity, unit="$")
    polls, pages = MONTH * POLLS * PRICES["queue"], MONTH / SCAN_EVERY * PRICES["blob list"]
    yield Figure(name="A month: one instance that polls one empty queue", value=polls, unit="$")
    yield Figure(name="A month: the scan's listings", value=pages, unit="$")
    ready = MONTH * PRICES["GB-second, always ready"] * INSTANCES * INSTANCE_GB
    yield Figure(name="A month: one instance of each trigger always ready", value=ready, unit="$")


def sampled(*, quick: bool) -> Iterator[Figure]:
    """The figures that depend on the size of the sample, or on this machine."""
    first, part = (25, 25) if quick else (1500, 750)
    runs = []
    for files in (first, first + part, first + 2 * part):
        _say(f"a backlog of {files:,} documents at 30/s")
        runs.append(sample(files))
    kinds = (*CALLS, "poll", "milliseconds")
    before, last = ({kind: (more[kind] - less[kind]) / part for kind in kinds} for less, more in (runs[:2], runs[1:]))
    calls = sum(last[kind] for kind in CALLS)
    note = "table {table:.2f}, rate limiter {quota:.2f}, blobs read {blob read:.2f}, messages {queue:.2f}".format(
        **last
    )
    yield Figure(name="Calls a document in a simulated backlog, polls apart", value=calls, unit="", note=note)
    change = 100 * abs(calls / sum(before[kind] for kind in CALLS) - 1)
    yield Figure(name="Its change from one part of the backlog to the next", value=change, unit="%", goal=5)
    yield Figure(name="Polls of the queue a document", value=last["poll"], unit="")
    deepest = runs[-1]["deepest"] / (first + 2 * part)
    yield Figure(name="Messages at one time, a document that waits", value=deepest, unit="", goal=1.02)
    hours = last["milliseconds"] / 1000 * MILLION / 3600
    yield Figure(name="A million at 30/s, simulated", value=hours, unit="hours", goal=_hours(QUOTAS["30/s"]) / 0.95)
    names = 4_000 if quick else MILLION
    for count in (names // 2, names):
        _say(f"a comparison of {count:,} names")
        cpu = compare(count) / count * MILLION
        parts = "at once" if count < names else "in the parts that it takes"
        yield Figure(name=f"CPU time to compare a million names, {parts}", value=cpu, unit="s", note=f"{count:,}")
    count = names // 2 if quick else SLICE
    _say(f"the memory of a comparison of {count:,} names")
    memory = comparison_memory(count)
    yield Figure(name="Memory to compare names, at most", value=memory, unit="MB", goal=64, note=f"{count:,} at a time")


def row(figure: Figure) -> str:
    """The row of a table in docs/scale.md."""
    whole = figure.value >= 100 or figure.value == int(figure.value)
    value = f"{figure.value:,.0f}" if whole else f"{figure.value:.3g}"
    return f"| {figure.name} | {f'{value} {figure.unit}'.strip()} |"


def _say(what: str) -> None:
    print(f"A million: {what}", file=sys.stderr)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small samples")
    for figure in measure(quick=parser.parse_args().quick):
        print(row(figure), flush=True)


if __name__ == "__main__":
    main()

"""What documents and sweeps cost: the real app on storage in memory that counts calls, on a virtual clock."""

import base64
import json
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from io import BytesIO
from typing import Any

import requests

from local.read_emulator.quotas import TokenBucket
from shared.advance import advance, advance_message
from shared.assembly import Services
from shared.document import Document, Status
from shared.missed import count_missed, find_missed
from shared.quota.lane import LEAD, Lanes
from shared.quota.rate import Call, Rate
from shared.recover import recover_stalled
from shared.storage.documents import Documents
from shared.storage.inbox import Inbox, Listed
from shared.storage.queues import Queue
from simulation.burst import START, Burst, BurstRead, BurstWorld
from simulation.storage.account import Operation

CALLS = ("table", "blob write", "blob read", "blob other", "queue", "quota")
"""The billed kinds of calls of storage. Calls about the rate limiter's row are counted separately."""

_NAME = "2024/11/scan-000000001.pdf"
_WORDS = ["Lorem", "ipsum", "dolor", "sit", "amet", "consetetur", "sadipscing", "elitr"]
_LINES = 50
_OLD = datetime(2024, 11, 22, tzinfo=UTC)


class CountingWorld(BurstWorld):
    """A burst that counts calls of storage, and in which each document is a full page of text."""

    def __init__(self, burst: Burst) -> None:
        super().__init__(burst)
        self.read = _FullPages(self, self.read.quotas)
        self.counts: Counter[str] = Counter()
        """By kind; also ``poll`` (of the queue), ``entity`` (written to documents' partition), ``deepest`` (queue)."""
        self._queued = 0

    def open(self, *names: str) -> Services:
        """Create the containers, queues and tables, read some files, and start counting."""
        blobs, queues, tables = self.storage.blobs(), self.storage.queues(), self.storage.tables()
        inbox = blobs.create_container("inbox")
        for name in names:
            inbox.upload_blob(name, b"%PDF")
        blobs.create_container("results")
        for queue in ("read-operations", "read-operations-poison", "webjobs-blobtrigger-poison"):
            queues.get_queue_client(queue).create_queue()
        for table in ("documents", "lines"):
            tables.create_table(table)
        self.storage.fault = self.storage_call
        return self.services()

    def storage_call(self, call: Operation) -> None:
        """Count a call, and let its time pass."""
        if call.when == "before":
            self.counts[_kind(call)] += 1
            if call.verb == "submit_transaction" and call.target.startswith("documents/inbox/"):
                self.counts["entity"] += 1 + _more(call.target)
        elif call.verb in ("send_message", "delete_message"):
            self._queued += 1 if call.verb == "send_message" else -1
            self.counts["deepest"] = max(self.counts["deepest"], self._queued)
        super().storage_call(call)

    def go(self, function: Callable[[], None]) -> None:
        """Run a function on the virtual clock."""
        self.threads.spawn(function)
        self.threads.run()


def _kind(call: Operation) -> str:
    if call.service == "queue":
        return "poll" if call.verb == "receive_messages" else "queue"
    if call.service == "table":
        return "quota" if "~quota" in call.target else "table"
    return {"put_blob": "blob write", "get_blob": "blob read"}.get(call.verb, "blob other")


def _more(target: str) -> int:
    """The rows of a transaction after the first, from the storage's log."""
    _, and_, more = target.rpartition(" and ")
    return int(more.removesuffix(" more")) if and_ else 0


class _FullPages(BurstRead):
    def send(self, request: requests.PreparedRequest, *rest: object, **options: object) -> requests.Response:
        response = super().send(request, *rest, **options)
        body = response.raw.read()
        response.raw = BytesIO(PAGE if b'"succeeded"' in body else body)
        return response


def _page() -> bytes:
    box = [1.2345] * 8
    words = [{"text": word, "boundingBox": box, "confidence": 0.991} for word in _WORDS]
    line = {"text": " ".join(_WORDS), "boundingBox": box, "words": words}
    page = {"page": 1, "angle": 0.5, "width": 8.5, "height": 11, "unit": "inch", "lines": [line] * _LINES}
    result = {"version": "3.2.0", "modelVersion": "2022-04-30", "readResults": [page]}
    return json.dumps({"status": "succeeded", "analyzeResult": result}, separators=(",", ":")).encode()


PAGE = _page()
"""Read's answer for one page of 50 lines and 400 words."""


def life(*, behind_others: bool) -> Counter[str]:
    """What one document costs, step by step: one that comes alone, or one that finds all slots reserved.

    Counted by kind, and ``execution`` (of a function), ``message bytes`` (the largest), ``table bytes``,
    ``blob bytes``.
    """
    world = CountingWorld(Burst(TokenBucket))
    services = world.open(_NAME)
    world.threads.time += 60  # a process that has just started reserves a slot for its first call
    if behind_others:
        _reserve_all(world, services)
    world.counts.clear()
    counts = world.counts
    messages = world.storage.queues().get_queue_client("read-operations")

    def steps() -> None:
        advance(services, _NAME)
        counts["execution"] += 1
        while waiting := world.storage.messages_in("read-operations"):
            counts["message bytes"] = max(counts["message bytes"], len(waiting[0].text))
            world.threads.sleep(max(0, waiting[0].visible_on.timestamp() - world.threads.time))
            (message,) = messages.receive_messages(max_messages=1, visibility_timeout=600)
            advance_message(services, base64.b64decode(message.content))
            messages.delete_message(message.id, message.pop_receipt)
            counts["execution"] += 1

    world.go(steps)
    rows = [row for table in ("documents", "lines") for row in world.storage.rows_in(table)]
    kept = [row for row in rows if row["PartitionKey"] != "~quota"]
    if not any(row.get("Status") == Status.SUCCEEDED for row in kept):
        raise RuntimeError("the document was not read")
    counts["table bytes"] = sum(map(entity_bytes, kept))
    counts["blob bytes"] = sum(len(blob.content) for blob in world.storage.blobs_in("results").values())
    return counts


def _reserve_all(world: CountingWorld, services: Services) -> None:
    """Let others reserve slots at this moment until the next call has to come again later."""
    world.storage.fault = None
    reservation = services.limiter.reserve(Call.SUBMIT)
    while reservation.slots or not reservation.delay:
        reservation = services.limiter.reserve(Call.SUBMIT)
    world.storage.fault = world.storage_call


def entity_bytes(row: Mapping[str, Any]) -> int:
    """The billed size of an entity, by the formula of "Understanding Windows Azure Storage Billing"."""

    def value_bytes(value: object) -> int:
        if isinstance(value, str):
            return 4 + 2 * len(value)
        return 1 if isinstance(value, bool) else 8

    columns = {name: value for name, value in row.items() if name not in ("PartitionKey", "RowKey")}
    keys = 2 * len(row["PartitionKey"] + row["RowKey"])
    return 4 + keys + sum(8 + 2 * len(name) + value_bytes(value) for name, value in columns.items())


def sweep(in_flight: int, overdue: int) -> int:
    """Calls of storage that a sweep makes."""
    world = CountingWorld(Burst(TokenBucket))
    services, now = world.open(), world.now()
    world.storage.fault = None
    for number in range(in_flight):
        due_at = now + timedelta(hours=-1 if number < overdue else 1)
        name = f"{number:06}.pdf"
        services.documents.write(Document(name=name, status=Status.WAITING, source_etag="x", due_at=due_at), None)
    world.storage.fault = world.storage_call
    world.counts.clear()

    def one() -> None:
        recover_stalled(services, now + timedelta(hours=1))
        find_missed(services, now + timedelta(hours=1), resume_only=True)

    world.go(one)
    return sum(world.counts[kind] for kind in (*CALLS, "poll"))


def sample(files: int) -> Counter[str]:
    """A backlog of documents at 30 calls a second, by kind of call, and the ``milliseconds`` that it took."""
    world = CountingWorld(Burst(TokenBucket, files=files))
    outcome = world.live()
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} documents were not read")
    world.counts["milliseconds"] = round(1000 * (max(outcome.ended) - min(outcome.posts)))
    return world.counts


# ---- The comparison of container and table, on names that are made up as they are asked for


class _Known(Documents):
    def __init__(self, count: int) -> None:
        self._count = count

    def versions(self) -> Iterator[tuple[str, str]]:
        return ((_name(number), f'"0x{number:015X}"') for number in range(self._count))


class _Files(Inbox):
    def __init__(self, count: int) -> None:
        self._count = count

    def pages(self, _prefix: str, _start: str | None) -> Iterator[tuple[list[Listed], str | None]]:
        for first in range(0, self._count, 5000):
            end = min(first + 5000, self._count)
            files = [Listed(_name(number), f"0x{number:015X}", 1, _OLD) for number in range(first, end)]
            yield files, str(end) if end < self._count else None


class _Taken(Queue):
    def __init__(self) -> None:
        self.longest_delay = 0.0

    def send(self, _text: str, delay: float) -> None:
        self.longest_delay = max(self.longest_delay, delay)


def _name(number: int) -> str:
    return f"2024/11/scan-{number:09}.pdf"


def compare(count: int) -> float:
    """Compare this many files with as many rows that know them all. Returns the CPU seconds."""
    services = replace(CountingWorld(Burst(TokenBucket)).services(), documents=_Known(count), inbox=_Files(count))
    began = time.process_time()
    if count_missed(services) != (0, 0):
        raise RuntimeError("files were missed that are known")
    return time.process_time() - began


def comparison_memory(count: int) -> float:
    """The peak memory in MB for comparing this many names."""
    tracemalloc.start()
    try:
        compare(count)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def enqueued(rate: str, count: int) -> tuple[int, float]:
    """How many of this many missed files one comparison enqueues, and after how many hours the last is due."""
    taken = _Taken()
    services = CountingWorld(Burst(TokenBucket, rate=rate)).services()
    services = replace(services, documents=_Known(0), inbox=_Files(count), queue=taken)
    count = find_missed(services, services.now() + timedelta(hours=1))
    return count, taken.longest_delay / 3600


# ---- A backlog longer than a message can be hidden


def quota_used(rate: Rate, documents: int, longest_delay: float) -> float:
    """The share of the quota that is used while this many documents wait for a slot at once.

    Only the lanes and the messages' delays are simulated.
    """
    text, ended = "", START
    visits: list[tuple[float, int, bool]] = [(START + number / documents, number, False) for number in range(documents)]
    while visits:
        now, number, is_reserved = heappop(visits)
        if is_reserved:
            ended = max(ended, now)
            continue
        lanes = Lanes(rate, now, text)
        posts = lanes.of(Call.SUBMIT)
        if slots := lanes.reserve(Call.SUBMIT, now):
            heappush(visits, (now + max((posts.wait(slots[0], now) or 0) - LEAD, 0), number, True))
        else:
            wait = posts.come_again(now, 2 if rate.shared else 1) - now
            heappush(visits, (now + min(max(wait, 1), longest_delay), number, False))
        text = lanes.text
    return documents * (2 if rate.shared else 1) / rate.posts.rate / (ended - START)

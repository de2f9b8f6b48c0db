"""A burst of files, read by several instances of the real app under a quota of Read, on a virtual clock.

Every call of storage and Read takes time; the host polls, fetches and runs as the real one does.
There are two worlds. In the plain one, all begin at once, clocks agree, and each call arrives after 10 ms. In the
harder one, processes start when they can, clocks differ, the network jitters, and some documents take Read longer.
"""

import base64
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Protocol

import requests
from azure.storage.queue import TextBase64EncodePolicy
from requests.adapters import BaseAdapter

from shared.advance import advance, advance_message
from shared.assembly import Services
from shared.quota.limiter import RateLimiter
from shared.quota.rate import Rate
from shared.quota.row import QuotaRow
from shared.read.client import ReadClient
from shared.settings import Settings, from_environment
from shared.storage.comparisons import Comparisons
from shared.storage.documents import Documents
from shared.storage.inbox import Inbox
from shared.storage.lines import Lines
from shared.storage.outputs import Outputs
from shared.storage.queues import Queue, RawQueue
from simulation.read import Operation, answer, result_body
from simulation.storage import MemoryStorage
from simulation.storage.account import Operation as StorageCall
from simulation.virtual_threads import VirtualLock, VirtualThreads

START = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
BATCH, THRESHOLD, EVENTS_AT_ONCE = 16, 32, 8
"""host.json's queues, and the blob trigger's parallel runs on one core."""
STORAGE_SECONDS, POST_SECONDS, GET_SECONDS, READ_SECONDS = (0.005, 0.02), (0.1, 0.3), (0.05, 0.15), (1.2, 1.9)
TAIL = (0.02, 60.0)
"""The share of documents that take Read longer than that, and the longest, in seconds."""
NETWORK_SECONDS = 0.01
JITTER_SECONDS, SKEW_SECONDS, COLD_START_SECONDS = 0.06, 0.02, 5.0
"""Of the harder world, at most: what a call's way to Read takes longer; what a process's clock is off; until a process
has started."""


class Quota(Protocol):
    """Counts calls as a quota does. Times are seconds of any clock."""

    def wait(self, now: float) -> float:
        """Accept a call and return 0, or refuse it and return the seconds until a call would be accepted."""


@dataclass(frozen=True)
class Burst:
    """What is simulated. ``rate`` is the service's own quota, ``setting`` what READ_RATE says, None for the same.

    ``counted`` makes what counts so many calls in so many seconds: how Azure does it is not published.
    """

    counted: Callable[[int, float], Quota]
    rate: str = "30/s"
    instances: int = 1
    files: int = 1000
    setting: str | None = None
    harder: bool = False
    seed: int = 1


@dataclass
class Outcome:
    """The result. Times are seconds UTC."""

    rate: Rate
    files: int
    posts: list[float] = field(default_factory=list)
    """When POSTs were accepted, and GETs."""
    gets: list[float] = field(default_factory=list)
    refused: int = 0
    ended: list[float] = field(default_factory=list)
    failed: int = 0
    held: float = 0.0
    """Seconds that all functions took together."""
    executions: int = 0
    quota_calls: int = 0
    """Calls of storage for the row of the rate limiter."""
    storage_calls: int = 0
    """All of them, but the host's own."""

    @property
    def ideal(self) -> float:
        """Seconds that a perfect client would take: two calls per document, no refusals, no idle time."""
        shared = self.rate.shared
        return self.files * max((2 if shared else 1) / self.rate.posts.rate, 0 if shared else 1 / self.rate.gets.rate)

    @property
    def share(self) -> float:
        """The share of the theoretical ceiling, from the first POST to the last answer."""
        return self.ideal / (max(self.ended) - min(self.posts))

    @property
    def steady_share(self) -> float:
        """The share of the scarce quota, between the first and the last tenth of its accepted calls."""
        scarce = sorted(self.posts + self.gets) if self.rate.shared else self.posts
        tenth = len(scarce) // 10
        middle = scarce[tenth:-tenth]
        return (len(middle) - 1) / (middle[-1] - middle[0]) / self.rate.posts.rate

    @property
    def refused_share(self) -> float:
        """Of all calls."""
        return self.refused / (self.refused + len(self.posts) + len(self.gets))

    @property
    def longest(self) -> float:
        """The longest that any document waited, in ideal makespans."""
        return (max(self.ended) - START) / self.ideal


class BurstRead(BaseAdapter):
    """Read, as far as a burst needs it: it enforces a quota, and its operations take time."""

    def __init__(self, world: "BurstWorld", quotas: tuple[Quota, Quota]) -> None:
        super().__init__()
        self.quotas = quotas
        self._world = world
        self._operations: list[Operation] = []

    def close(self) -> None:
        """Nothing is open."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Answer one request."""
        world, outcome, draw = self._world, self._world.outcome, self._world.random.uniform
        submits = request.method == "POST"
        world.threads.sleep(NETWORK_SECONDS + (draw(0, JITTER_SECONDS) if world.burst.harder else 0))
        if wait := self.quotas[0 if submits else 1].wait(world.threads.time):
            outcome.refused += 1
            text = f"Requests have exceeded rate limit. Please retry after {math.ceil(wait)} seconds."
            return answer(request, 429, {"error": {"code": "429", "message": text}})
        (outcome.posts if submits else outcome.gets).append(world.threads.time)
        if submits:
            content = request.body.read()  # type: ignore[union-attr]  # always a file-like object here
            seconds = draw(*READ_SECONDS)
            if world.burst.harder and world.random.random() < TAIL[0]:
                seconds = draw(READ_SECONDS[1], TAIL[1])
            world.threads.sleep(draw(*POST_SECONDS))
            ready_at = datetime.fromtimestamp(world.threads.time + seconds, UTC)
            arrived = datetime.fromtimestamp(START, UTC)
            self._operations.append(Operation(content, arrived, ready_at, 5, expired=False, failed=False))
            number = len(self._operations) - 1
            location = f"http://read/vision/v3.2/read/analyzeResults/op-{number}"
            return answer(request, 202, b"", {"Operation-Location": location})
        operation = self._operations[int(str(request.url).rsplit("-", 1)[-1])]
        world.threads.sleep(draw(*GET_SECONDS))
        if world.now() < operation.ready_at:
            return answer(request, 200, {"status": "running"})
        outcome.ended.append(world.threads.time)
        return answer(request, 200, result_body(operation))


class BurstWorld:
    """A storage account, Read, and the instances that read a burst."""

    def __init__(self, burst: Burst) -> None:
        self.burst = burst
        self.random = Random(burst.seed)  # noqa: S311 - a run must be repeatable
        self.threads = VirtualThreads(START)
        self.storage = MemoryStorage(self.now)
        there = Rate.parse(burst.rate)
        self.outcome = Outcome(there, burst.files)
        self.settings: Settings = from_environment(
            {
                "DocumentStorage": "UseDevelopmentStorage=true",
                "READ_ENDPOINT": "http://read",
                "READ_RATE": burst.setting or burst.rate,
            },
            '{"functionTimeout": "00:10:00"}',
        )
        posts = burst.counted(there.posts.calls, there.posts.seconds)
        gets = posts if there.shared else burst.counted(there.gets.calls, there.gets.seconds)
        self.read = BurstRead(self, (posts, gets))
        self._writes = 0
        self._events: deque[str] = deque()

    def now(self) -> datetime:
        """The true time."""
        return datetime.fromtimestamp(self.threads.time, UTC)

    def write_id(self) -> str:
        """The id of a write; ids are in the order of the writes."""
        self._writes += 1
        return f"write-{self._writes}"

    def services(self, clock_is_off: float = 0.0) -> Services:
        """The services of one process, whose clock is off by this many seconds."""

        def now() -> datetime:
            return self.now() + timedelta(seconds=clock_is_off)

        blobs, tables, queues = self.storage.blobs(), self.storage.tables(), self.storage.queues()
        session = requests.Session()
        session.mount("http://", self.read)
        session.trust_env = False
        settings, documents = self.settings, tables.get_table_client("documents")

        def raw(name: str) -> RawQueue:
            return RawQueue(queues.get_queue_client(name))

        return Services(
            settings=settings,
            documents=Documents(documents, "inbox", self.write_id),
            comparisons=Comparisons(tables.get_table_client("documents"), "inbox", ""),
            lines=Lines(tables.get_table_client("lines")),
            inbox=Inbox(blobs.get_container_client("inbox")),
            outputs=Outputs(blobs.get_container_client("results")),
            queue=Queue(queues.get_queue_client("read-operations", message_encode_policy=TextBase64EncodePolicy())),
            done=None,
            poison=raw("read-operations-poison"),
            unreadable=raw("read-operations-unreadable"),
            blob_poison=raw("webjobs-blobtrigger-poison"),
            read=ReadClient("http://read", settings.generation, key=None, token=None, now=now, session=session),
            limiter=RateLimiter(
                settings.read_rate,
                QuotaRow(documents, settings.read_endpoint),
                now,
                self.threads.sleep,
                self.random,
                VirtualLock(self.threads),
            ),
            now=now,
            random=self.random,
        )

    def storage_call(self, call: StorageCall) -> None:
        """Half of its time passes before a call takes effect, half after."""
        if call.when == "before":
            self.outcome.storage_calls += call.verb != "receive_messages"
            self.outcome.quota_calls += "~quota" in call.target
        self.threads.sleep(self.random.uniform(*STORAGE_SECONDS) / 2)

    def live(self) -> Outcome:
        """Drop all files, and run until all are read."""
        files = [f"{number:04}.png" for number in range(self.burst.files)]
        inbox = self.storage.blobs().get_container_client("inbox")
        inbox.create_container()
        for name in files:
            inbox.get_blob_client(name).upload_blob(name.encode())
        self.storage.queues().get_queue_client("read-operations").create_queue()
        for table in ("documents", "lines"):
            self.storage.tables().get_table_client(table).create_table()
        self.storage.blobs().get_container_client("results").create_container()
        self._events.extend(files)
        self.storage.fault = self.storage_call
        for _ in range(self.burst.instances):
            self.threads.spawn(self._start)
        self.threads.run()
        self.storage.fault = None
        statuses = Counter(row["Status"] for row in self.storage.rows_in("documents") if "Polls" in row)
        self.outcome.failed = self.burst.files - statuses["succeeded"]
        return self.outcome

    def _start(self) -> None:
        """A process from its start. A cold one has not seen the calls of the others."""
        harder, draw = self.burst.harder, self.random.uniform
        if harder:
            self.threads.sleep(draw(0, COLD_START_SECONDS))
        services = self.services(draw(-SKEW_SECONDS, SKEW_SECONDS) if harder else 0.0)
        for _ in range(EVENTS_AT_ONCE):
            self.threads.spawn(partial(self._blob_trigger, services))
        self.threads.spawn(partial(self._queue_trigger, services))

    def _blob_trigger(self, services: Services) -> None:
        self.threads.sleep(self.random.uniform(0, 0.2))
        while self._events:
            self._execute(partial(advance, services, self._events.popleft()))

    def _execute(self, function: Callable[[], None]) -> None:
        began = self.threads.time
        function()
        self.outcome.executions += 1
        self.outcome.held += self.threads.time - began

    def _queue_trigger(self, services: Services) -> None:
        client = self.storage.queues().get_queue_client("read-operations")
        running: list[None] = []
        empty = 0
        self.threads.sleep(self.random.uniform(0, 0.25))

        def handle(message: Any) -> None:
            try:
                self._execute(partial(advance_message, services, base64.b64decode(message.content)))
                client.delete_message(message.id, message.pop_receipt)
            finally:
                running.pop()
            if self._is_done():
                self.threads.end()

        while True:
            while len(running) > THRESHOLD:
                self.threads.sleep(0.005)
            received = list(client.receive_messages(max_messages=BATCH, visibility_timeout=600))
            for message in received:
                running.append(None)
                self.threads.spawn(partial(handle, message))
            empty = 0 if received else empty + 1
            if empty:  # RandomizedExponentialBackoffStrategy.cs
                self.threads.sleep(min(0.1 + 0.1 * 2 ** min(empty - 1, 9) * self.random.uniform(0.8, 1.2), 0.25))

    def _is_done(self) -> bool:
        done = len(self.outcome.ended) >= self.burst.files
        return done and not any(
            row.get("Status") in ("reading", "submitting", "waiting") for row in self.storage.rows_in("documents")
        )


def live(burst: Burst) -> Outcome:
    """Simulate a burst."""
    return BurstWorld(burst).live()

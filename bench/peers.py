"""The app compared with what a user would otherwise run: functions that wait for Read, and polls at fixed times.

The same files, the same scripted Read service, the same storage (a real Azurite), the same host and as many worker
threads. The host is the Functions emulator's: its queue listeners hand blob events and messages over, more of them than
there are threads; each invocation then takes one of the worker's threads, as Python's worker has it. A peer's file is
in memory when its function is called, as its binding does it, and is not counted.

What a function holds of a worker is the time from its start to its end, without the HTTP exchanges with Read
themselves, wherever those run: waiting, storing and computing.
"""

import io
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from unittest.mock import patch
from uuid import uuid4

import requests
from azure.ai.documentintelligence import DocumentIntelligenceClient
from azure.cognitiveservices.vision.computervision import ComputerVisionClient
from azure.core.credentials import AzureKeyCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient
from msrest.authentication import CognitiveServicesCredentials

from bench.figure import Figure
from local.functions_emulator.host_json import QueueOptions, load_host_options
from local.functions_emulator.queues import Message, QueueListener, send
from local.paths import ROOT
from local.processes import Azurite, ReadEmulator
from shared.advance import advance, advance_message
from shared.assembly import build
from shared.document import Status
from simulation.app import settings_for

THREADS = 8
LEASE_SECONDS = 600
TIME_LIMIT = 600
"""Seconds that a run takes at most."""
FILE_BYTES = 100_000
LATENCY = {"median": 1.55, "sigma": 0.09}
"""Of Read: nine in ten documents of one page take 1.3 to 1.8 s, and hardly one less than 1.2 or more than 1.9."""
UNPACED = "999999/s"
"""For READ_RATE. No quota applies here, and nothing is reserved."""

Invocation = Callable[[str], object]
"""A function, called with a file's name or a message's text."""

QUICKSTART, QUICKSTART_1, POLLER = (
    "the quickstart's loop",
    "the quickstart's loop, 1 s",
    "Document Intelligence's poller",
)
FIXED, OURS = "our queue with polls at fixed times", "ours"


@dataclass(frozen=True)
class Functions:
    """What a contestant deploys."""

    on_event: Invocation
    on_message: Invocation | None = None


@dataclass(frozen=True)
class Outcome:
    """One run, a document's share of it, in seconds."""

    held: float
    """Worker-seconds beyond the exchanges with Read."""
    exchanged: float
    least: float
    """Seconds that a document held a worker, exchanges included."""
    most: float
    calls: float
    a_minute: float


def measure(*, quick: bool) -> Iterator[Figure]:
    """Every contestant in turn: files one by one show what each file holds, and a burst shows the throughput."""
    interval, apart, some, many = (1.0, 0.1, 2, 4) if quick else (10.0, 0.5, 24, 64)
    contestants: dict[str, Callable[[World], Functions]] = {
        QUICKSTART: lambda world: quickstart(world, interval),
        QUICKSTART_1: lambda world: quickstart(world, 1),
        POLLER: poller,
        FIXED: lambda world: ours(world, interval),
        OURS: ours,
    }
    single: dict[str, Outcome] = {}
    burst: dict[str, Outcome] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        script = folder / "script.json"
        latency = {"median": 0.05} if quick else LATENCY
        script.write_text(json.dumps({"latency": latency, "result": {"pages": 1, "lines": 40}}), encoding="utf-8")
        azurite = stack.enter_context(Azurite(logs=folder))
        read = stack.enter_context(ReadEmulator("--script", str(script), logs=folder))
        exchanges = stack.enter_context(_exchanges(read.endpoint))
        for name, make in contestants.items():
            print(f"Peers: {name}, {some} files one by one, {many} at once", file=sys.stderr)
            with World(azurite.connection_string, read.endpoint, exchanges, make) as world:
                if not quick:
                    world.run(THREADS, 0)  # opens connections, makes tables
                single[name] = world.run(some, apart)
                burst[name] = world.run(many, 0)
    yield from _figures(single, burst, f"{some} files, {apart:g} s apart", f"{many} files at once")


def _figures(
    single: Mapping[str, Outcome], burst: Mapping[str, Outcome], one_by_one: str, at_once: str
) -> Iterator[Figure]:
    for name, outcome in single.items():
        yield Figure(
            name=f"Worker-seconds held per document beyond the exchanges with Read, {name}",
            value=outcome.held,
            unit="s",
            note=f"mean of {one_by_one}; exchanges {outcome.exchanged:.3f} s beside; with them, {outcome.least:.2f} to"
            f" {outcome.most:.2f} s; {at_once}: {burst[name].held:.3f} s",
        )
    for name in (QUICKSTART, QUICKSTART_1, POLLER):
        yield Figure(
            name=f"Worker-seconds held per document, ours against {name}",
            value=single[OURS].held / single[name].held,
            unit="times",
            goal=0.1,
            note=f"{one_by_one}; {at_once}, where ours wait for the processor and peers for Read:"
            f" {burst[OURS].held / burst[name].held:.3f}",
        )
    for name, outcome in burst.items():
        yield Figure(
            name=f"Documents a minute with {THREADS} worker threads, {name}",
            value=outcome.a_minute,
            unit="documents",
            note=f"{at_once}, no quota; storage, Read, host and worker share this machine",
        )
    for name, outcome in burst.items():
        yield Figure(
            name=f"Calls of Read per document, {name}",
            value=outcome.calls,
            unit="calls",
            note=f"{at_once}; {one_by_one}: {single[name].calls:.2f}",
        )


def quickstart(world: "World", interval: float) -> Functions:
    """The quickstart's loop in a blob trigger: submit, poll and sleep until it is done. It sleeps 10 s (for URLs, 1 s).

    Azure-Samples/cognitive-services-quickstart-code, python/ComputerVision/ComputerVisionQuickstart.py.
    """
    untyped: Any = ComputerVisionClient
    client = untyped(world.endpoint, CognitiveServicesCredentials("a key"))

    def read(name: str) -> None:
        response = client.read_in_stream(io.BytesIO(world.file(name)), raw=True)
        operation_id = response.headers["Operation-Location"].split("/")[-1]
        while (result := client.get_read_result(operation_id)).status.lower() in ("notstarted", "running"):
            time.sleep(interval)
        world.store(name, result.as_dict())

    return Functions(read)


def poller(world: "World") -> Functions:
    """Document Intelligence's own client in a blob trigger. It polls in another thread until it is done."""
    client = DocumentIntelligenceClient(world.endpoint, AzureKeyCredential("a key"))

    def read(name: str) -> None:
        result = client.begin_analyze_document("prebuilt-read", io.BytesIO(world.file(name))).result()
        world.store(name, result.as_dict())

    return Functions(read)


def ours(world: "World", poll_after: float | None = None) -> Functions:
    """This app. With ``poll_after``, each poll comes this many seconds after the POST or the previous poll."""
    sends: Any = _Sends(world, poll_after)
    services = replace(world.services, queue=sends)
    return Functions(lambda name: advance(services, name), lambda text: advance_message(services, text.encode()))


class _Sends:
    """The app's queue. It tells the world about further invocations."""

    def __init__(self, world: "World", delay: float | None) -> None:
        self._queue = world.services.queue
        self._world = world
        self._delay = delay

    def send(self, text: str, delay: float) -> None:
        self._world.expect(1)
        self._queue.send(text, delay if self._delay is None else self._delay)


class World:
    """A contestant with containers and queues of its own, its host, and its worker."""

    def __init__(
        self, storage: str, endpoint: str, exchanges: "Exchanges", make: Callable[["World"], Functions]
    ) -> None:
        self.endpoint = endpoint
        self.services = build(settings_for(storage, endpoint, READ_RATE=UNPACED))
        settings = self.services.settings
        blobs = BlobServiceClient.from_connection_string(storage)
        self._inbox = blobs.create_container(settings.input_container)
        self._results = blobs.create_container(settings.output_container)
        self._events = QueueClient.from_connection_string(storage, f"{settings.read_queue}-events")
        self._events.create_queue()
        self._messages = QueueClient.from_connection_string(storage, settings.read_queue)
        self._messages.create_queue()
        self._exchanges = exchanges
        self._worker = ThreadPoolExecutor(THREADS, thread_name_prefix="worker")
        self._changed = threading.Condition()
        self._expected = 0
        self._files: dict[str, bytes] = {}
        self._held: defaultdict[str, float] = defaultdict(float)
        self._functions = make(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.shutdown()

    def file(self, name: str) -> bytes:
        """The content of a file, as a binding passes it."""
        return self._files[name]

    def store(self, name: str, result: object) -> None:
        """What a peer does with a result."""
        self._results.upload_blob(f"{name}.json", json.dumps(result))

    def expect(self, invocations: int) -> None:
        """Expect this many more invocations."""
        with self._changed:
            self._expected += invocations
            self._changed.notify_all()

    def invoke(self, function: Invocation, name: str, given: str) -> None:
        """Run a function in a thread of the worker, and record how long it held the thread for a document."""

        def held() -> None:
            start = time.perf_counter()
            try:
                function(given)
            finally:
                with self._changed:
                    self._held[name] += time.perf_counter() - start

        try:
            self._worker.submit(held).result()
        finally:
            self.expect(-1)

    def run(self, files: int, apart: float) -> Outcome:
        """Read some files that come ``apart`` seconds after each other; 0 means all at once."""
        self._files = {f"{uuid4().hex}.pdf": os.urandom(FILE_BYTES) for _ in range(files)}
        self._held.clear()
        for name, content in self._files.items():
            self._inbox.upload_blob(name, content)
        self.expect(files)
        calls, exchanged = self._calls_of_read(), self._exchanges.seconds
        with self._host() as host:
            start = time.perf_counter()
            for name in self._files:
                send(self._events, name)
                host.notify()
                time.sleep(apart)
            with self._changed:
                if not self._changed.wait_for(lambda: not self._expected, TIME_LIMIT):
                    raise RuntimeError(f"not all files were read within {TIME_LIMIT} s")
            seconds = time.perf_counter() - start
        exchanged = self._exchanges.seconds - exchanged
        calls = self._calls_of_read() - calls
        self._check()
        return Outcome(
            held=(sum(self._held.values()) - exchanged) / files,
            exchanged=exchanged / files,
            least=min(self._held.values()),
            most=max(self._held.values()),
            calls=calls / files,
            a_minute=files / seconds * 60,
        )

    @contextmanager
    def _host(self) -> Iterator[QueueListener]:
        """The host at work. Its threads only wait for the worker's; what is yielded listens for events of files."""
        options = load_host_options(ROOT, {})
        blobs = replace(options.blobs, max_degree_of_parallelism=3 * THREADS)  # so that no thread of the worker idles
        of_events = replace(blobs.queue_options(options.queues), message_encoding="none")
        with ThreadPoolExecutor(1000, thread_name_prefix="host") as threads:

            def listener(queue: QueueClient, options: QueueOptions, handler: _Handler) -> QueueListener:
                made = QueueListener(queue, options, LEASE_SECONDS, handler, threads)
                threads.submit(made.run)
                return made

            listeners = [listener(self._events, of_events, _Handler(self, self._functions.on_event, str))]
            if on_message := self._functions.on_message:
                handler = _Handler(self, on_message, lambda text: str(json.loads(text)["name"]))
                listeners.append(listener(self._messages, options.queues, handler))
            try:
                yield listeners[0]
            finally:
                for each in listeners:
                    each.stop()

    def _calls_of_read(self) -> int:
        counters = requests.get(f"{self.endpoint}/script/counters", timeout=30).json()
        return int(counters["posts"]) + int(counters["gets"])

    def _check(self) -> None:
        """Raise RuntimeError if a file has not been read."""
        for name in self._files:
            if self._functions.on_message:
                document = self.services.documents.get(name)
                is_read = document is not None and document.status == Status.SUCCEEDED
            else:
                is_read = self._results.get_blob_client(f"{name}.json").exists()
            if not is_read:
                raise RuntimeError("a file was not read")


class _Handler:
    """What the host does with a message: it has a function run by the worker. ``name_in`` finds a file's name in it."""

    drops_undecodable = False

    def __init__(self, world: World, function: Invocation, name_in: Callable[[str], str]) -> None:
        self._world = world
        self._function = function
        self._name_in = name_in

    def handle(self, message: Message) -> bool:
        text = message.body.decode()
        self._world.invoke(self._function, self._name_in(text), text)
        return True

    def poison(self, message: Message) -> None:
        """There is no poison queue, since nothing may fail here."""


class Exchanges:
    """How long all exchanges with Read took, in whatever threads."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def add(self, seconds: float) -> None:
        """One more."""
        with self._lock:
            self.seconds += seconds


@contextmanager
def _exchanges(endpoint: str) -> Iterator[Exchanges]:
    """Time every request to Read, of the app's client and of the SDKs: all send them by requests."""
    exchanges, really_send = Exchanges(), requests.Session.send

    def timed(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if not (request.url or "").startswith(endpoint):
            return really_send(session, request, **options)
        start = time.perf_counter()
        try:
            return really_send(session, request, **options)
        finally:
            exchanges.add(time.perf_counter() - start)

    with patch.object(requests.Session, "send", timed):
        yield exchanges

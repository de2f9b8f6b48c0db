"""The work of one document of one page: calls of storage, bytes moved, and CPU time compared with a bare loop's.

Storage is a real Azurite and Read the scripted emulator, each a process of its own. The app's clock skips the delays of
messages, so nothing waits. Only the functions' own work is counted and timed, without the host's own calls to receive
messages and to find files.
"""

import gc
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from azure.data.tables import TableServiceClient

from bench.bare import BareLoop
from bench.figure import Figure
from bench.relay import Relay
from local.processes import Azurite, ReadEmulator
from shared.advance import advance_message
from shared.document import Document, Status
from shared.storage.batch import BatchingTableService
from simulation.app import App, Clock, settings_for
from simulation.read_server import RUNNING, ReadServer
from simulation.storage_tap import StorageTap

LINES = 40
FILE = random.Random(0).randbytes(200_000)  # noqa: S311 - a scan of a page is as dense
APART = 0.125
"""Seconds between two files of a busy app. A quota of 30 calls a second allows ten documents a second."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Count calls, count bytes, and time rounds of the app's and of the bare loop."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        script = folder / "script.json"
        script.write_text(json.dumps({"latency": 0, "result": {"pages": 1, "lines": LINES}}), encoding="utf-8")
        azurite = stack.enter_context(Azurite(logs=folder))
        read = stack.enter_context(ReadEmulator("--script", str(script), logs=folder))
        _say("calls")
        yield from calls(azurite.connection_string, 5 if quick else 40)
        _say("bytes")
        yield from traffic(azurite.connection_string, read.endpoint, 3 if quick else 20)
        yield from cpu(azurite.connection_string, read.endpoint, 2 if quick else 15, 2 if quick else 20)


def calls(storage: str, documents: int) -> Iterator[Figure]:
    """Calls of storage per document on the wire, after a first document that created containers and tables."""

    def count(work: Callable[[App, list[str]], object], further_polls: int = 0) -> tuple[float, float]:
        """Those for a document, and reads of the rate limiter's row, which a process makes for all its documents."""
        with StorageTap(storage) as tap, ReadServer() as read:
            app = _app(tap.connection_string, read.endpoint)
            names = [f"{number}.pdf" for number in range(documents)]
            for name in names:
                app.drop(name, "a line")
                read.gets.extend([*[RUNNING] * further_polls, None])
            before = len(tap.calls)
            work(app, names)
            shared = [call.method == "GET" and "~quota" in call.path for call in tap.calls[before:]]
        return shared.count(False) / documents, shared.count(True) / documents

    once, rarely = count(quiet)
    yield Figure(
        name="Calls of storage per document, one poll",
        value=once,
        unit="calls",
        goal=10,
        note=f"{documents} documents; beside, {rarely:.2f} to see once a minute that the app is quiet",
    )
    reserved, polls = count(busy)
    yield Figure(
        name="Calls of storage per document, one poll, with reservations",
        value=reserved,
        unit="calls",
        goal=16,
        note=f"{documents} documents, {1 / APART:.0f} a second, at 30/s; {polls:.2f} more to see what others reserved",
    )
    more, _ = count(quiet, 4)
    yield Figure(name="Calls of storage per further poll", value=(more - once) / 4, unit="calls", goal=3)


def quiet(app: App, names: list[str]) -> None:
    """Read files one by one, far enough apart that no call of Read needs a reservation."""
    for name in names:
        app.clock.passes(5)
        app.event(name)
        app.run()


def busy(app: App, names: list[str]) -> None:
    """Read files that come so fast that every call is reserved. Messages are delivered when due."""
    events = [(app.clock.time + timedelta(seconds=APART * number), name) for number, name in enumerate(names)]
    due: list[tuple[datetime, str]] = []
    while events or due:
        if due and (not events or due[0][0] <= events[0][0]):
            at, text = heappop(due)
            app.clock.time = max(app.clock.time, at)
            advance_message(app.services, text.encode())
        else:
            at, name = events.pop(0)
            app.clock.time = max(app.clock.time, at)
            app.event(name)
        while app.sent.messages:
            text, delay = app.sent.messages.popleft()
            heappush(due, (app.clock.time + timedelta(seconds=math.ceil(delay)), text))


def traffic(storage: str, endpoint: str, documents: int) -> Iterator[Figure]:
    """Bytes over the functions' own connections to storage and Read, headers included."""
    with ExitStack() as stack:
        relays = []
        for url in _urls(storage):
            relay = stack.enter_context(Relay(url))
            storage = storage.replace(url, relay.url)
            relays.append(relay)
        relays.append(stack.enter_context(Relay(endpoint)))

        def moved(app: App, work: Callable[[App, list[str]], object]) -> tuple[float, float]:
            names = [f"{number}.pdf" for number in range(documents)]
            for name in names:
                app.drop(name, FILE)
            before = [(relay.sent, relay.received) for relay in relays]
            work(app, names)
            sent = sum(relay.sent - then for relay, (then, _) in zip(relays, before, strict=True))
            received = sum(relay.received - then for relay, (_, then) in zip(relays, before, strict=True))
            return sent / documents / 1000, received / documents / 1000

        app = _app(storage, relays[-1].url)
        sent, received = moved(app, quiet)
        result = len(app.output("0.pdf.json") or b"") / 1000
        bare_sent, bare_received = moved(_app(storage, relays[-1].url), bare)
    file = len(FILE) / 1000
    yield Figure(
        name="Bytes received by the function per document",
        value=received,
        unit="kB",
        note=f"a file of {file:.0f} kB, from storage, a result of {result:.0f} kB; bare {bare_received:.0f} kB",
    )
    yield Figure(
        name="Bytes sent by the function per document",
        value=sent,
        unit="kB",
        note=f"the file to Read, the result, its text and {LINES} lines to storage; bare {bare_sent:.0f} kB",
    )
    yield Figure(
        name="Bytes moved per document beyond file and result, each in and out",
        value=sent + received - 2 * (file + result),
        unit="kB",
        note=f"rows, text and headers; bare {bare_sent + bare_received - 2 * (file + result):.0f} kB",
    )


def bare(app: App, names: list[str], tables: type[TableServiceClient] = BatchingTableService) -> None:
    """The bare loop, in the app's containers and tables; ``tables`` writes its batches."""
    loop = BareLoop(app.settings, tables)
    for name in names:
        loop.read(name)


def cpu(storage: str, endpoint: str, rounds: int, documents: int) -> Iterator[Figure]:
    """CPU time of the working thread; rounds of the app and of the bare loop alternate."""
    contestants: list[tuple[str, App, Callable[[App, list[str]], object]]] = [
        ("a bare loop", _app(storage, endpoint), bare),
        ("a bare loop with the SDK's batches", _app(storage, endpoint), partial(bare, tables=TableServiceClient)),
        ("the app", _app(storage, endpoint), quiet),
        ("the app with reservations", _app(storage, endpoint), busy),
    ]
    times: dict[str, list[float]] = {who: [] for who, _, _ in contestants}
    for number in range(rounds + 1):
        _say(f"CPU time, round {number} of {rounds}")
        for who, app, work in contestants:
            names = [f"{number}-{each}.pdf" for each in range(documents)]
            for name in names:
                app.drop(name, FILE)
            gc.collect()
            start = time.thread_time()
            work(app, names)
            taken = time.thread_time() - start
            for name in names:
                _succeeded(app.document(name))
            if number:  # the first round warms up
                times[who].append(taken / documents * 1000)
    for who, each in times.items():
        spread = f"median of {rounds} rounds of {documents} documents of {LINES} lines"
        yield Figure(
            name=f"CPU time per document, {who}",
            value=median(each),
            unit="ms",
            note=f"{spread}, {min(each):.1f} to {max(each):.1f} ms",
        )
    for one, other, goal in (
        ("the app", "a bare loop", 1.25),
        ("a bare loop", "a bare loop with the SDK's batches", None),
    ):
        ratios = [first / second for first, second in zip(times[one], times[other], strict=True)]
        yield Figure(
            name=f"CPU time, {one} against {other}",
            value=median(ratios),
            unit="times",
            goal=goal,
            note=f"median of {rounds} pairs of rounds, {min(ratios):.2f} to {max(ratios):.2f}",
        )


def _app(storage: str, endpoint: str) -> App:
    """The app after some documents, so that all containers, queues, tables and rows exist."""
    app = App(settings_for(storage, endpoint, READ_RATE="30/s"), Clock())
    app.create_inbox()
    first = ["first.pdf", "second.pdf"]  # the second one reserves, which creates the row of the rate limiter
    for name in first:
        app.drop(name, "a line")
    busy(app, first)
    for name in first:
        _succeeded(app.document(name))
    return app


def _succeeded(document: Document) -> None:
    if document.status != Status.SUCCEEDED:
        raise RuntimeError(f"{document.name} is {document.status}, {document.error_code}: {document.error_message}")


def _urls(connection_string: str) -> list[str]:
    """The origins of the three services."""
    settings = dict(part.split("=", 1) for part in connection_string.rstrip(";").split(";"))
    parts = [urlsplit(settings[f"{service}Endpoint"]) for service in ("Blob", "Queue", "Table")]
    return [f"{part.scheme}://{part.netloc}" for part in parts]


def _say(what: str) -> None:
    print(f"Work per document: {what}", file=sys.stderr)

"""How much the peak of resident memory grows while a large file is submitted, and while large results are stored.

Each figure comes from a process of its own that has read a small document before, so it is growth and not start-up.
Storage is a real Azurite, which gets only the lines of the first pages (forgetful.py says why). Read is a server in
another process, which generates its answers as it sends them.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

import requests
from azure.data.tables import UpdateMode
from azure.storage.blob import BlobServiceClient

from bench.figure import Figure
from bench.forgetful import Forgetful
from bench.large_results import LINES_A_PAGE
from local.paths import ROOT
from local.processes import Azurite, ServiceError
from shared.document import Status
from shared.keys import lines_key
from shared.storage.connection import table_service
from simulation.app import App, Clock, settings_for

VERSIONS = ("v3.2", "2024-11-30")
LARGE = "large"
MOST_SUBMITTING, MOST_STORING, MOST_BEYOND_A_TENTH = 16, 16, 4
"""MB."""
LEAST_OF_AZURITES_RATE = 0.9


@dataclass(frozen=True)
class Sizes:
    """What is submitted and stored."""

    file_mb: int = 500
    pages: int = 2000
    kept: int = 20
    """Pages whose lines Azurite gets while memory is measured."""
    timed: int = 100
    """Pages whose lines are timed, and all kept."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Growth, and the time to store results compared with Azurite's own time for the same rows."""
    sizes = Sizes(5, 20, 2, 2) if quick else Sizes()
    with _large_read() as endpoint, TemporaryDirectory() as logs, Azurite(logs=Path(logs)) as azurite:

        def run(what: str, version: str, pages: int, times: int = 1, kept: int = sizes.kept) -> list[dict[str, float]]:
            """The results of ``child``, run this many times."""
            with Forgetful(azurite.connection_string, kept) as storage:
                arguments = (what, storage.connection_string, endpoint, version, pages)
                return [_in_its_own_process(*arguments) for _ in range(times)]

        files = BlobServiceClient.from_connection_string(azurite.connection_string).create_container(LARGE)
        files.upload_blob(LARGE, _file(sizes.file_mb), length=sizes.file_mb * 1_000_000)
        few = sizes.pages // 10
        submits = run("submit", "v3.2", 1, 1 if quick else 3)
        yield _growth(f"Memory to submit a file of {sizes.file_mb} MB", submits, MOST_SUBMITTING)
        for version in VERSIONS[: 1 if quick else None]:
            what = f"{sizes.pages:,} pages, {version}"
            stores = run("store", version, few, 1 if quick else 2)
            tenth = _growth(f"Memory to store {few:,} pages, {version}", stores)
            yield tenth
            (stored,) = run("store", version, sizes.pages)
            whole = _growth(f"Memory to store {what}", [stored], MOST_STORING)
            yield whole
            yield Figure(
                name=f"Memory to store {what}, beyond what a tenth takes",
                value=round(whole.value - tenth.value, 1),
                unit="MB",
                goal=MOST_BEYOND_A_TENTH,
            )
            yield _growth(f"Memory for json.loads of {what}", run("naive", version, sizes.pages))
            name = f"Time to store {what}, without Azurite's own for the lines beyond {sizes.kept:,} pages"
            yield Figure(name=name, value=stored["seconds"], unit="s")
        yield from _rates(partial(run, kept=sizes.timed), sizes.timed, 1 if quick else 5)


def _growth(name: str, runs: list[dict[str, float]], goal: float | None = None) -> Figure:
    values = [run["growth"] for run in runs]
    note = f"{len(values)} runs: {min(values):.1f} to {max(values):.1f}" if len(values) > 1 else ""
    return Figure(name=name, value=round(median(values), 1), unit="MB", goal=goal, note=note)


def _rates(run: Callable[[str, str, int], list[dict[str, float]]], pages: int, pairs: int) -> Iterator[Figure]:
    """Lines a second, of the app and of Azurite alone, in turn; few, since Azurite's time grows with what is there."""
    runs: dict[str, list[dict[str, float]]] = {"store": [], "rows": []}
    for _ in range(pairs):
        for what, each in runs.items():
            each.extend(run(what, "v3.2", pages))
    lines = pages * LINES_A_PAGE
    for what, name in (
        ("store", "Lines stored a second"),
        ("rows", "Lines that Azurite takes a second in full batches"),
    ):
        value = round(lines / median(each["seconds"] for each in runs[what]))
        yield Figure(name=f"{name}, {pages:,} pages", value=value, unit="a second", note=f"{lines:,} lines")
    both = list(zip(runs["store"], runs["rows"], strict=True))
    ratios = [alone["seconds"] / stored["seconds"] for stored, alone in both]
    longer, computed = (median(stored[of] - alone[of] for stored, alone in both) for of in ("seconds", "cpu"))
    yield Figure(
        name=f"Lines stored a second, against Azurite's own rate, {pages:,} pages",
        value=median(ratios),
        unit="times",
        goal=LEAST_OF_AZURITES_RATE,
        at_least=True,
        note=f"median of {pairs} pairs, {min(ratios):.2f} to {max(ratios):.2f}; with text, JSON and pages, the app "
        f"takes {longer:.2f} s longer, and computes for {computed:.2f} s of them",
    )


@contextmanager
def _large_read() -> Iterator[str]:
    """A Read service in a process of its own, which ends when its standard input closes. Yields its URL."""
    command = [sys.executable, "-m", "bench.large_results"]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    with server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"  # type: ignore[union-attr]  # it is a pipe


def _in_its_own_process(what: str, storage: str, endpoint: str, version: str, pages: int) -> dict[str, float]:
    """Raises ServiceError if the child failed."""
    print(f"  {what}: {pages:,} pages, {version}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench.memory", what, storage, endpoint, version, str(pages)]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    if done.returncode:
        raise ServiceError(f"`{what}` of the memory benchmark ended with status {done.returncode}.")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _file(megabytes: int) -> Iterable[bytes]:
    block = b"1 page%PDF " + bytes(1_000_000 - 11)
    return (block for _ in range(megabytes))


def child(what: str, storage: str, endpoint: str, version: str, pages: int) -> dict[str, float]:
    """One measurement, in this process: ``growth`` in MB, ``seconds``, and ``cpu``, seconds of them."""
    inbox = {"INPUT_CONTAINER": LARGE} if what == "submit" else {}
    app = App(settings_for(storage, endpoint, READ_API_VERSION=version, **inbox), Clock())
    if not inbox:
        app.create_inbox()
    app.read("small.pdf", "1 page")
    name = f"{uuid4().hex[:8]}.pdf"  # no earlier run has left lines of it
    cost: dict[str, float] = {}
    match what:
        case "submit":
            cost = _cost(lambda: app.event(LARGE))
            _check(app.document(LARGE).status is Status.READING, "The large file was not taken.")
        case "store":
            app.drop(name, f"{pages} pages")
            app.event(name)
            cost = _cost(app.run)
            _check(app.document(name).line_count == pages * LINES_A_PAGE, "The large result was not stored.")
        case "rows":
            cost = _cost(lambda: _write_rows(app, name, pages))
        case "naive":
            path = "/vision/v3.2/read/analyzeResults/" if version == "v3.2" else "/documentintelligence/"
            cost = _cost(lambda: requests.get(f"{endpoint}{path}{pages}", timeout=600).json())
    return cost


def _write_rows(app: App, name: str, pages: int) -> None:
    """Write the rows that storing a file of this name and this many pages leaves, 100 at a time, and nothing else.

    The key is the app's own, since Azurite, which compares it with that of every row of the partition for each row that
    it writes, took up to twice as long with ``inbox:large.pdf`` as with ``large``.
    """
    key = lines_key(app.settings.input_container, name)
    lines = [{**row, "PartitionKey": key} for row in app.line_rows("small.pdf")]
    table = table_service(app.settings.storage).get_table_client(app.settings.lines_table)
    rows = (
        {**line, "RowKey": f"{page:05}-{line['Line']:05}", "Page": page}
        for page in range(1, pages + 1)
        for line in lines
    )
    while batch := list(islice(rows, 100)):
        table.submit_transaction([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in batch])


def _cost(action: Callable[[], object]) -> dict[str, float]:
    before, started, computed = _peak(), time.perf_counter(), time.process_time()
    action()
    return {
        "growth": round(_peak() - before, 1),
        "seconds": round(time.perf_counter() - started, 2),
        "cpu": round(time.process_time() - computed, 2),
    }


def _peak() -> float:
    """The peak of this process's resident memory so far, in MB (10^6 bytes).

    Linux hands the parent's own peak on to a process's ``ru_maxrss``; VmHWM begins with the program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def _check(went_well: bool, text: str) -> None:
    if not went_well:
        raise SystemExit(text)


def main() -> None:
    """The child process."""
    what, storage, endpoint, version, pages = sys.argv[1:]
    print(json.dumps(child(what, storage, endpoint, version, int(pages))))


if __name__ == "__main__":
    main()

"""The benchmark of the work of one document, at its smallest."""

from collections.abc import Callable
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from bench.bare import BareLoop
from bench.work import measure
from shared.settings import Settings
from simulation.app import App, Clock, settings_for
from simulation.read_server import ReadServer
from simulation.storage_tap import StorageTap


@pytest.mark.usefixtures("azurite")
def test_calls_bytes_and_cpu_time_are_measured() -> None:
    figures = {figure.name: figure for figure in measure(quick=True)}
    assert figures["Calls of storage per document, one poll"].value == 10
    assert figures["Calls of storage per further poll"].value == 3
    assert 10.5 < figures["Calls of storage per document, one poll, with reservations"].value < 16
    received, sent = (figures[f"Bytes {way} by the function per document"] for way in ("received", "sent"))
    assert 220 < received.value < 300
    assert 220 < sent.value < 350
    ratio = figures["CPU time, the app against a bare loop"]
    assert ratio.goal == 1.25
    assert 0.5 < ratio.value < 5
    assert 0.1 < figures["CPU time, a bare loop against a bare loop with the SDK's batches"].value < 1
    times = [figure.value for name, figure in figures.items() if name.startswith("CPU time per document, ")]
    assert len(times) == 4
    assert min(times) > 0


@pytest.mark.parametrize("loop", [BareLoop, lambda settings: BareLoop(settings, TableServiceClient)])
def test_the_bare_loop_makes_the_same_calls_for_the_same_result(
    loop: Callable[[Settings], BareLoop], tap: StorageTap, read: ReadServer, app: App
) -> None:
    bare = App(settings_for(tap.connection_string, read.endpoint), Clock())
    bare.create_inbox()
    made: list[list[str]] = []
    for each in (app, bare):
        each.read("first.pdf", "first")  # makes containers, queue and tables
        each.drop("a.pdf", "one line\nand another")
        each.clock.passes(5)
        before = len(tap.calls)
        if each is app:
            each.event("a.pdf")
            each.run()
        else:
            loop(each.settings).read("a.pdf")
        made.append(sorted(f"{call.method} {call.service} {Path(call.path).suffix}" for call in tap.calls[before:]))
    assert made[0] == made[1]
    assert len(made[0]) == 10
    ours, theirs = app.document("a.pdf"), bare.document("a.pdf")
    assert (ours.status, ours.text, ours.word_count) == (theirs.status, theirs.text, theirs.word_count)
    assert app.lines("a.pdf") == bare.lines("a.pdf") == ["one line", "and another"]
    assert app.output("a.pdf.json") is not None
    assert app.output("a.pdf.txt") == bare.output("a.pdf.txt")

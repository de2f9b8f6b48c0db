"""The comparison with peers, at its smallest."""

import pytest

from bench.peers import FIXED, OURS, POLLER, QUICKSTART, QUICKSTART_1, THREADS, measure


@pytest.mark.usefixtures("azurite")
def test_every_peer_reads_the_same_files_and_is_measured() -> None:
    figures = {figure.name: figure for figure in measure(quick=True)}
    for who in (QUICKSTART, QUICKSTART_1, POLLER, FIXED, OURS):
        assert 0 < figures[f"Worker-seconds held per document beyond the exchanges with Read, {who}"].value < 60
        assert 0 < figures[f"Documents a minute with {THREADS} worker threads, {who}"].value < 60_000
        assert 2 <= figures[f"Calls of Read per document, {who}"].value < 100
    for peer in (QUICKSTART, QUICKSTART_1, POLLER):
        against = figures[f"Worker-seconds held per document, ours against {peer}"]
        assert against.goal == 0.1
        assert against.value > 0
    assert figures[f"Calls of Read per document, {OURS}"].value == 2

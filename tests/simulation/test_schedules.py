"""The app runs through schedules of trouble, and every promise is kept.

``SIMULATION_SCHEDULES=100000 pytest tests/simulation`` runs more of them; ``SIMULATION_FIRST_SEED`` runs others.
"""

import logging
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest

from simulation.read import Troubles
from simulation.world import Plan, World, live

SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "1000"))
FIRST_SEED = int(os.environ.get("SIMULATION_FIRST_SEED", "0"))
BLOCK = 250


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("shared").setLevel(logging.CRITICAL)


def _live_block(first: int) -> str | None:
    """The report of the first schedule of a block that breaks a promise, or None."""
    logging.disable(logging.CRITICAL)
    for seed in range(first, min(first + BLOCK, FIRST_SEED + SCHEDULES)):
        try:
            live(seed)
        except AssertionError as error:
            return str(error)
    return None


def test_every_short_schedule_keeps_every_promise() -> None:
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as processes:
        for story in processes.map(_live_block, range(FIRST_SEED, FIRST_SEED + SCHEDULES, BLOCK)):
            if story:
                pytest.fail(story, pytrace=False)


@pytest.mark.parametrize("done_queue", [False, True])
def test_a_crash_at_any_one_call_is_survived(done_queue: bool) -> None:
    undisturbed = World(1, Plan(files=1, versions=1, deletes=0, done_queue=done_queue))
    undisturbed.run()
    calls = undisturbed.calls
    assert calls > 20  # at least two calls of Read and nine of storage, each with a crash before and after it
    for call in range(1, calls + 1):
        live(1, Plan(files=1, versions=1, deletes=0, done_queue=done_queue, crash_at_call=call))


def test_a_crash_at_any_one_call_while_a_large_result_streams_is_survived() -> None:
    for seed in range(3):
        plan = Plan(files=1, versions=2, uploads_within=5, deletes=0, most_in_memory=100, block_bytes=50)
        undisturbed = World(seed, plan)
        undisturbed.run()
        assert any("put_block_list" in call for call in undisturbed.storage.log)
        for call in range(1, undisturbed.calls + 1):
            live(seed, replace(plan, crash_at_call=call))


def test_a_crash_at_any_one_call_while_a_file_is_overwritten_is_survived() -> None:
    for seed in range(3):
        plan = Plan(files=1, versions=3, uploads_within=5, interleave=0.4)
        undisturbed = World(seed, plan)
        undisturbed.run()
        for call in range(1, undisturbed.calls + 1, 3):
            live(seed, Plan(files=1, versions=3, uploads_within=5, interleave=0.4, crash_at_call=call))


def test_a_forgotten_document_stays_forgotten_however_slow_other_runs_are() -> None:
    for seed in range(100):
        live(seed, Plan(files=1, versions=3, uploads_within=90, forgets=1, interleave=0.4))


@pytest.mark.parametrize(("files", "rate", "throttled"), [(60, "30/s", 0.7), (300, "20/min", 0.3)])
def test_many_files_under_a_small_quota_all_get_their_text(files: int, rate: str, throttled: float) -> None:
    world = World(7, Plan(files=files, versions=1, deletes=0, read=Troubles(throttled=throttled), rate=rate))
    world.run()
    for name in world.versions:
        document = world.services.documents.get(name)
        assert document is not None
        assert (document.status, document.submits) == ("succeeded", 1)


def test_the_same_seed_runs_the_same_schedule() -> None:
    first, second = World(5, Plan(interleave=0.3, crash=0.02)), World(5, Plan(interleave=0.3, crash=0.02))
    first.run()
    second.run()
    assert first.log == second.log
    assert first.storage.log == second.storage.log

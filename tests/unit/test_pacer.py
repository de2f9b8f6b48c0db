"""A process's part in the pace: few calls of storage, and reading goes on whatever happens to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Thread

import pytest
from azure.core.exceptions import ServiceRequestError
from shared.pacer import FRESH, STRICT_AFTER, Pacer
from shared.storage.pace import PaceRow

from shared.settings import Quota, Rate
from simulation.storage import MemoryStorage, Operation

RATE = Rate(Quota(30, 1), Quota(30, 1), shared=True)


class World:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, tzinfo=UTC)
        self.storage = MemoryStorage(lambda: self.time)

    def pacer(self, rate: Rate = RATE) -> Pacer:
        row = PaceRow(self.storage.tables().get_table_client("documents"), "https://read.example")
        random = Random(1)  # noqa: S311 - a test is to be replayed
        return Pacer(rate, row, lambda: self.time, random)

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def calls(self, action: Callable[[], object]) -> int:
        before = len(self.storage.log)
        action()
        return len(self.storage.log) - before


@pytest.fixture
def world() -> World:
    return World()


def test_a_call_now_and_then_goes_at_once_after_one_look_a_minute(world: World) -> None:
    pacer = world.pacer()
    assert world.calls(lambda: pacer.turn(True)) == 1
    for _ in range(50):
        world.passes(1.1)
        assert world.calls(lambda: pacer.turn(True)) == 0
    world.passes(10)
    assert world.calls(lambda: pacer.turn(True)) == 1


def test_a_process_alone_writes_the_row_without_reading_it(world: World) -> None:
    pacer = world.pacer()
    for _ in range(3):
        pacer.turn(True)
    assert world.calls(lambda: pacer.turn(True)) == 1


def test_a_call_that_is_booked_costs_nothing_more_while_the_calendar_is_known(world: World) -> None:
    pacer = world.pacer()
    turns = [pacer.turn(True) for _ in range(40)]
    later = max(turns, key=lambda turn: turn.delay)
    assert later.delay > 0
    assert len(later.slots) == 2
    world.passes(1.9)
    pacer.turn(True)
    world.passes(later.slots[0].at - world.time.timestamp())
    pacer.turn(True)
    assert world.calls(lambda: pacer.turn(True, later.slots)) == 0
    assert pacer.turn(True, later.slots).slots == later.slots[1:]


def test_two_processes_book_in_one_calendar(world: World) -> None:
    first, second = world.pacer(), world.pacer()
    turns = [pacer.turn(True) for _ in range(50) for pacer in (first, second)]
    assert sum(turn.delay == 0 for turn in turns) <= 31
    assert max(turn.delay for turn in turns) > 5


def test_threads_of_a_process_share_one_booking(world: World) -> None:
    pacer = world.pacer()
    pacer.turn(True)
    pacer.turn(True)
    others: list[Thread] = []

    def while_writing(operation: Operation) -> None:
        if operation.when == "before" and not others:
            others.extend(Thread(target=pacer.turn, args=(True,)) for _ in range(8))
            for other in others:
                other.start()
            while len(pacer._waiting) < 8:
                pass

    world.storage.fault = while_writing
    before = len(world.storage.log)
    pacer.turn(True)
    for other in others:
        other.join()
    assert len(world.storage.log) - before == 2


def test_a_refusal_with_a_long_wait_is_heard_by_other_processes(world: World) -> None:
    one, other = world.pacer(), world.pacer()
    turn = max((other.turn(True) for _ in range(40)), key=lambda turn: turn.delay)
    one.turn(True)
    one.refused(True, 55)
    world.passes(FRESH + 0.1)
    assert other.turn(True, turn.slots).delay > 40


def test_storage_trouble_never_stops_reading(world: World) -> None:
    pacer = world.pacer()

    def fail(_: Operation) -> None:
        raise ServiceRequestError("no table today")

    world.storage.fault = fail
    assert [pacer.turn(submits).delay for submits in (True, False, True)] == [0, 0, 0]
    pacer.refused(True, 10)


def test_who_loses_the_row_again_and_again_comes_back_soon(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    for each in (pacer, other, pacer, other):
        each.turn(True)
    busy = False

    def other_writes(operation: Operation) -> None:
        nonlocal busy
        if operation.when == "before" and operation.verb != "get_entity" and not busy:
            busy = True
            other.turn(True)
            busy = False

    world.storage.fault = other_writes
    turn = pacer.turn(True)
    assert 1 <= turn.delay <= 3
    assert turn.slots == ()


def test_who_comes_while_the_row_is_lost_to_others_is_booked_with_those_who_wait(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    for each in (pacer, other, pacer, other):
        each.turn(True)
    late: list[Thread] = []

    def other_is_first(operation: Operation) -> None:
        if operation.when == "before" and operation.verb == "update_entity" and not late:
            late.append(Thread(target=pacer.turn, args=(True,)))
            late[0].start()
            while not pacer._waiting:
                pass
            other.turn(True)

    world.storage.fault = other_is_first
    pacer.turn(True)
    assert world.calls(late[0].join) == 0


def test_a_process_that_is_refused_again_and_again_keeps_to_the_quota_in_any_window(world: World) -> None:
    pacer = world.pacer()
    turns = [pacer.turn(True) for _ in range(600)]
    slots = [turn.slots for turn in turns if turn.delay][:40]
    world.passes(slots[-1][0].at - world.time.timestamp())
    clump = slots[-40:]
    assert [pacer.turn(True, each).delay for each in clump[:35]] == [0] * 35
    for _ in range(STRICT_AFTER):
        pacer.refused(True, None)
    world.passes(1.1)
    turns = [pacer.turn(True) for _ in range(40)]
    assert sum(turn.delay == 0 for turn in turns) <= 30


def test_a_quota_of_a_minute_is_always_booked(world: World) -> None:
    pacer = world.pacer(Rate(Quota(20, 60), Quota(20, 60), shared=True))
    turns = [pacer.turn(False) for _ in range(30)]
    assert sum(turn.delay == 0 for turn in turns) == 20

"""The rate limiter of a process: it calls storage rarely, and trouble with storage never stops reading."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Thread

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.quota.lane import LONGEST_HOLD
from shared.quota.limiter import FRESH, RateLimiter, Reservation
from shared.quota.rate import Call, Rate
from shared.quota.row import QuotaRow
from simulation.storage import MemoryStorage, Operation


class World:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, tzinfo=UTC)
        self.storage = MemoryStorage(lambda: self.time)

    def limiter(self, rate: str = "30/s") -> RateLimiter:
        row = QuotaRow(self.storage.tables().get_table_client("documents"), "https://read.example")
        random = Random(1)  # noqa: S311 - a test must be repeatable
        return RateLimiter(Rate.parse(rate), row, lambda: self.time, self.passes, random)

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def calls(self, action: Callable[[], object]) -> int:
        before = len(self.storage.log)
        action()
        return len(self.storage.log) - before


@pytest.fixture
def world() -> World:
    return World()


def submits(limiter: RateLimiter, number: int) -> list[Reservation]:
    return [limiter.reserve(Call.SUBMIT) for _ in range(number)]


def test_occasional_calls_go_at_once_and_read_the_row_once_a_minute(world: World) -> None:
    limiter = world.limiter()
    world.passes(5)
    assert world.calls(lambda: limiter.reserve(Call.SUBMIT)) == 1
    for _ in range(50):
        world.passes(1.1)
        assert world.calls(lambda: limiter.reserve(Call.SUBMIT)) == 0
    world.passes(10)
    assert world.calls(lambda: limiter.reserve(Call.SUBMIT)) == 1


def test_the_first_call_of_a_process_that_has_just_started_has_a_slot(world: World) -> None:
    processes = [world.limiter() for _ in range(100)]
    reservations = [process.reserve(Call.SUBMIT) for process in processes]
    assert len({reservation.slot or reservation.slots[0] for reservation in reservations}) == 100


def test_a_call_without_a_slot_takes_up_a_slot_if_others_follow_at_once(world: World) -> None:
    one, other = world.limiter(), world.limiter()
    world.passes(5)
    assert one.reserve(Call.SUBMIT).slot is None
    first, second = (limiter.reserve(Call.SUBMIT) for limiter in (one, other))
    assert first.time - world.time.timestamp() >= 1 / 30
    assert second.slot is None


def test_a_single_process_writes_the_row_without_reading_it(world: World) -> None:
    limiter = world.limiter()
    submits(limiter, 3)
    assert world.calls(lambda: limiter.reserve(Call.SUBMIT)) == 1


def test_a_call_with_a_slot_needs_no_call_of_storage_while_the_row_is_known(world: World) -> None:
    limiter = world.limiter()
    later = submits(limiter, 60)[-1]
    assert later.delay > 0
    world.passes(later.delay)
    limiter.reserve(Call.SUBMIT)
    came: list[Reservation] = []
    assert world.calls(lambda: came.append(limiter.reserve(Call.SUBMIT, later.slots))) == 0
    assert (came[0].delay, came[0].slot, came[0].slots) == (0, later.slots[0], later.slots[1:])


def test_a_message_arrives_before_its_slot_and_the_function_waits_for_the_rest(world: World) -> None:
    limiter = world.limiter()
    for later in [each for each in submits(limiter, 300) if each.delay][::20]:
        start = world.time
        world.passes(later.delay)
        came = limiter.reserve(Call.SUBMIT, later.slots)
        before = world.time
        limiter.wait(came)
        assert came.delay == 0
        assert timedelta(0) < world.time - before <= timedelta(seconds=LONGEST_HOLD)
        assert abs(world.time.timestamp() - came.time) < 0.01
        world.time = start


def test_a_message_about_a_poll_is_hidden_until_shortly_before_its_slot(world: World) -> None:
    limiter = world.limiter()
    reservation = limiter.reserve(Call.SUBMIT)
    world.passes(0.3)
    assert limiter.delay(Call.POLL, reservation.slots) == 2
    assert limiter.delay(Call.POLL, ()) == 0


def test_two_processes_share_one_rows_slots(world: World) -> None:
    first, second = world.limiter(), world.limiter()
    reservations = [limiter.reserve(Call.SUBMIT) for _ in range(50) for limiter in (first, second)]
    slots = [each.slots[0] if each.delay else each.slot for each in reservations]
    assert len({*slots}) == 100
    assert max(each.delay for each in reservations) >= 3


def test_threads_of_a_process_share_one_write(world: World) -> None:
    limiter = world.limiter()
    submits(limiter, 2)
    others: list[Thread] = []

    def while_writing(operation: Operation) -> None:
        if operation.when == "before" and not others:
            others.extend(Thread(target=limiter.reserve, args=(Call.SUBMIT,)) for _ in range(8))
            for other in others:
                other.start()
            while len(limiter._waiting) < 8:
                pass

    world.storage.fault = while_writing
    before = len(world.storage.log)
    limiter.reserve(Call.SUBMIT)
    for other in others:
        other.join()
    assert len(world.storage.log) - before == 2


def test_a_refusal_with_a_long_wait_moves_the_slots_of_other_processes(world: World) -> None:
    one, other = world.limiter(), world.limiter()
    later = submits(other, 100)[-1]
    one.throttled(Call.SUBMIT, Reservation(), 55)
    world.passes(FRESH + 0.1)
    moved = other.reserve(Call.SUBMIT, later.slots)
    assert moved.delay > 40
    assert moved.slots == later.slots


def test_a_refusal_that_does_not_concern_other_processes_is_not_written(world: World) -> None:
    assert world.calls(lambda: world.limiter().throttled(Call.SUBMIT, Reservation(), 1)) == 0


def test_storage_trouble_never_stops_reading(world: World) -> None:
    limiter = world.limiter()

    def fail(_: Operation) -> None:
        raise ServiceRequestError("no table today")

    world.storage.fault = fail
    assert [limiter.reserve(call).delay for call in (*Call, *Call)] == [0] * 4
    limiter.throttled(Call.SUBMIT, Reservation(), 10)


def test_a_call_that_keeps_losing_the_row_comes_back_soon(world: World) -> None:
    limiter, other = world.limiter(), world.limiter()
    for each in (limiter, other, limiter, other):
        each.reserve(Call.SUBMIT)
    busy = False

    def other_writes(operation: Operation) -> None:
        nonlocal busy
        if operation.when == "before" and operation.verb != "get_entity" and not busy:
            busy = True
            other.reserve(Call.SUBMIT)
            busy = False

    world.storage.fault = other_writes
    lost = limiter.reserve(Call.SUBMIT)
    assert 1 <= lost.delay <= 4
    assert lost.slots == ()


def test_a_thread_that_comes_during_a_lost_write_is_served_by_the_next_write(world: World) -> None:
    limiter, other = world.limiter(), world.limiter()
    for each in (limiter, other, limiter, other):
        each.reserve(Call.SUBMIT)
    late: list[Thread] = []

    def other_is_first(operation: Operation) -> None:
        if operation.when == "before" and operation.verb == "update_entity" and not late:
            late.append(Thread(target=limiter.reserve, args=(Call.SUBMIT,)))
            late[0].start()
            while not limiter._waiting:
                pass
            other.reserve(Call.SUBMIT)

    world.storage.fault = other_is_first
    limiter.reserve(Call.SUBMIT)
    assert world.calls(late[0].join) == 0


def test_every_call_under_a_quota_per_minute_has_a_slot(world: World) -> None:
    limiter = world.limiter("20/min")
    world.passes(5)
    polls = [limiter.reserve(Call.POLL) for _ in range(30)]
    assert sum(poll.delay == 0 and poll.slot is not None for poll in polls) == 20

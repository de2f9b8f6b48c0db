"""NCRONTAB schedules, and the timer that follows them."""

# ruff: noqa: ARG001 - a function of an app takes what its trigger gives it, used or not

from datetime import UTC, datetime, timedelta
from threading import Event

import azure.functions as func
import pytest

from local.functions_emulator.index import TimerTrigger, describe
from local.functions_emulator.invoke import Invoker
from local.functions_emulator.settings import HostError
from local.functions_emulator.timers import Schedule, TimerListener


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("0 */5 * * * *", "2026-11-22 16:00:00", "2026-11-22 16:05:00"),
        ("0 0 3 * * *", "2026-11-22 16:00:00", "2026-11-23 03:00:00"),
        ("*/10 * * * * *", "2026-11-22 16:00:01", "2026-11-22 16:00:10"),
        ("30 0 0 1 1 *", "2026-11-22 16:00:00", "2027-01-01 00:00:30"),
        ("0 30 9 * Jan Mon", "2026-11-22 16:00:00", "2027-01-04 09:30:00"),
        ("0 0 9-17 * * 1-5", "2026-11-20 17:00:00", "2026-11-23 09:00:00"),
        ("0 0 0 29 2 *", "2026-11-22 16:00:00", "2028-02-29 00:00:00"),
        # Both fields of the day must match: the next Friday the 13th, and not any Friday or any 13th.
        ("0 0 0 13 * 5", "2026-11-22 16:00:00", "2027-08-13 00:00:00"),
    ],
)
def test_the_next_time_is_the_one_that_ncrontab_gives(expression: str, after: str, due: str) -> None:
    assert Schedule("f", expression).next_after(at(after)) == at(due)


def test_a_schedule_is_in_utc_whatever_the_clocks_time_zone() -> None:
    moment = datetime.fromisoformat("2026-11-22T23:30:00-05:00")  # 04:30 UTC of the next day
    assert Schedule("f", "0 0 3 * * *").next_after(moment) == at("2026-11-24 03:00:00")


@pytest.mark.parametrize(
    "expression",
    ["", "off", "*/5 * * * *", "0 0 3 * * * *", "0 0 3 ? * *", "0 0 0 L * *", "0 61 * * * *", "@daily", "0 0 0 30 2 *"],
)
def test_an_invalid_schedule_is_refused_with_an_example(expression: str) -> None:
    with pytest.raises(HostError, match=r'six fields.*"0 \*/5 \* \* \* \*" is every five minutes'):
        Schedule("sweep", expression)


class Clock:
    """A clock that advances only while the timer waits, up to an end."""

    def __init__(self, until: str) -> None:
        self.time = at("2026-11-22 16:00:00")
        self.until = at(until)

    def now(self) -> datetime:
        return self.time

    def wait(self, stopped: Event, seconds: float) -> bool:
        self.time += timedelta(seconds=seconds)
        return stopped.is_set() or self.time > self.until


def fired(clock: Clock, *, run_on_startup: bool = False, each_takes: float = 0) -> list[str]:
    """The times at which a five-minute timer fired, until the clock's end."""
    times = []
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=run_on_startup)
    def sweep(timer: func.TimerRequest) -> None:
        times.append(f"{clock.time:%H:%M:%S}")
        clock.time += timedelta(seconds=each_takes)

    (function,) = describe(app, {})
    assert isinstance(function.trigger, TimerTrigger)
    invoker = Invoker(None, lambda: None)
    TimerListener(function, function.trigger, invoker, clock.now, clock.wait).run()
    return times


def test_a_timer_fires_at_each_of_its_times() -> None:
    assert fired(Clock(until="2026-11-22 16:16:00")) == ["16:05:00", "16:10:00", "16:15:00"]


def test_a_timer_with_run_on_startup_also_fires_at_once() -> None:
    assert fired(Clock(until="2026-11-22 16:06:00"), run_on_startup=True) == ["16:00:00", "16:05:00"]


def test_after_a_run_longer_than_the_interval_the_timer_fires_at_the_next_time_after_its_end() -> None:
    times = fired(Clock(until="2026-11-22 16:20:00"), each_takes=400)
    assert times == ["16:05:00", "16:15:00"]  # 16:10 passed while the first ran, until 16:11:40

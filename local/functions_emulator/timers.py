"""The timer trigger: NCRONTAB schedules of six fields, in UTC."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

from azure.functions.meta import Datum
from croniter import CroniterError, croniter

from local.functions_emulator.index import Function, TimerTrigger
from local.functions_emulator.invoke import PROGRAMMATICALLY, Input, Invoker
from local.functions_emulator.settings import HostError


class Schedule:
    """When a timer fires: `{second} {minute} {hour} {day} {month} {day of week}`.

    Features of other cron dialects that NCRONTAB lacks (`?`, `L`, `#`, `@daily`) are refused here, since the library
    would accept them. Raises HostError for an expression that is not NCRONTAB.
    """

    def __init__(self, function_name: str, expression: str) -> None:
        self._expression = expression
        item = r"(\*|\d+|[A-Za-z]{3})"
        field = rf"{item}([-,/]{item})*"
        try:
            if not re.fullmatch(rf"\s*({field}\s+){{5}}{field}\s*", expression):
                raise CroniterError
            self.next_after(datetime.now(UTC))  # 30 February never comes
        except CroniterError:
            raise HostError(
                f"Function {function_name}: the schedule {expression!r} is not NCRONTAB. It has six fields: "
                'second, minute, hour, day, month, day of week; "0 */5 * * * *" is every five minutes.'
            ) from None

    def next_after(self, moment: datetime) -> datetime:
        """The first time after `moment`. A day must match both of its fields, as in NCrontab."""
        moment = moment.astimezone(UTC)
        times = croniter(self._expression, moment, second_at_beginning=True, day_or=False)
        following: datetime = times.get_next(datetime)
        return following


class TimerListener:
    """Runs one timer function on its schedule, never twice at once: the next time is counted from its end."""

    def __init__(
        self,
        function: Function,
        trigger: TimerTrigger,
        invoker: Invoker,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[Event, float], bool] = Event.wait,
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._schedule = Schedule(function.name, trigger.schedule)
        self._invoker = invoker
        self._now = now
        self._wait = wait
        self._stopped = Event()

    def stop(self) -> None:
        """Stop firing."""
        self._stopped.set()

    def run(self) -> None:
        """Fire until stopped."""
        if self._trigger.run_on_startup:
            self._fire("Timer fired at {} on startup")
        while True:
            due = self._schedule.next_after(self._now())
            # Short waits, so that a clock that is set, or a laptop that slept, does not delay it for long.
            while (left := (due - self._now()).total_seconds()) > 0:
                if self._wait(self._stopped, min(left, 30)):
                    return
            self._fire("Timer fired at {}")

    def call(self, _: object = None) -> bool:
        """Run it now; a timer has no input."""
        return self._invoker.invoke(self._function, PROGRAMMATICALLY, timer_input)

    def _fire(self, reason: str) -> None:
        if not self._stopped.is_set():
            self._invoker.invoke(self._function, reason.format(self._now().isoformat()), timer_input)


def timer_input() -> Input:
    """What the real host sends without a schedule monitor."""
    value = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
    return Input(Datum(json.dumps(value), "json"), {})

"""Threads on a virtual clock: one runs at a time, and time passes only while all of them sleep.

They are greenlets: switching between two costs a microsecond, where two threads of the operating system cost fifty.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from types import TracebackType

from greenlet import getcurrent, greenlet


class Ended(BaseException):
    """The simulation is over: stops whatever still runs."""


class VirtualThreads:
    """Runs functions that call ``sleep``, in the order of virtual time. The same program always runs the same way."""

    def __init__(self, start: float) -> None:
        self.time = start
        self._agenda: list[tuple[float, int, greenlet]] = []
        self._number = 0
        self._ended = False
        self._hub = getcurrent()

    def spawn(self, function: Callable[[], None]) -> None:
        """Start a thread as soon as the running one sleeps."""

        def run() -> None:
            try:
                if not self._ended:
                    function()
            except Ended:
                pass

        self._push(self.time, greenlet(run, parent=self._hub))

    def sleep(self, seconds: float) -> None:
        """Let others run for this many seconds."""
        if self._ended:
            raise Ended
        if getcurrent() is self._hub:
            self._run_until(self.time + seconds)
            return
        self._push(self.time + seconds, getcurrent())
        self._hub.switch()
        if self._ended:
            raise Ended

    def run(self) -> None:
        """Run until no thread is left. Raises whatever a thread raises.

        Call it where the threads were created: execution continues there when a thread ends or raises.
        """
        while self._agenda:
            self._run_until(self._agenda[0][0])

    def end(self) -> None:
        """End all threads at their next sleep."""
        self._ended = True

    def _run_until(self, end: float) -> None:
        while self._agenda and self._agenda[0][0] <= end:
            time, _, thread = heappop(self._agenda)
            self.time = max(self.time, time)
            thread.switch()
        self.time = max(self.time, end)

    def _push(self, time: float, thread: greenlet) -> None:
        self._number += 1
        heappush(self._agenda, (time, self._number, thread))


class VirtualLock:
    """A lock whose waiters sleep on the virtual clock."""

    def __init__(self, threads: VirtualThreads) -> None:
        self._threads = threads
        self._held = False

    def __enter__(self) -> None:
        while self._held:
            self._threads.sleep(0.001)
        self._held = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held = False

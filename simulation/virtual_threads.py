"""Threads on a virtual clock: one runs at a time, and time passes only while all of them sleep."""

import threading
from collections.abc import Callable
from heapq import heappop, heappush
from types import TracebackType


class Ended(BaseException):
    """The simulation is over: whatever still runs is to stop."""


class VirtualThreads:
    """Runs functions that call ``sleep``, in the order of the virtual time. The same program runs the same way."""

    def __init__(self, start: float) -> None:
        self.time = start
        self._agenda: list[tuple[float, int, threading.Semaphore]] = []
        self._number = 0
        self._over = threading.Semaphore(0)
        self._ended = False
        self._error: BaseException | None = None

    def spawn(self, function: Callable[[], None]) -> None:
        """Begin a thread, as soon as the running one sleeps."""
        wake = threading.Semaphore(0)

        def run() -> None:
            wake.acquire()
            try:
                if not self._ended:
                    function()
            except Ended:
                pass
            except BaseException as error:  # noqa: BLE001 - raised again by run()
                self._error, self._ended = error, True
            self._run_next()

        threading.Thread(target=run, daemon=True).start()
        self._push(self.time, wake)

    def sleep(self, seconds: float) -> None:
        """Let others run until so much later."""
        if self._ended:
            raise Ended
        wake = threading.Semaphore(0)
        self._push(self.time + seconds, wake)
        self._run_next()
        wake.acquire()
        if self._ended:
            raise Ended

    def run(self) -> None:
        """Run until no thread is left. Raises what a thread raised."""
        self._run_next()
        self._over.acquire()
        if self._error:
            raise self._error

    def end(self) -> None:
        """End all threads at their next sleep."""
        self._ended = True

    def _push(self, time: float, wake: threading.Semaphore) -> None:
        self._number += 1
        heappush(self._agenda, (time, self._number, wake))

    def _run_next(self) -> None:
        if not self._agenda:
            self._over.release()
            return
        time, _, wake = heappop(self._agenda)
        self.time = max(self.time, time)
        wake.release()


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

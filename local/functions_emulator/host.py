"""The host as a whole: the listeners of an app's functions, and how they start and stop."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient

from local.functions_emulator.admin import Admin, Call, Rejected
from local.functions_emulator.blob_trigger import (
    POISON_QUEUE,
    BlobFunction,
    BlobScanner,
    BlobTriggerHandler,
    current_version,
    internal_queue_name,
    trigger_message,
)
from local.functions_emulator.console import log
from local.functions_emulator.delivery import poison_queue_name
from local.functions_emulator.host_json import HostOptions, QueueOptions
from local.functions_emulator.http_trigger import HttpFunctions
from local.functions_emulator.index import EVENT_GRID, BlobTrigger, Function, HttpTrigger, QueueTrigger, TimerTrigger
from local.functions_emulator.invoke import Invoker
from local.functions_emulator.queue_trigger import QueueTriggerHandler
from local.functions_emulator.queues import Handler, QueueListener, send
from local.functions_emulator.receipts import Receipts
from local.functions_emulator.settings import HostError
from local.functions_emulator.storage import DEFAULT_CONNECTION, Connections
from local.functions_emulator.timers import TimerListener

DRAIN_SECONDS = 10.0  # azure-functions-host WorkerProcessCountOptions.cs, ProcessShutdownTimeout


@dataclass(frozen=True)
class RunOptions:
    """Options of the command line: seconds of a message's lease, and between two scans of the containers."""

    host_id: str
    lease_seconds: int
    scan_seconds: float


def chosen(functions: Iterable[Function], names: Iterable[str], environ: Mapping[str, str]) -> list[Function]:
    """The functions to listen for: those of `names`, or all that are not disabled by an app setting.

    Blob functions share one queue, as they share instances on Flex Consumption: naming one selects all.
    Raises HostError for a name that the app does not have.
    """
    runnable = [function for function in functions if function.trigger is not None]
    if not names:
        return [function for function in runnable if not _is_disabled(function.name, environ)]
    by_name = {function.name: function for function in runnable}
    if unknown := [name for name in names if name not in by_name]:
        raise HostError(f"There is no function {unknown[0]!r}; the app has: {', '.join(by_name) or 'none'}.")
    with_blobs = any(isinstance(by_name[name].trigger, BlobTrigger) for name in names)
    return [
        function
        for function in runnable
        if function.name in names or (with_blobs and isinstance(function.trigger, BlobTrigger))
    ]


class Host:
    """Listens for the given functions, from `start` to `stop`.

    `calls` runs each of them by hand. Raises HostError if storage is not set, or does not answer.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        options: HostOptions,
        run: RunOptions,
        connections: Connections,
        invoker: Invoker,
    ) -> None:
        self._options = options
        self._run = run
        self._connections = connections
        self._invoker = invoker
        self.threads = ThreadPoolExecutor(max_workers=1000, thread_name_prefix="function")
        self._running: list[threading.Thread] = []
        self._queue_listeners: list[QueueListener] = []
        self._listeners: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self.calls: dict[str, Call] = {}
        self.functions = list(functions)
        self.http = HttpFunctions(self.functions, options.http.route_prefix, invoker)
        blob_functions = []
        for function in self.functions:
            match function.trigger:
                case BlobTrigger() as trigger:
                    blob_functions.append(BlobFunction(function, trigger, connections[trigger.connection]))
                case QueueTrigger() as trigger:
                    self._add_queue_function(function, trigger)
                case TimerTrigger() as trigger:
                    timer = TimerListener(function, trigger, invoker)
                    self._listeners.append((timer.run, timer.stop))
                    self.calls[function.name] = partial(self._call, timer.call)
                case HttpTrigger():
                    self.calls[function.name] = _call_http
        if blob_functions:
            self._add_blob_functions(blob_functions)

    def start(self) -> None:
        """Start every listener in a thread of its own."""
        for run, _ in self._listeners:
            thread = threading.Thread(target=_keep_running, args=[run], daemon=True)
            self._running.append(thread)
            thread.start()

    def admin(self, url: str) -> Admin:
        """The admin endpoints, if the host is served at `url`."""
        described = {}
        for function in self.functions:
            route = self.http.routes.get(function.name)
            described[function.name] = {
                "name": function.name,
                "href": f"{url}/admin/functions/{function.name}",
                "invoke_url_template": f"{url}/{route.template.text}" if route else None,
                "language": "python",
                "isDisabled": False,
                "config": {"bindings": function.bindings},
            }
        return Admin(self._run.host_id, described, self.calls)

    def stop(self, patience: float = DRAIN_SECONDS) -> bool:
        """Stop fetching, and wait for messages in flight; False if some were not done in time."""
        for _, stop in self._listeners:
            stop()
        end = time.monotonic() + patience
        while (busy := self._is_busy()) and time.monotonic() < end:
            time.sleep(0.05)
        return not busy

    def _is_busy(self) -> bool:
        # A listener that is still fetching may return messages, which this host must settle.
        listening = any(thread.is_alive() for thread in self._running)
        return listening or self._invoker.in_flight > 0 or any(queue.in_flight for queue in self._queue_listeners)

    def _add_queue_function(self, function: Function, trigger: QueueTrigger) -> None:
        connection = self._connections[trigger.connection]
        connection.require("queue")
        poison_name = poison_queue_name(trigger.queue_name)
        poison = connection.queues.get_queue_client(poison_name) if poison_name else None
        handler = QueueTriggerHandler(function, trigger.queue_name, poison, self._invoker)
        queue = connection.queues.get_queue_client(trigger.queue_name)
        self._listen(queue, self._options.queues, handler)
        self.calls[function.name] = partial(self._call, handler.call)

    def _add_blob_functions(self, functions: list[BlobFunction]) -> None:
        own = self._connections[DEFAULT_CONNECTION]
        own.require("blob", "queue")
        for function in functions:
            function.connection.require("blob", "queue")
        queue = own.queues.get_queue_client(internal_queue_name(self._run.host_id))
        with suppress(ResourceExistsError):
            queue.create_queue()
        handler = BlobTriggerHandler(functions, own.queues.get_queue_client(POISON_QUEUE), self._invoker)
        listener = self._listen(queue, self._options.blobs.queue_options(self._options.queues), handler)
        receipts = Receipts(own.blobs, self._run.host_id, self._run.lease_seconds)
        scanner = BlobScanner(functions, receipts, queue, listener.notify)
        self._listeners.append((partial(scanner.run, self._run.scan_seconds), scanner.stop))
        for function in functions:
            self.calls[function.function.name] = partial(enqueue_blob, function, queue, listener.notify)
            if function.trigger.source == EVENT_GRID:
                log.warning(
                    "Function %s waits for Event Grid, which does not exist here: nothing arrives by itself. "
                    'Name a blob with POST /admin/functions/%s and {"input": "%s/NAME"}.',
                    function.function.name,
                    function.function.name,
                    function.trigger.container,
                )

    def _listen(self, queue: QueueClient, options: QueueOptions, handler: Handler) -> QueueListener:
        listener = QueueListener(queue, options, self._run.lease_seconds, handler, self.threads)
        self._queue_listeners.append(listener)
        self._listeners.append((listener.run, listener.stop))
        return listener

    def _call(self, run: Callable[[str], object], given: Any) -> None:
        self.threads.submit(run, given if isinstance(given, str) else json.dumps(given))


def enqueue_blob(function: BlobFunction, queue: QueueClient, queued: Callable[[], None], given: Any) -> None:
    """Queue the blob that `given` names for the function, even if it has a receipt."""
    version = current_version(function, given) if isinstance(given, str) else None
    if version is None:
        raise Rejected(HTTPStatus.NOT_FOUND, 'There is no such blob: send {"input": "container/name"}.')
    send(queue, trigger_message(function.function.id, version))
    queued()


def _call_http(_: object) -> None:
    raise Rejected(HTTPStatus.BAD_REQUEST, "This is an HTTP function: ask for its route.")


def _keep_running(run: Callable[[], None]) -> None:
    """Run a listener until it is stopped. If it fails, which should not happen, report that and run it again."""
    while True:
        try:
            return run()
        except Exception:  # noqa: BLE001 - whatever it is
            log.exception("A listener failed; it starts again.")
            time.sleep(1)


def _is_disabled(name: str, environ: Mapping[str, str]) -> bool:
    settings = (f"AzureWebJobs.{name}.Disabled", f"AzureWebJobs__{name}__Disabled")
    return any(environ.get(setting, "").lower() in ("true", "1") for setting in settings)

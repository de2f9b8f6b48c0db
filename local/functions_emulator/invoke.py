"""One invocation: values converted by `azure-functions`, the function run, and what happened printed."""

import asyncio
import inspect
import json
import logging
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from local.functions_emulator.console import log, printable, running
from local.functions_emulator.index import Function

PROGRAMMATICALLY = "This function was programmatically called via the host APIs."


@dataclass(frozen=True)
class Input:
    """A trigger's input: its value, or the blob for an SDK type, and the trigger's metadata."""

    value: Datum
    metadata: Mapping[str, Datum]


class Invoker:
    """Runs functions: async ones on one event loop, others in the caller's thread.

    The real host gives its worker 1,000 threads (azure-functions-host DefaultWorkerProcessFactory.cs), so that
    only the triggers' own limits bound the number of invocations at once. The same holds here. `on_timeout` is
    called once, when an invocation has run longer than `timeout`.
    """

    def __init__(self, timeout: timedelta | None, on_timeout: Callable[[], None]) -> None:
        self._on_timeout = on_timeout
        self._started: dict[str, tuple[str, float]] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="event loop", daemon=True).start()
        if timeout is not None:
            threading.Thread(target=self._watch, args=[timeout], name="function timeout", daemon=True).start()

    @property
    def in_flight(self) -> int:
        """How many invocations are running."""
        return len(self._started)

    def invoke(
        self,
        function: Function,
        reason: str,
        read_input: Callable[[], Input],
        details: Mapping[str, object] | None = None,
        take: Callable[[Any], object] | None = None,
    ) -> bool:
        """Run `function` once and return whether it succeeded. No exception of the app leaves this method.

        `read_input` is called inside the invocation, so that its failure is the invocation's. So is `take`, with the
        function's result. Without `take`, the function must return None.
        """
        invocation_id = str(uuid.uuid4())
        token = running.set(function.name)
        started = time.monotonic()
        self._started[invocation_id] = (function.name, started)
        log.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function.name, printable(reason), invocation_id)
        if details:
            log.info("Trigger Details: %s", ", ".join(f"{name}: {value}" for name, value in details.items()))
        error: BaseException | None = None
        try:
            result = self._run(function, invocation_id, read_input())
            if take is not None:
                take(result)
            elif result is not None:
                raise RuntimeError(f"function {function.name} without a $return binding returned a non-None value")
        except BaseException as raised:  # noqa: BLE001 - an app that calls sys.exit() fails its invocation, not the host
            error = raised
        milliseconds = round((time.monotonic() - started) * 1000)
        outcome = "Failed" if error else "Succeeded"
        log.log(
            logging.ERROR if error else logging.INFO,
            "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)",
            function.name,
            outcome,
            invocation_id,
            milliseconds,
        )
        if error:
            log.error("Exception while executing function: Functions.%s\n%s", function.name, app_traceback(error))
        del self._started[invocation_id]
        running.reset(token)
        return error is None

    def _run(self, function: Function, invocation_id: str, given: Input) -> Any:
        arguments: dict[str, Any] = {function.parameter: convert(function, given)}
        if function.wants_context:
            arguments["context"] = Context(function, invocation_id)
        result = function.call(**arguments)
        if inspect.iscoroutine(result):
            result = asyncio.run_coroutine_threadsafe(result, self._loop).result()
        return result

    def _watch(self, timeout: timedelta) -> None:
        limit = timeout.total_seconds()
        while True:
            time.sleep(min(1.0, limit / 10))
            for invocation_id, (name, started) in list(self._started.items()):
                if time.monotonic() - started > limit:
                    log.critical(
                        "Timeout value of %s exceeded by function 'Functions.%s' (Id: '%s').",
                        timeout,
                        name,
                        invocation_id,
                    )
                    self._on_timeout()
                    return


class Context(func.Context):
    """What a function sees as its `context`."""

    def __init__(self, function: Function, invocation_id: str) -> None:
        self._function = function
        self._invocation_id = invocation_id
        self._thread_local_storage = threading.local()
        self._thread_local_storage.invocation_id = invocation_id

    @property
    def invocation_id(self) -> str:
        """This invocation's."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        """A place where a function's own threads may put the invocation id."""
        return self._thread_local_storage

    @property
    def function_name(self) -> str:
        """As indexed."""
        return self._function.name

    @property
    def function_directory(self) -> str:
        """The folder of its code."""
        return str(Path(inspect.getfile(self._function.call)).parent)

    @property
    def trace_context(self) -> Any:
        """Empty: this host does no tracing."""
        return SimpleNamespace(trace_parent="", trace_state="", attributes={})

    @property
    def retry_context(self) -> Any:
        """Empty: this host has no retry policies."""
        return SimpleNamespace(retry_count=0, max_retry_count=0, exception=None)


def convert(function: Function, given: Input) -> Any:
    """The Python value of the trigger's parameter, as azure_functions_runtime's bindings/meta.py makes it."""
    if function.is_sdk_type:
        return function.converter.decode(given.value, trigger_metadata=given.metadata, pytype=function.python_type)
    if function.converter is None:
        return given.value.value
    return function.converter.decode(given.value, trigger_metadata=given.metadata)


def model_binding_data(connection: str, container: str, blob: str) -> Datum:
    """What an SDK-type binding gets instead of the blob (BlobsExtensionConfigProvider.cs)."""
    content = json.dumps({"Connection": connection, "ContainerName": container, "BlobName": blob})
    return Datum(
        SimpleNamespace(
            version="1.0",
            source="AzureStorageBlobs",
            content_type="application/json",
            content=content.encode(),
        ),
        "model_binding_data",
    )


def app_traceback(error: BaseException) -> str:
    """The traceback from where the host called the app, in the worker's form."""
    hosts = (
        __name__,
        "local.functions_emulator.index",
        "importlib",
        "importlib._bootstrap",
        "concurrent.futures._base",
    )
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__") in hosts:
        frames = frames.tb_next
    error = error.with_traceback(frames or error.__traceback__)
    stack = "".join(traceback.format_exception(error)).rstrip()
    return f"Result: Failure\nException: {type(error).__name__}: {error}\nStack: {stack}"

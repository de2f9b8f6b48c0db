"""One invocation: what the function receives, and what is printed."""

# ruff: noqa: ARG001 - a function of an app takes what its trigger gives it, used or not

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.functions.meta import Datum

from local.functions_emulator import console
from local.functions_emulator.index import Function, describe
from local.functions_emulator.invoke import Input, Invoker
from local.functions_emulator.queue_trigger import queue_input
from local.functions_emulator.queues import Message
from local.functions_emulator.timers import timer_input

WHEN = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@pytest.fixture
def printed() -> Iterator[io.StringIO]:
    """What the host and the app print during a test."""
    stream = io.StringIO()
    handler = console.Console({}, stream)
    loggers = (logging.getLogger(), console.log)
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    console.log.propagate = False
    yield stream
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
    console.log.propagate = True


@pytest.fixture(scope="module")
def invoker() -> Invoker:
    return Invoker(None, lambda: None)


def on_queue(call: Callable[..., Any]) -> Function:
    app = func.FunctionApp()
    app.queue_trigger(arg_name="message", queue_name="work", connection="C")(call)
    return describe(app, {})[0]


def message(body: bytes = b"hello", dequeue_count: int = 1) -> Message:
    return Message("id-1", "", dequeue_count, WHEN, WHEN + timedelta(days=7), WHEN, "receipt", body)


def run(invoker: Invoker, function: Function, body: bytes = b"hello") -> bool:
    return invoker.invoke(function, "Because.", lambda: queue_input(message(body)))


def test_a_queue_function_gets_the_message_as_azure_functions_makes_it(invoker: Invoker) -> None:
    seen: list[func.QueueMessage] = []

    def poll(message: func.QueueMessage) -> None:
        seen.append(message)

    assert invoker.invoke(on_queue(poll), "", lambda: queue_input(message(b'{"v": 1}', 3)))
    (given,) = seen
    assert (given.id, given.dequeue_count, given.pop_receipt) == ("id-1", 3, "receipt")
    assert (given.get_body(), given.get_json()) == (b'{"v": 1}', {"v": 1})
    assert (given.insertion_time, given.expiration_time) == (WHEN, WHEN + timedelta(days=7))


def test_a_parameter_of_type_str_gets_the_body(invoker: Invoker) -> None:
    seen = []

    def poll(message: str) -> None:
        seen.append(message)

    run(invoker, on_queue(poll))
    assert seen == ["hello"]


def test_a_parameter_without_annotation_gets_the_triggers_own_type(invoker: Invoker) -> None:
    seen = []

    def poll(message) -> None:  # type: ignore[no-untyped-def]  # the rule is about such a parameter
        seen.append(message.get_body())

    run(invoker, on_queue(poll))
    assert seen == [b"hello"]


def test_an_async_function_runs_on_the_event_loop_and_a_sync_one_in_the_callers_thread(invoker: Invoker) -> None:
    threads = []

    async def on_loop(message: str) -> None:
        threads.append(threading.current_thread().name)

    def in_thread(message: str) -> None:
        threads.append(threading.current_thread().name)

    run(invoker, on_queue(on_loop))
    run(invoker, on_queue(in_thread))
    assert threads == ["event loop", threading.current_thread().name]


def test_the_context_names_the_function_and_the_invocation(invoker: Invoker) -> None:
    seen: list[Any] = []

    def poll(message: str, context: func.Context) -> None:
        seen.append(context)

    run(invoker, on_queue(poll))
    (context,) = seen
    assert context.function_name == "poll"
    assert context.thread_local_storage.invocation_id == context.invocation_id
    assert Path(context.function_directory) == Path(__file__).parent


def test_a_timer_function_gets_a_timer_request(invoker: Invoker) -> None:
    seen = []
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def sweep(timer: func.TimerRequest) -> None:
        seen.append(timer.past_due)

    assert invoker.invoke(describe(app, {})[0], "", timer_input)
    assert seen == [False]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1)])
def test_whatever_a_function_raises_fails_only_its_invocation(invoker: Invoker, error: BaseException) -> None:
    def poll(message: str) -> None:
        raise error

    assert run(invoker, on_queue(poll)) is False
    assert invoker.in_flight == 0


def test_a_body_that_is_not_utf_8_fails_the_invocation(invoker: Invoker) -> None:
    def poll(message: str) -> None:
        pytest.fail("must not be called")

    assert run(invoker, on_queue(poll), b"\xff") is False


def test_a_value_that_is_returned_without_a_binding_fails_the_invocation(invoker: Invoker) -> None:
    def poll(message: str) -> str:
        return message

    assert run(invoker, on_queue(poll)) is False


def test_an_input_that_cannot_be_read_fails_the_invocation(invoker: Invoker) -> None:
    def unreadable() -> Input:
        raise OSError("gone")

    def poll(message: str) -> None:
        pytest.fail("must not be called")

    assert invoker.invoke(on_queue(poll), "", unreadable) is False


def test_an_invocation_is_printed_as_func_start_prints_it(invoker: Invoker, printed: io.StringIO) -> None:
    def poll(message: str) -> None:
        logging.info("looking")

    function = on_queue(poll)
    invoker.invoke(function, "New queue message.", lambda: queue_input(message()), message().details())
    executing, details, app, executed = printed.getvalue().splitlines()
    assert "Executing 'Functions.poll' (Reason='New queue message.', Id=" in executing
    assert details.endswith(
        "Trigger Details: MessageId: id-1, DequeueCount: 1, InsertedOn: 2026-11-22T16:00:00.000+00:00"
    )
    assert app.endswith("Z] looking")
    assert "Executed 'Functions.poll' (Succeeded, Id=" in executed


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_failure_is_printed_with_the_apps_frames_only(invoker: Invoker, printed: io.StringIO, kind: str) -> None:
    def poll(message: str) -> None:
        raise ValueError("broken")

    async def poll_async(message: str) -> None:
        raise ValueError("broken")

    run(invoker, on_queue(poll if kind == "sync" else poll_async))
    text = printed.getvalue()
    assert "(Failed, Id=" in text
    assert "Result: Failure\nException: ValueError: broken\nStack: Traceback" in text
    assert "test_functions_emulator_invoke.py" in text
    assert "functions_emulator/invoke.py" not in text
    assert "concurrent" not in text


def test_a_blobs_name_cannot_forge_a_line(invoker: Invoker, printed: io.StringIO) -> None:
    def poll(message: str) -> None: ...

    invoker.invoke(on_queue(poll), "New blob: a\n[now] \x1b[31mExecuted ä", lambda: queue_input(message()))
    assert r"New blob: a\n[now] \x1b[31mExecuted ä" in printed.getvalue().splitlines()[0]


def test_an_invocation_over_the_function_timeout_is_reported_once(printed: io.StringIO) -> None:
    over, may_end = threading.Event(), threading.Event()
    invoker = Invoker(timedelta(seconds=0.05), over.set)

    def poll(message: str) -> None:
        may_end.wait(10)

    thread = threading.Thread(target=run, args=[invoker, on_queue(poll)])
    thread.start()
    assert over.wait(5)
    may_end.set()
    thread.join()
    assert "exceeded by function 'Functions.poll'" in printed.getvalue()


def test_the_longest_matching_category_decides_the_log_level() -> None:
    levels = {"default": logging.WARNING, "function": logging.INFO, "function.poll.user": logging.DEBUG}
    assert console.level_of("Host", levels) == logging.WARNING
    assert console.level_of("Function.poll", levels) == logging.INFO
    assert console.level_of("Function.poll.User", levels) == logging.DEBUG
    assert console.level_of("Host", {}) == logging.INFO


def test_a_record_below_its_categorys_level_is_not_printed() -> None:
    stream = io.StringIO()
    handler = console.Console({"default": logging.ERROR}, stream)
    handler.emit(logging.makeLogRecord({"msg": "quiet", "levelno": logging.INFO, "name": "app"}))
    handler.emit(logging.makeLogRecord({"msg": "loud", "levelno": logging.ERROR, "name": "app"}))
    assert stream.getvalue().endswith("Z] loud\n")
    assert "quiet" not in stream.getvalue()


def test_the_metadata_has_the_real_hosts_names_and_types() -> None:
    given = queue_input(message(b"body", 2))
    assert given.value == Datum("body", "string")
    assert {name: datum.type for name, datum in given.metadata.items()} == {
        "QueueTrigger": "string",
        "Id": "string",
        "DequeueCount": "json",
        "InsertionTime": "json",
        "ExpirationTime": "json",
        "NextVisibleTime": "json",
        "PopReceipt": "string",
    }
    assert json.loads(given.metadata["InsertionTime"].value) == "2026-11-22T16:00:00+00:00"

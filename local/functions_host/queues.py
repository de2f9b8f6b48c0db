"""The queue trigger: fetching, leases, dequeue counts and poison, as the real host's queue listener has them.

Sources: azure-sdk-for-net, sdk/storage, Microsoft.Azure.WebJobs.Extensions.Storage.Common/src/Shared/:
Queues/QueueListener.cs, Queues/QueueProcessor.cs, Timers/RandomizedExponentialBackoffStrategy.cs,
Timers/LinearSpeedupStrategy.cs, UpdateQueueMessageVisibilityCommand.cs.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from random import Random
from types import TracebackType
from typing import Protocol, Self

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.functions.meta import Datum
from azure.storage.queue import QueueClient
from azure.storage.queue import QueueMessage as ReceivedMessage

from local.functions_host.console import log
from local.functions_host.index import Function
from local.functions_host.invoke import PROGRAMMATICALLY, Input, Invoker
from local.functions_host.settings import MINIMUM_POLLING_SECONDS, QueueOptions

LEASE_SECONDS = 600


class Step(Enum):
    """What becomes of a message."""

    INVOKE = "invoke"
    DELETE = "delete"
    RELEASE = "release"
    POISON = "poison"
    LEAVE = "leave"


@dataclass(frozen=True)
class Backoff:
    """How long to wait after a poll that found nothing: 100 ms, then more, up to `longest` seconds."""

    longest: float
    exponent: int = 0
    delay: float = 0.0

    def after(self, found: bool, random: Random) -> Backoff:
        """The next wait, in `.delay`; `found` says whether there were messages since the last one."""
        shortest = MINIMUM_POLLING_SECONDS
        if found:
            return replace(self, delay=shortest, exponent=1)
        if self.delay == self.longest:
            return self
        increment = random.uniform(0.8, 1.2) * 2 ** (self.exponent - 1) * shortest if self.exponent else 0.0
        delay = shortest + increment
        if delay < self.longest:
            return replace(self, delay=delay, exponent=self.exponent + 1)
        return replace(self, delay=self.longest)


def before_invocation(dequeue_count: int, max_dequeue_count: int, has_poison_queue: bool) -> Step:
    """A message that was taken too often, by hosts that died over it, is not tried again.

    A queue without a poison queue has no such limit, since extension 5.3.8.
    """
    return Step.POISON if has_poison_queue and dequeue_count > max_dequeue_count else Step.INVOKE


def after_invocation(succeeded: bool, dequeue_count: int, max_dequeue_count: int, has_poison_queue: bool) -> Step:
    """Without a poison queue, a failed message stays hidden until its lease ends, lest it loop at once."""
    if succeeded:
        return Step.DELETE
    if not has_poison_queue:
        return Step.LEAVE
    return Step.POISON if dequeue_count >= max_dequeue_count else Step.RELEASE


def next_renewal(previous: float, lease_seconds: float, renewed: bool) -> float:
    """Half the lease; after an error half as long as before, but a tenth of the lease at least."""
    return lease_seconds / 2 if renewed else max(previous / 2, lease_seconds / 10)


def poison_queue_name(queue_name: str) -> str | None:
    """None for a poison queue itself, and where the name would be too long for a queue (63 characters)."""
    name = f"{queue_name}-poison"
    return None if queue_name.endswith("-poison") or len(name) > 63 else name


@dataclass(frozen=True)
class Message:
    """A message as received. `text` is what lies in the queue, `body` what it means."""

    id: str
    text: str
    dequeue_count: int
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime
    pop_receipt: str
    body: bytes = b""

    def details(self) -> dict[str, object]:
        """What the host prints of it."""
        return {
            "MessageId": self.id,
            "DequeueCount": self.dequeue_count,
            "InsertedOn": self.inserted_on.isoformat(timespec="milliseconds"),
        }


class Lease:
    """Keeps a message hidden while the function runs; stops when another host has it. See `pop_receipt`."""

    def __init__(self, queue: QueueClient, message: Message, lease_seconds: int) -> None:
        self._queue = queue
        self._message_id = message.id
        self._seconds = lease_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease of {message.id}", daemon=True)
        self.pop_receipt = message.pop_receipt

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        interval = self._seconds / 2
        while not self._over.wait(interval):
            try:
                renewed = self._queue.update_message(
                    self._message_id, self.pop_receipt, visibility_timeout=self._seconds
                )
            except AzureError as error:
                if is_gone(error):
                    return
                log.warning("The lease of message %s could not be renewed: %s", self._message_id, brief(error))
                interval = next_renewal(interval, self._seconds, renewed=False)
            else:
                self.pop_receipt = renewed.pop_receipt or self.pop_receipt
                interval = next_renewal(interval, self._seconds, renewed=True)


class Handler(Protocol):
    """What a listener's messages are for."""

    drops_undecodable: bool
    """Whether a message that is not base64 is dropped, and not kept in the poison queue."""

    def handle(self, message: Message) -> bool:
        """Carry out one message, and say whether that succeeded."""

    def poison(self, message: Message) -> QueueClient | None:
        """Where a message goes that cannot be carried out, if anywhere."""


class QueueListener:
    """Fetches from one queue, and has each message handled in a thread of `threads`."""

    def __init__(
        self,
        queue: QueueClient,
        options: QueueOptions,
        lease_seconds: int,
        handler: Handler,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._queue = queue
        self._options = options
        self._lease_seconds = lease_seconds
        self._handler = handler
        self._threads = threads
        self._random = Random()  # noqa: S311 - spreads polls, guards nothing
        self._changed = threading.Condition()
        self._in_flight = 0
        self._notified = False
        self._stopped = False
        self._trouble = ""

    @property
    def in_flight(self) -> int:
        """Messages that were fetched and are not settled yet."""
        return self._in_flight

    def notify(self) -> None:
        """Something was put into the queue: fetch now (SharedQueueWatcher.cs)."""
        with self._changed:
            self._notified = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Fetch no more. What is in flight goes on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def run(self) -> None:
        """Fetch until stopped."""
        backoff = Backoff(self._options.max_polling_interval)
        found = False
        while self._wait_for_room():
            messages = self._fetch()
            for message in messages:
                with self._changed:
                    self._in_flight += 1
                self._threads.submit(self._settle, message)
            if messages:
                found = True
                continue
            backoff = backoff.after(found, self._random)
            found = False
            self._wait(backoff.delay)

    def _wait_for_room(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._in_flight <= self._options.new_batch_threshold)
            return not self._stopped

    def _wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._notified, seconds)
            self._notified = False

    def _fetch(self) -> list[ReceivedMessage]:
        """One batch; none if the queue is missing, which the host does not create, or storage has trouble."""
        try:
            pages = self._queue.receive_messages(
                messages_per_page=self._options.batch_size, visibility_timeout=self._lease_seconds
            ).by_page()
            messages = list(next(pages, []))
        except AzureError as error:
            trouble = brief(error)
            if trouble != self._trouble:
                log.warning("Queue '%s' cannot be read; trying again: %s", self._queue.queue_name, trouble)
            self._trouble = trouble
            return []
        self._trouble = ""
        return messages

    def _settle(self, received: ReceivedMessage) -> None:
        try:
            self._process(received)
        except Exception:  # noqa: BLE001 - the message comes back when its lease ends; the host goes on
            log.exception("Message %s of queue '%s' is left until its lease ends.", received.id, self._queue.queue_name)
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def _process(self, received: ReceivedMessage) -> None:
        message = read_message(received)
        try:
            message = replace(message, body=decode(message.text, self._options.message_encoding))
        except ValueError:
            log.warning(
                "Message decoding has failed! Check MessageEncoding settings. MessageId=%s, queue '%s'.",
                message.id,
                self._queue.queue_name,
            )
            self._carry_out(Step.DELETE if self._handler.drops_undecodable else Step.POISON, message)
            return
        has_poison_queue = self._handler.poison(message) is not None
        limit = self._options.max_dequeue_count
        step = before_invocation(message.dequeue_count, limit, has_poison_queue)
        if step is Step.INVOKE:
            with Lease(self._queue, message, self._lease_seconds) as lease:
                succeeded = self._handler.handle(message)
            message = replace(message, pop_receipt=lease.pop_receipt)
            step = after_invocation(succeeded, message.dequeue_count, limit, has_poison_queue)
        if step is Step.POISON:
            log.warning("Message has reached MaxDequeueCount of %d.", limit)
        self._carry_out(step, message)

    def _carry_out(self, step: Step, message: Message) -> None:
        try:
            if step is Step.POISON and (poison := self._handler.poison(message)):
                log.warning("Moving message %s to queue '%s'.", message.id, poison.queue_name)
                send(poison, message.text)
                step = Step.DELETE
            if step is Step.DELETE:
                self._queue.delete_message(message.id, message.pop_receipt)
            if step is Step.RELEASE:
                self._queue.update_message(
                    message.id, message.pop_receipt, visibility_timeout=self._options.visibility_timeout
                )
        except AzureError as error:
            if not is_gone(error):
                raise
            log.debug("Message %s is no longer this host's: %s", message.id, brief(error))


class QueueTriggerHandler:
    """Turns messages into invocations of one function."""

    drops_undecodable = False

    def __init__(self, function: Function, queue_name: str, poison_queue: QueueClient | None, invoker: Invoker) -> None:
        self._function = function
        self._queue_name = queue_name
        self._poison_queue = poison_queue
        self._invoker = invoker

    def handle(self, message: Message) -> bool:
        """Run the function with the message."""
        return self._invoker.invoke(
            self._function,
            f"New queue message detected on '{self._queue_name}'.",
            lambda: queue_input(message),
            message.details(),
        )

    def poison(self, message: Message) -> QueueClient | None:  # noqa: ARG002 - Handler's signature
        """The same for every message."""
        return self._poison_queue

    def call(self, body: str) -> bool:
        """Run the function with `body`, which never was in the queue."""
        now = datetime.now(UTC)
        message = Message(str(uuid.uuid4()), body, 0, now, now, now, "", body.encode())
        return self._invoker.invoke(self._function, PROGRAMMATICALLY, lambda: queue_input(message))


def queue_input(message: Message) -> Input:
    """The body as text, and the metadata under the real host's names (QueueTriggerBinding.cs).

    Raises UnicodeDecodeError for a body that is not UTF-8, which fails the invocation.
    """
    body = Datum(message.body.decode("utf-8"), "string")
    metadata: Mapping[str, Datum] = {
        "QueueTrigger": body,
        "Id": Datum(message.id, "string"),
        "DequeueCount": Datum(json.dumps(message.dequeue_count), "json"),
        "InsertionTime": Datum(json.dumps(message.inserted_on.isoformat()), "json"),
        "ExpirationTime": Datum(json.dumps(message.expires_on.isoformat()), "json"),
        "NextVisibleTime": Datum(json.dumps(message.next_visible_on.isoformat()), "json"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
    }
    return Input(body, metadata)


def read_message(received: ReceivedMessage) -> Message:
    """The SDK's message, with what the service always sends."""
    now = datetime.now(UTC)
    return Message(
        id=received.id,
        text=received.content or "",
        dequeue_count=received.dequeue_count or 1,
        inserted_on=received.inserted_on or now,
        expires_on=received.expires_on or now,
        next_visible_on=received.next_visible_on or now,
        pop_receipt=received.pop_receipt or "",
    )


def decode(text: str, encoding: str) -> bytes:
    """What a message's text means. Raises ValueError if it is not base64 and should be.

    The SDK's decoding policy is not used: it raises on such a text, and the message is lost from sight.
    """
    if encoding == "none":
        return text.encode("utf-8")
    try:
        # .NET's Convert.FromBase64String skips white space.
        return base64.b64decode(re.sub(r"[ \t\r\n]", "", text), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def send(queue: QueueClient, text: str) -> None:
    """Put `text` into `queue`, as it is, and create the queue if it is missing."""
    try:
        queue.send_message(text)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another host was quicker
            queue.create_queue()
        queue.send_message(text)


def is_gone(error: AzureError) -> bool:
    """The message, or its queue, is no longer there, or another host has taken it over."""
    if isinstance(error, ResourceNotFoundError):
        return True
    code = getattr(error, "error_code", None)
    return isinstance(error, HttpResponseError) and code in (
        "PopReceiptMismatch",
        "QueueBeingDeleted",
        "QueueDisabled",
    )


def brief(error: AzureError) -> str:
    """One line of an error of storage, whose texts run over many."""
    return str(error.message or error).splitlines()[0]

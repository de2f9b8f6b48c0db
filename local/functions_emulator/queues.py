"""Queues: fetching, leases, settling and poison messages, as in the real host's queue listener.

Sources: azure-sdk-for-net, sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Common/src/Shared/:
Queues/QueueListener.cs, Queues/QueueProcessor.cs, UpdateQueueMessageVisibilityCommand.cs.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from types import TracebackType
from typing import Protocol, Self

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient
from azure.storage.queue import QueueMessage as ReceivedMessage

from local.functions_emulator.console import log
from local.functions_emulator.delivery import Backoff, Step, after_invocation, before_invocation, decode, next_renewal
from local.functions_emulator.host_json import QueueOptions
from local.functions_emulator.storage import brief


@dataclass(frozen=True)
class Message:
    """A message as received. `text` is as stored in the queue, `body` is decoded."""

    id: str
    text: str
    dequeue_count: int
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime
    pop_receipt: str
    body: bytes = b""

    def details(self) -> dict[str, object]:
        """How the host prints the message."""
        return {
            "MessageId": self.id,
            "DequeueCount": self.dequeue_count,
            "InsertedOn": self.inserted_on.isoformat(timespec="milliseconds"),
        }


class Lease:
    """Keeps a message hidden while the function runs; stops if another host takes it. See `pop_receipt`."""

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
    """Whether a message that is not base64 is dropped instead of kept in the poison queue."""

    def handle(self, message: Message) -> bool:
        """Handle one message, and return whether that succeeded."""

    def poison(self, message: Message) -> QueueClient | None:
        """The queue for messages that cannot be handled, if there is one."""


class QueueListener:
    """Fetches messages from one queue, and handles each in a thread of `threads`."""

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
        """Stop fetching. Messages in flight are finished."""
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
        """One batch; none if storage has trouble, or if the queue is missing (the host does not create it)."""
        try:
            pages = self._queue.receive_messages(
                messages_per_page=self._options.batch_size, visibility_timeout=self._lease_seconds
            ).by_page()
            messages = list(next(pages, []))
        except AzureError as error:
            trouble = brief(error)
            if trouble != self._trouble:  # once, and not at every poll
                log.warning("Queue '%s' cannot be read; trying again: %s", self._queue.queue_name, trouble)
            self._trouble = trouble
            return []
        if self._trouble:
            log.info("Queue '%s' is read again.", self._queue.queue_name)
        self._trouble = ""
        return messages

    def _settle(self, received: ReceivedMessage) -> None:
        try:
            self._process(received)
        except Exception as error:  # noqa: BLE001 - the message comes back when its lease ends; the host goes on
            log.error(
                "Message %s of queue '%s' could not be settled; it comes back when its lease ends: %s",
                received.id,
                self._queue.queue_name,
                brief(error),
            )
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


def read_message(received: ReceivedMessage) -> Message:
    """The SDK's message, with the fields that the service always sends."""
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


def send(queue: QueueClient, text: str) -> None:
    """Put `text` into `queue` unchanged, and create the queue if it is missing."""
    try:
        queue.send_message(text)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another host was quicker
            queue.create_queue()
        queue.send_message(text)


def is_gone(error: AzureError) -> bool:
    """The message or its queue no longer exists, or another host has taken the message."""
    if isinstance(error, ResourceNotFoundError):
        return True
    code = getattr(error, "error_code", None)
    return isinstance(error, HttpResponseError) and code in (
        "PopReceiptMismatch",
        "QueueBeingDeleted",
        "QueueDisabled",
    )

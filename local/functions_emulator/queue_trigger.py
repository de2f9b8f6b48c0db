"""The queue trigger: a message becomes an invocation."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from azure.functions.meta import Datum
from azure.storage.queue import QueueClient

from local.functions_emulator.index import Function
from local.functions_emulator.invoke import PROGRAMMATICALLY, Input, Invoker
from local.functions_emulator.queues import Message


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
        """Run the function with `body`, which was never in the queue."""
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

"""Queues: send delayed messages, and read poison queues as they are."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

FOR_EVER = -1
_HIDDEN_WHILE_DRAINED = 120
"""Seconds for which a message that is being handled stays hidden from other runs."""


class Queue:
    """Sends messages. The queue is created when it is found missing.

    The caller gives the client ``TextBase64EncodePolicy``: base64 is the host's default encoding.
    """

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    def send(self, text: str, delay: float) -> None:
        """Send one message, hidden for ``delay`` seconds, rounded up to whole ones. It does not expire."""
        options: dict[str, Any] = {"visibility_timeout": math.ceil(delay), "time_to_live": FOR_EVER}
        try:
            self._client.send_message(text, **options)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                self._client.create_queue()
            self._client.send_message(text, **options)


class RawQueue(Queue):
    """A queue whose messages may be anything. Their bodies are neither encoded nor decoded."""

    def drain(self) -> Iterator[QueueMessage]:
        """The visible messages, one at a time. Each is hidden for a while, and comes again unless it is deleted."""
        with suppress(ResourceNotFoundError):
            yield from self._client.receive_messages(messages_per_page=32, visibility_timeout=_HIDDEN_WHILE_DRAINED)

    def peek(self) -> list[str]:
        """The bodies of the first 32 messages, in order. They stay visible, and their dequeue count stays the same."""
        try:
            return [str(message.content) for message in self._client.peek_messages(max_messages=32)]
        except ResourceNotFoundError:
            return []

    def take(self, count: int) -> list[QueueMessage]:
        """The first ``count`` messages, at most 32. Each is hidden for a while, and comes again unless deleted."""
        try:
            return list(self._client.receive_messages(max_messages=count, visibility_timeout=_HIDDEN_WHILE_DRAINED))
        except ResourceNotFoundError:
            return []

    def give_back(self, message: QueueMessage) -> None:
        """Make a message that was taken visible to others again. It may have been deleted."""
        with suppress(ResourceNotFoundError):
            self._client.update_message(message.id, message.pop_receipt, visibility_timeout=0)

    def delete(self, message: QueueMessage) -> None:
        """Delete a message that was taken. Another run may have done so already."""
        with suppress(ResourceNotFoundError):
            self._client.delete_message(message.id, message.pop_receipt)

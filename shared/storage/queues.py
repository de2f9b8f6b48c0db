"""Queues: send delayed messages, and read poison queues as they are."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

FOR_EVER = -1
_HIDDEN_WHILE_DRAINED = 120
"""Seconds for which a message that is being handled is hidden from others."""


class Queue:
    """Sends messages. The queue is made when it is first missing.

    The client is given with ``TextBase64EncodePolicy``, which is the host's own default encoding.
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
    """A queue whose messages may be anything: bodies are texts as stored, neither encoded nor decoded."""

    def drain(self) -> Iterator[QueueMessage]:
        """What is visible now, a message at a time; each is hidden meanwhile, and stays unless it is deleted."""
        with suppress(ResourceNotFoundError):
            yield from self._client.receive_messages(messages_per_page=32, visibility_timeout=_HIDDEN_WHILE_DRAINED)

    def peek(self) -> list[str]:
        """The bodies of the first messages, 32 at most, in their order. Nothing changes for those who receive them."""
        try:
            return [str(message.content) for message in self._client.peek_messages(max_messages=32)]
        except ResourceNotFoundError:
            return []

    def take(self, count: int) -> list[QueueMessage]:
        """The first messages, ``count`` of at most 32; each is hidden for a while, and stays unless it is deleted."""
        try:
            return list(self._client.receive_messages(max_messages=count, visibility_timeout=_HIDDEN_WHILE_DRAINED))
        except ResourceNotFoundError:
            return []

    def give_back(self, message: QueueMessage) -> None:
        """Make a message that was taken visible to others again. It may be gone."""
        with suppress(ResourceNotFoundError):
            self._client.update_message(message.id, message.pop_receipt, visibility_timeout=0)

    def delete(self, message: QueueMessage) -> None:
        """Delete a drained message. Another run may have done so."""
        with suppress(ResourceNotFoundError):
            self._client.delete_message(message.id, message.pop_receipt)

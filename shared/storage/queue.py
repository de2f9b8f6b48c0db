"""Queues: delayed messages out, and poison back in as it lies there."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

FOR_EVER = -1
_HIDDEN_WHILE_DRAINED = 120
"""Seconds for which a message that is being looked at is hidden from others."""


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

    def delete(self, message: QueueMessage) -> None:
        """Delete a drained message. Another run may have done so."""
        with suppress(ResourceNotFoundError):
            self._client.delete_message(message.id, message.pop_receipt)

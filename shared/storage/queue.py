"""The queue of documents that wait for their next step."""

import math
from contextlib import suppress

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient

FOR_EVER = -1


class ReadQueue:
    """Sends messages that become visible when a document's next step is due. The queue is made when missing."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    def send(self, text: str, delay: float) -> None:
        """Send one message, hidden for ``delay`` seconds, rounded up to whole ones."""
        seconds = math.ceil(delay)
        try:
            self._client.send_message(text, visibility_timeout=seconds, time_to_live=FOR_EVER)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                self._client.create_queue()
            self._client.send_message(text, visibility_timeout=seconds, time_to_live=FOR_EVER)

"""The SDK's own clients of the queue service, with the operations below in place of their generated HTTP layer."""

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeVar

from azure.storage.queue import QueueClient, QueueProperties, QueueServiceClient
from azure.storage.queue._message_encoding import NoDecodePolicy, NoEncodePolicy

from .account import refuse_unknown
from .clients import GeneratedLayer, derived
from .errors import answered
from .queues import Message, QueueService

T = TypeVar("T")
Cls = Callable[..., T]
"""What the SDK makes of an answer: called with the response, the deserialized body and the headers."""


class QueueOperations:
    """The generated layer of one queue: one method per REST operation."""

    def __init__(self, service: QueueService, queue: str) -> None:
        self._service = service
        self._queue = queue

    def _request(self, verb: str, effect: Callable[[], T]) -> T:
        return self._service.account.request("queue", verb, self._queue, effect)

    def create(self, cls: Cls[T], metadata: dict[str, str] | None, headers: object, **options: Any) -> T:
        """The SDK turns the 204 for an existing queue into a conflict."""
        refuse_unknown(options)
        created = self._request("create_queue", lambda: self._service.create(self._queue, metadata or {}))
        headers = {"x-ms-request-id": "", "Date": self._service.account.now_on_the_wire()}
        return cls(answered(201 if created else 204), None, headers)

    def get_properties(self, cls: Cls[T], **options: Any) -> T:
        """The metadata and the count of messages, invisible ones included."""
        refuse_unknown(options)
        queue = self._request("get_queue_properties", lambda: self._service.queue(self._queue))
        headers = {f"x-ms-meta-{name}": value for name, value in queue.metadata.items()}
        return cls(answered(200, headers), None, {"x-ms-approximate-messages-count": len(queue.messages)})

    def send_message(
        self, queue_message: Any, visibility_timeout: int | None, message_time_to_live: int | None, **options: Any
    ) -> SimpleNamespace:
        refuse_unknown(options)
        arguments = (queue_message.message_text, visibility_timeout, message_time_to_live)
        message = self._request("send_message", lambda: self._service.send(self._queue, *arguments))
        return SimpleNamespace(items_property=[_received(message)])

    def receive_messages(
        self, cls: Cls[T], number_of_messages: int | None, visibility_timeout: int | None, **options: Any
    ) -> T:
        refuse_unknown(options)
        receive = self._service.receive
        messages = self._request(
            "receive_messages",
            lambda: [_received(message) for message in receive(self._queue, number_of_messages, visibility_timeout)],
        )
        return cls(answered(200), SimpleNamespace(items_property=messages), {})

    def peek_messages(self, cls: Cls[T], number_of_messages: int | None, **options: Any) -> T:
        refuse_unknown(options)
        peek = self._service.peek
        messages = self._request(
            "peek_messages", lambda: [_peeked(message) for message in peek(self._queue, number_of_messages)]
        )
        return cls(answered(200), SimpleNamespace(items_property=messages), {})

    def update_message(
        self,
        cls: Cls[T],
        queue_message: Any,
        visibility_timeout: int,
        pop_receipt: str,
        message_id: str,
        **options: Any,
    ) -> T:
        refuse_unknown(options)
        text = queue_message and queue_message.message_text
        arguments = (self._queue, message_id, pop_receipt, visibility_timeout, text)
        message = _received(self._request("update_message", lambda: self._service.update(*arguments)))
        headers = {"x-ms-popreceipt": message.pop_receipt, "x-ms-time-next-visible": message.time_next_visible}
        return cls(answered(204), None, headers)

    def delete_message(self, pop_receipt: str, message_id: str, **options: Any) -> None:
        refuse_unknown(options)
        self._request("delete_message", lambda: self._service.delete(self._queue, message_id, pop_receipt))

    def clear(self, **options: Any) -> None:
        refuse_unknown(options)
        self._request("clear_messages", lambda: self._service.clear(self._queue))


def _peeked(message: Message) -> SimpleNamespace:
    """A message as the generated layer hands it up: times are in whole seconds."""
    return SimpleNamespace(
        message_id=message.id,
        message_text=message.text,
        dequeue_count=message.dequeue_count,
        insertion_time=message.inserted_on.replace(microsecond=0),
        expiration_time=message.expires_on.replace(microsecond=0),
    )


def _received(message: Message) -> SimpleNamespace:
    received = _peeked(message)
    received.pop_receipt = message.pop_receipt
    received.time_next_visible = message.visible_on.replace(microsecond=0)
    return received


@lru_cache
def _prototype() -> QueueServiceClient:
    return QueueServiceClient("https://memory.queue.core.windows.net", credential="a2V5")


class MemoryQueueServiceClient(QueueServiceClient):
    """Gives clients of queues that speak to the account in memory."""

    _service: QueueService

    @classmethod
    def of(cls, service: QueueService) -> "MemoryQueueServiceClient":
        return derived(cls, _prototype(), _service=service, _client=GeneratedLayer())

    def get_queue_client(self, queue: QueueProperties | str, **options: Any) -> QueueClient:
        name = queue if isinstance(queue, str) else queue.name
        encode, decode = options.pop("message_encode_policy", None), options.pop("message_decode_policy", None)
        refuse_unknown(options)
        policies = {
            "_message_encode_policy": encode or NoEncodePolicy(),
            "_message_decode_policy": decode or NoDecodePolicy(),
        }
        layer = GeneratedLayer(queue=QueueOperations(self._service, name))
        return derived(QueueClient, self, queue_name=name, _client=layer, **policies)

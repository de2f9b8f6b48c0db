"""The queue service: the SDK's own `QueueClient`, over lists in memory instead of its HTTP layer."""

import re
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

from azure.storage.queue import QueueClient, QueueProperties, QueueServiceClient
from azure.storage.queue._message_encoding import NoDecodePolicy, NoEncodePolicy

from .account import Account, refuse_unknown
from .clients import GeneratedLayer, derived
from .errors import answered, refused

T = TypeVar("T")

MAX_TEXT_BYTES = 64 * 1024
MAX_VISIBILITY_TIMEOUT = 7 * 24 * 3600
DEFAULT_TIME_TO_LIVE = 7 * 24 * 3600
DEFAULT_VISIBILITY_TIMEOUT = 30
MAX_PAGE = 32
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Message:
    """A message as it is stored: its text as it went over the wire."""

    id: str
    number: int
    text: str
    inserted_on: datetime
    expires_on: datetime
    visible_on: datetime
    pop_receipt: str
    dequeue_count: int = 0

    @property
    def place(self) -> tuple[datetime, int]:
        """Where it stands in the order of delivery: by the time it became visible, then by age, as in Azurite.

        Azure promises no order.
        """
        return (self.visible_on, self.number)


@dataclass(slots=True)
class Queue:
    """The messages of one queue: by id, and in the order of their delivery."""

    metadata: dict[str, str]
    messages: dict[str, Message] = field(default_factory=dict)
    order: list[tuple[datetime, int, str]] = field(default_factory=list)
    next_expiry: datetime = NEVER

    def add(self, message: Message) -> None:
        self.messages[message.id] = message
        self.next_expiry = min(self.next_expiry, message.expires_on)
        insort(self.order, (*message.place, message.id))

    def remove(self, message: Message) -> None:
        del self.messages[message.id]
        del self.order[bisect_left(self.order, (*message.place, message.id))]

    def visible(self, now: datetime, most: int) -> list[Message]:
        """Up to `most` of the messages that can be received, next one first."""
        end = bisect_left(self.order, (now, float("inf"), ""))
        return [self.messages[id_] for _, _, id_ in self.order[: min(end, most)]]

    def drop_expired(self, now: datetime) -> None:
        if self.next_expiry <= now:
            for message in [m for m in self.messages.values() if m.expires_on <= now]:
                self.remove(message)
            self.next_expiry = min((m.expires_on for m in self.messages.values()), default=NEVER)


class QueueOperations:
    """One queue's part of the SDK's generated layer: a method a REST operation."""

    def __init__(self, account: Account, queues: dict[str, Queue], name: str) -> None:
        self._account = account
        self._queues = queues
        self._name = name

    def _request(self, verb: str, effect: Callable[[], T]) -> T:
        return self._account.request("queue", verb, self._name, effect)

    def _queue(self) -> Queue:
        queue = self._queues.get(self._name)
        if queue is None:
            raise refused("QueueNotFound")
        queue.drop_expired(self._account.now())
        return queue

    def create(self, cls: Callable[..., T], metadata: dict[str, str] | None, **options: Any) -> T:
        """Create the queue; one of the same metadata is there already: 204, which the SDK raises as 409."""
        refuse_unknown({**options, "headers": None})

        def create() -> int:
            if self._name not in self._queues:
                self._queues[self._name] = Queue(metadata or {})
                return 201
            if self._queues[self._name].metadata != (metadata or {}):
                raise refused("QueueAlreadyExists")
            return 204

        status = self._request("create_queue", create)
        headers = {"x-ms-request-id": str(self._account.next_number()), "Date": self._account.now_on_the_wire()}
        return cls(answered(status), None, headers)

    def get_properties(self, cls: Callable[..., QueueProperties], **options: Any) -> QueueProperties:
        """The metadata, and the count of messages, invisible ones included."""
        refuse_unknown(options)
        queue = self._request("get_queue_properties", self._queue)
        headers = {f"x-ms-meta-{name}": value for name, value in queue.metadata.items()}
        return cls(answered(200, headers), None, {"x-ms-approximate-messages-count": len(queue.messages)})

    def send_message(
        self,
        queue_message: Any,
        visibility_timeout: int | None,
        message_time_to_live: int | None,
        **options: Any,
    ) -> SimpleNamespace:
        refuse_unknown(options)
        text = queue_message.message_text
        message = self._request("send_message", lambda: self._send(text, visibility_timeout, message_time_to_live))
        return SimpleNamespace(items_property=[_on_the_wire(message)])

    def _send(self, text: str | None, visibility_timeout: int | None, time_to_live: int | None) -> Message:
        queue = self._queue()
        hidden, lives = visibility_timeout or 0, DEFAULT_TIME_TO_LIVE if time_to_live is None else time_to_live
        _check_visibility_timeout(hidden, least=0)
        if lives == 0 or lives < -1 or (time_to_live not in (None, -1) and lives <= hidden):
            raise refused("InvalidQueryParameterValue")
        now, number = self._account.now(), self._account.next_number()
        message = Message(
            id=str(UUID(int=number)),
            number=number,
            text=_checked(text),
            inserted_on=now,
            expires_on=NEVER if lives == -1 else now + timedelta(seconds=lives),
            visible_on=now + timedelta(seconds=hidden),
            pop_receipt=f"receipt-{number}",
        )
        queue.add(message)
        return message

    def receive_messages(
        self,
        number_of_messages: int | None,
        cls: Callable[..., T],
        visibility_timeout: int | None,
        **options: Any,
    ) -> T:
        refuse_unknown(options)

        def receive() -> list[SimpleNamespace]:
            queue, now = self._queue(), self._account.now()
            hidden = DEFAULT_VISIBILITY_TIMEOUT if visibility_timeout is None else visibility_timeout
            _check_visibility_timeout(hidden, least=1)
            messages = queue.visible(now, _checked_page(number_of_messages))
            for message in messages:
                queue.remove(message)
                message.visible_on = now + timedelta(seconds=hidden)
                message.pop_receipt = f"receipt-{self._account.next_number()}"
                message.dequeue_count += 1
                queue.add(message)
            return [_on_the_wire(message) for message in messages]

        return cls(answered(200), SimpleNamespace(items_property=self._request("receive_messages", receive)), {})

    def peek_messages(self, number_of_messages: int | None, cls: Callable[..., T], **options: Any) -> T:
        refuse_unknown(options)

        def peek() -> list[SimpleNamespace]:
            messages = self._queue().visible(self._account.now(), _checked_page(number_of_messages))
            return [_on_the_wire(message, peeked=True) for message in messages]

        return cls(answered(200), SimpleNamespace(items_property=self._request("peek_messages", peek)), {})

    def update_message(
        self,
        queue_message: Any,
        visibility_timeout: int,
        pop_receipt: str,
        cls: Callable[..., T],
        message_id: str,
        **options: Any,
    ) -> T:
        """Hide the message anew, and replace its text if there is a new one; its pop receipt changes."""
        refuse_unknown(options)

        def update() -> Message:
            queue = self._queue()
            _check_visibility_timeout(visibility_timeout, least=0)
            text = None if queue_message is None else _checked(queue_message.message_text)
            message = _found(queue, message_id, pop_receipt)
            queue.remove(message)
            message.visible_on = self._account.now() + timedelta(seconds=visibility_timeout)
            message.pop_receipt = f"receipt-{self._account.next_number()}"
            message.text = message.text if text is None else text
            queue.add(message)
            return message

        message = self._request("update_message", update)
        next_visible = message.visible_on.replace(microsecond=0)
        headers = {"x-ms-popreceipt": message.pop_receipt, "x-ms-time-next-visible": next_visible}
        return cls(answered(204), None, headers)

    def delete_message(self, pop_receipt: str, message_id: str, **options: Any) -> None:
        refuse_unknown(options)

        def delete() -> None:
            queue = self._queue()
            queue.remove(_found(queue, message_id, pop_receipt))

        self._request("delete_message", delete)

    def clear(self, **options: Any) -> None:
        refuse_unknown(options)

        def clear() -> None:
            queue = self._queue()
            queue.messages.clear()
            queue.order.clear()

        self._request("clear_messages", clear)


def _checked(text: str | None) -> str:
    """`text` if the service takes it. Azurite takes control characters and then fails to deliver any message."""
    if text is None or _NOT_XML.search(text):
        raise refused("InvalidXmlDocument")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise refused("RequestBodyTooLarge")
    return text


def _checked_page(number_of_messages: int | None) -> int:
    if number_of_messages is None:
        return 1
    if not 1 <= number_of_messages <= MAX_PAGE:
        raise refused("OutOfRangeQueryParameterValue")
    return number_of_messages


def _check_visibility_timeout(seconds: int, least: int) -> None:
    if not least <= seconds <= MAX_VISIBILITY_TIMEOUT:
        raise refused("OutOfRangeQueryParameterValue")


def _found(queue: Queue, message_id: str, pop_receipt: str) -> Message:
    """The message, if the receipt is its latest; it need not be hidden still."""
    message = queue.messages.get(message_id)
    if message is None:
        raise refused("MessageNotFound")
    if message.pop_receipt != pop_receipt:
        raise refused("PopReceiptMismatch")
    return message


def _on_the_wire(message: Message, *, peeked: bool = False) -> SimpleNamespace:
    """The message as the SDK's generated layer hands it up; times come in whole seconds."""
    fields = SimpleNamespace(
        message_id=message.id,
        message_text=message.text,
        insertion_time=message.inserted_on.replace(microsecond=0),
        expiration_time=message.expires_on.replace(microsecond=0),
        dequeue_count=message.dequeue_count,
    )
    if not peeked:
        fields.pop_receipt = message.pop_receipt
        fields.time_next_visible = message.visible_on.replace(microsecond=0)
    return fields


@lru_cache
def _prototype() -> QueueServiceClient:
    return QueueServiceClient("https://memory.queue.core.windows.net", credential="a2V5")


class MemoryQueueServiceClient(QueueServiceClient):
    """The SDK's client of the queue service, whose queue clients speak to the account in memory."""

    _account: Account
    _queues: dict[str, Queue]

    @classmethod
    def of(cls, account: Account, queues: dict[str, Queue]) -> "MemoryQueueServiceClient":
        return derived(cls, _prototype(), _account=account, _queues=queues, _client=GeneratedLayer())

    def get_queue_client(self, queue: QueueProperties | str, **options: Any) -> QueueClient:
        name = queue if isinstance(queue, str) else queue.name
        encode, decode = options.pop("message_encode_policy", None), options.pop("message_decode_policy", None)
        refuse_unknown(options)
        return derived(
            QueueClient,
            self,
            queue_name=name,
            _message_encode_policy=encode or NoEncodePolicy(),
            _message_decode_policy=decode or NoDecodePolicy(),
            _client=GeneratedLayer(queue=QueueOperations(self._account, self._queues, name)),
        )

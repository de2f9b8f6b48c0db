"""The queue service: visibility, pop receipts, expiry."""

import re
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from .account import Account
from .errors import Refusal

MAX_TEXT_BYTES = 64 * 1024
MAX_MESSAGES = 32
MAX_VISIBILITY_TIMEOUT = 7 * 24 * 3600
DEFAULT_VISIBILITY_TIMEOUT = 30
DEFAULT_TIME_TO_LIVE = 7 * 24 * 3600
FOR_EVER = -1
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Message:
    """A message as it is stored: its text is what went over the wire."""

    id: str
    number: int
    text: str
    inserted_on: datetime
    expires_on: datetime
    visible_on: datetime
    pop_receipt: str
    dequeue_count: int = 0


@dataclass(slots=True)
class Queue:
    """The messages of a queue: by id, and in the order of their delivery.

    They are ordered by the time at which they became visible, then by age, as in Azurite. Azure promises no order.
    """

    metadata: Mapping[str, str]
    messages: dict[str, Message] = field(default_factory=dict)
    order: list[tuple[datetime, int, str]] = field(default_factory=list)
    next_expiry: datetime = NEVER

    def add(self, message: Message) -> None:
        self.messages[message.id] = message
        insort(self.order, (message.visible_on, message.number, message.id))
        self.next_expiry = min(self.next_expiry, message.expires_on)

    def remove(self, message: Message) -> None:
        del self.messages[message.id]
        del self.order[bisect_left(self.order, (message.visible_on, message.number, message.id))]

    def visible(self, now: datetime, most: int) -> list[Message]:
        return [self.messages[id_] for visible_on, _, id_ in self.order[:most] if visible_on <= now]

    def drop_expired(self, now: datetime) -> None:
        if self.next_expiry <= now:
            for message in [message for message in self.messages.values() if message.expires_on <= now]:
                self.remove(message)
            self.next_expiry = min((message.expires_on for message in self.messages.values()), default=NEVER)


class QueueService:
    """The queues of an account, and what the service does to their messages."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._queues: dict[str, Queue] = {}

    def create(self, name: str, metadata: Mapping[str, str]) -> bool:
        """Whether the queue is new. An existing one with the same metadata is not a conflict."""
        if name not in self._queues:
            self._queues[name] = Queue(metadata)
            return True
        if self._queues[name].metadata != metadata:
            raise Refusal("QueueAlreadyExists")
        return False

    def queue(self, name: str) -> Queue:
        if name not in self._queues:
            raise Refusal("QueueNotFound")
        queue = self._queues[name]
        queue.drop_expired(self.account.now())
        return queue

    def messages_in(self, name: str) -> list[Message]:
        if name not in self._queues:
            return []
        queue = self.queue(name)
        return [queue.messages[id_] for _, _, id_ in queue.order]

    def send(self, name: str, text: str | None, visibility_timeout: int | None, time_to_live: int | None) -> Message:
        queue, text = self.queue(name), _checked_text(text)
        hidden = _checked_visibility_timeout(visibility_timeout or 0, least=0)
        lives = DEFAULT_TIME_TO_LIVE if time_to_live is None else time_to_live
        # With the default time to live, unlike with a given one, no visibility timeout is too long.
        if lives == 0 or lives < FOR_EVER or (time_to_live not in (None, FOR_EVER) and hidden >= lives):
            raise Refusal("InvalidQueryParameterValue")
        now, number = self.account.now(), self.account.next_number()
        message = Message(
            id=str(UUID(int=number)),
            number=number,
            text=text,
            inserted_on=now,
            expires_on=NEVER if lives == FOR_EVER else now + timedelta(seconds=lives),
            visible_on=now + timedelta(seconds=hidden),
            pop_receipt=self._new_receipt(),
        )
        queue.add(message)
        return message

    def receive(self, name: str, most: int | None, visibility_timeout: int | None) -> Iterator[Message]:
        """Take the next visible messages: hide each, count it, and give it a new receipt."""
        queue, now = self.queue(name), self.account.now()
        seconds = DEFAULT_VISIBILITY_TIMEOUT if visibility_timeout is None else visibility_timeout
        hidden = _checked_visibility_timeout(seconds, least=1)
        for message in queue.visible(now, _checked_count(most)):
            message.dequeue_count += 1
            self._hide(queue, message, hidden)
            yield message

    def peek(self, name: str, most: int | None) -> list[Message]:
        return self.queue(name).visible(self.account.now(), _checked_count(most))

    def update(
        self, name: str, message_id: str, pop_receipt: str, visibility_timeout: int, text: str | None
    ) -> Message:
        """Hide a message again, and replace its text unless the new one is None. Its receipt changes."""
        queue, text = self.queue(name), None if text is None else _checked_text(text)
        hidden = _checked_visibility_timeout(visibility_timeout, least=0)
        message = _found(queue, message_id, pop_receipt)
        self._hide(queue, message, hidden)
        message.text = message.text if text is None else text
        return message

    def delete(self, name: str, message_id: str, pop_receipt: str) -> None:
        queue = self.queue(name)
        queue.remove(_found(queue, message_id, pop_receipt))

    def clear(self, name: str) -> None:
        queue = self.queue(name)
        queue.messages.clear()
        queue.order.clear()

    def _hide(self, queue: Queue, message: Message, seconds: int) -> None:
        queue.remove(message)
        message.visible_on = self.account.now() + timedelta(seconds=seconds)
        message.pop_receipt = self._new_receipt()
        queue.add(message)

    def _new_receipt(self) -> str:
        return f"receipt-{self.account.next_number()}"


def _found(queue: Queue, message_id: str, pop_receipt: str) -> Message:
    """The message, if the receipt is its latest. It need not be hidden."""
    message = queue.messages.get(message_id)
    if message is None:
        raise Refusal("MessageNotFound")
    if message.pop_receipt != pop_receipt:
        raise Refusal("PopReceiptMismatch")
    return message


def _checked_text(text: str | None) -> str:
    """`text`, if the service accepts it. Azurite accepts control characters too, and then delivers nothing more."""
    if text is None or _NOT_XML.search(text):
        raise Refusal("InvalidXmlDocument")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise Refusal("RequestBodyTooLarge")
    return text


def _checked_count(messages: int | None) -> int:
    if messages is not None and not 1 <= messages <= MAX_MESSAGES:
        raise Refusal("OutOfRangeQueryParameterValue")
    return messages or 1


def _checked_visibility_timeout(seconds: int, least: int) -> int:
    if not least <= seconds <= MAX_VISIBILITY_TIMEOUT:
        raise Refusal("OutOfRangeQueryParameterValue")
    return seconds

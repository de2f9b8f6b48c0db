"""What happens to a queue message, and when: the rules of the real host's queue listener, without side effects.

Sources: azure-sdk-for-net, sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Common/src/Shared/:
Queues/QueueListener.cs, Queues/QueueProcessor.cs, Timers/RandomizedExponentialBackoffStrategy.cs,
Timers/LinearSpeedupStrategy.cs.
"""

import base64
import binascii
import re
from dataclasses import dataclass, replace
from enum import Enum
from random import Random
from typing import Self

from local.functions_emulator.host_json import MINIMUM_POLLING_SECONDS


class Step(Enum):
    """What happens to a message."""

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

    def after(self, found: bool, random: Random) -> Self:
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
    """A message that was received too often, by hosts that died while handling it, is not tried again.

    A queue without a poison queue has no such limit, since extension 5.3.8.
    """
    return Step.POISON if has_poison_queue and dequeue_count > max_dequeue_count else Step.INVOKE


def after_invocation(succeeded: bool, dequeue_count: int, max_dequeue_count: int, has_poison_queue: bool) -> Step:
    """Without a poison queue, a failed message stays hidden until its lease ends, so that it does not loop at once."""
    if succeeded:
        return Step.DELETE
    if not has_poison_queue:
        return Step.LEAVE
    return Step.POISON if dequeue_count >= max_dequeue_count else Step.RELEASE


def next_renewal(previous: float, lease_seconds: float, renewed: bool) -> float:
    """Half the lease; after an error half as long as before, but at least a tenth of the lease."""
    return lease_seconds / 2 if renewed else max(previous / 2, lease_seconds / 10)


def poison_queue_name(queue_name: str) -> str | None:
    """None for a poison queue itself, or if the name would be too long for a queue (63 characters)."""
    name = f"{queue_name}-poison"
    return None if queue_name.endswith("-poison") or len(name) > 63 else name


def decode(text: str, encoding: str) -> bytes:
    """Decode a message's text. Raises ValueError if it should be base64 and is not.

    The SDK's decoding policy is not used: it raises on such a text, and the message itself is lost.
    """
    if encoding == "none":
        return text.encode("utf-8")
    try:
        # .NET's Convert.FromBase64String skips white space.
        return base64.b64decode(re.sub(r"[ \t\r\n]", "", text), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error

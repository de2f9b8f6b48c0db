"""Shared by the three services of one in-memory storage account: clock, numbers, faults, log."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar

from .errors import Refusal, as_generated

T = TypeVar("T")
Service = Literal["blob", "queue", "table"]


class Operation(NamedTuple):
    """One request to a service, as `Account.fault` sees it."""

    service: Service
    verb: str
    """The REST operation: `put_blob`, `receive_messages`, `submit_transaction`, ..."""
    target: str
    """What it acts on: `container/blob`, `queue`, `table/partition/row`."""
    when: Literal["before", "after"]

    def __str__(self) -> str:
        return f"{self.service} {self.verb} {self.target!r}"


Fault = Callable[[Operation], None]


class SentAgain(Exception):
    """Raised by `Account.fault` after a request: its answer is lost and the client's retry sends it again.

    The caller learns only the second answer: what it created "already exists", its message is in the queue twice.
    """


class Account:
    """One storage account. It does no I/O, uses no random numbers, and takes the time only from its clock.

    `fault` is called before a request takes effect and again afterwards. The caller of the client gets what it raises:
    before, nothing has happened; after, it has, but the caller does not learn it. Raise a `BaseException` for a crash,
    `azure.core.exceptions.ServiceResponseError` for a lost answer, `refused("ServerBusy", 503)` for a server's
    refusal, `SentAgain` for a retry inside the client. `fault` may use the account itself. A request that the service
    refuses has no "after".
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """`clock` gives the time, aware, in UTC."""
        self.now = clock
        self.fault: Fault | None = None
        self.log: list[str] = []
        """Every request so far and its error, if any: only names, for printing a schedule."""
        self._number = 0

    def now_on_the_wire(self) -> datetime:
        """The time in whole seconds, as in HTTP headers and XML bodies."""
        return self.now().replace(microsecond=0)

    def next_number(self) -> int:
        """A new number. ETags, message ids and pop receipts are made from it, so that runs are repeatable."""
        self._number += 1
        return self._number

    def request(
        self,
        service: Service,
        verb: str,
        target: str,
        effect: Callable[[], T],
        error: Callable[[Refusal], Exception] = as_generated,
    ) -> T:
        """Carry out `effect`, calling `fault` before and after it. `error` converts a refusal into an exception."""
        operation = Operation(service, verb, target, "before")
        while True:
            entry = len(self.log)
            self.log.append(str(operation))
            try:
                if self.fault is not None:
                    self.fault(operation)
                answer = effect()
                if self.fault is not None:
                    self.fault(Operation(service, verb, target, "after"))
            except SentAgain:
                self.log[entry] += " (answer lost, sent again)"
            except Refusal as refusal:
                self.log[entry] += f" -> {refusal.code}"
                raise error(refusal) from None
            except BaseException as fault:
                self.log[entry] += f" -> {type(fault).__name__}"
                raise
            else:
                return answer


TRANSPORT_OPTIONS = frozenset(
    {"timeout", "connection_timeout", "read_timeout", "retry_total", "retry_connect", "retry_read", "logging_enable"}
)
"""Options of a call that change how it travels, not what it does."""


def refuse_unknown(options: Mapping[str, Any], known: frozenset[str] = TRANSPORT_OPTIONS) -> None:
    """Fail loudly if the product uses what the in-memory storage does not simulate."""
    for name, value in options.items():
        if name not in known and value not in (None, False):
            raise NotImplementedError(f"the in-memory storage does not imitate {name}={value!r}")


def code_units(text: str) -> bytes:
    """A key that sorts `text` as the services do, by UTF-16 code unit: U+1F600 before U+FB01.

    Seen in Azurite, whose strings are JavaScript's; Azure documents no more than "lexical" order.
    """
    return text.encode("utf-16-be", "surrogatepass")

"""An operation, as its generation tells of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto


class Status(Enum):
    """How far an operation is; each generation has its own words for these."""

    NOT_STARTED = auto()
    RUNNING = auto()
    SUCCEEDED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an operation failed, as the service says it."""

    code: str
    message: str


UNREADABLE = Failure("2005", "Unable to read file.")
"""What a damaged file ended with (azure-sdk-for-python, formrecognizer, recording test_custom_form_damaged_file)."""

INTERNAL = Failure("InternalServerError", "An unexpected error occurred.")


@dataclass(frozen=True, slots=True)
class Operation:
    """One document on its way: replaced, not changed, as it goes on."""

    id: str
    created: datetime
    updated: datetime
    status: Status = Status.NOT_STARTED

"""An operation, as its generation reports it."""

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
    """Why an operation failed, or what went wrong in one that succeeded, in the service's words."""

    code: str
    message: str


UNREADABLE = "2005"
"""The code of a damaged file (azure-sdk-for-python, formrecognizer, recording test_custom_form_damaged_file)."""


def unreadable(why: str, page: int | None = None) -> Failure:
    """That the file, or a page of it, cannot be read; `why` is a sentence without a subject."""
    return Failure(UNREADABLE, f"Unable to read file: {f'page {page}' if page else 'it'} {why}.")


OVER_TIME = Failure("3013", "Operation exceeded maximum processing time.")
"""The error of a file that takes too long (azure-sdk-for-net #35719)."""

INTERNAL = Failure("InternalServerError", "An unexpected error occurred.")


def unknown_script(page: int) -> Failure:
    """The warning that a page's text is nonsense, in the emulator's own words: the service knows those scripts."""
    message = f"Page {page}: most text came out as nonsense, perhaps of a script that the Read emulator does not know."
    return Failure("UnknownScript", message)


@dataclass(frozen=True, slots=True)
class Operation:
    """A document that is being read. Immutable: progress makes a new one."""

    id: str
    created: datetime
    updated: datetime
    status: Status = Status.NOT_STARTED

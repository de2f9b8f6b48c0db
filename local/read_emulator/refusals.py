"""Reasons why the service rejects a document or cannot read it; each generation has its own words for them."""

from enum import Enum, auto


class Reason(Enum):
    """What is wrong with a request."""

    MEDIA_TYPE = auto()
    """A Content-Type that is neither JSON nor a document's."""
    BODY = auto()
    """A body that is not JSON, or does not say where the document is."""
    TWO_SOURCES = auto()
    """JSON that holds both a document and a URL."""
    URL_MALFORMED = auto()
    URL_UNREACHABLE = auto()
    PARAMETER = auto()
    """A query parameter, named by the subject, with an invalid value."""
    PAGES_BEYOND_END = auto()
    """A page range that contains no page of this document."""
    EMPTY = auto()
    TOO_MANY_BYTES = auto()
    NOT_A_DOCUMENT = auto()
    """A format that Read does not support (named by the subject, if recognised), a broken file, or one with a
    password: Read does not distinguish these."""
    TOO_FEW_PIXELS = auto()
    TOO_MANY_PIXELS = auto()


class Rejected(Exception):
    """The answer to the POST is an error, and nothing is read or billed."""

    def __init__(self, reason: Reason, subject: str = "") -> None:
        super().__init__(f"{reason.name} {subject}".strip())
        self.reason = reason
        self.subject = subject


class Unreadable(Exception):
    """A page cannot be decoded. Its text says why, as a sentence without a subject: "ends early"."""

    def __init__(self, why: str, size: tuple[float, float] | None = None) -> None:
        super().__init__(why)
        self.size = size
        """Width and height of the page in the document's unit, if the file still gives them."""


class OverBudget(Exception):
    """Decoding took more time than a file may cost."""

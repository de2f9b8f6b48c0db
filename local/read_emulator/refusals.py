"""Why the service takes no document, or cannot read one, whichever generation then says so in its own words."""

from enum import Enum, auto


class Reason(Enum):
    """What is wrong with a request."""

    MEDIA_TYPE = auto()
    """A Content-Type that is neither JSON nor a document's."""
    BODY = auto()
    """JSON that is none, or does not say where the document is."""
    TWO_SOURCES = auto()
    """JSON that holds a document and a URL as well."""
    URL_MALFORMED = auto()
    URL_UNREACHABLE = auto()
    PARAMETER = auto()
    """A query parameter, named by the subject, with a value that it does not take."""
    PAGES_BEYOND_END = auto()
    """A page range that holds no page of this document."""
    EMPTY = auto()
    TOO_MANY_BYTES = auto()
    NOT_A_DOCUMENT = auto()
    """A format that Read does not take (named by the subject, if it was recognised), a broken file, or one under a
    password: Read does not tell these apart."""
    TOO_FEW_PIXELS = auto()
    TOO_MANY_PIXELS = auto()


class Rejected(Exception):
    """The POST is answered with an error and nothing is read or billed."""

    def __init__(self, reason: Reason, subject: str = "") -> None:
        super().__init__(f"{reason.name} {subject}".strip())
        self.reason = reason
        self.subject = subject


class Unreadable(Exception):
    """A page cannot be decoded. Its text says why, as a sentence without a subject: "ends early"."""

    def __init__(self, why: str, size: tuple[float, float] | None = None) -> None:
        super().__init__(why)
        self.size = size
        """Width and height of the page in the document's unit, where the file still tells them."""


class OverBudget(Exception):
    """Decoding took more time than a file may cost."""

"""Why the service takes no document, whichever generation then says so in its own words."""

from enum import Enum, auto


class Reason(Enum):
    """What is wrong with a request."""

    MEDIA_TYPE = auto()
    """A Content-Type that is neither JSON nor a document's."""
    BODY = auto()
    """JSON that is none, or does not say where the document is."""
    URL_MALFORMED = auto()
    URL_UNREACHABLE = auto()
    PARAMETER = auto()
    """A query parameter, named by the subject, with a value that it does not take."""
    PAGES_BEYOND_END = auto()
    """A page range that holds no page of this document."""
    EMPTY = auto()
    TOO_MANY_BYTES = auto()
    NOT_A_DOCUMENT = auto()
    """A format that Read does not take, a broken file, or one under a password: Read does not tell these apart."""
    TOO_FEW_PIXELS = auto()
    TOO_MANY_PIXELS = auto()


class Rejected(Exception):
    """The POST is answered with an error and nothing is read or billed."""

    def __init__(self, reason: Reason, subject: str = "") -> None:
        super().__init__(f"{reason.name} {subject}".strip())
        self.reason = reason
        self.subject = subject


class Unreadable(Exception):
    """The document was accepted, and turns out to be damaged when its pages are decoded: the operation fails."""

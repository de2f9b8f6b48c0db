"""The fence: who may write a document's outputs."""

from collections.abc import Callable
from dataclasses import dataclass


class Superseded(Exception):
    """The document's row has gone over to another version or operation: what this one read is not written."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Who writes outputs: a version of a file and the operation that read it.

    ``still_ours`` re-reads the document's row and tells whether it is still about them. It is asked only where
    somebody else's output is found, never in the undisturbed case.
    """

    source_etag: str
    operation_id: str
    still_ours: Callable[[], bool]

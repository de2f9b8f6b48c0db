"""The fence: who may write a document's outputs."""

from collections.abc import Callable
from dataclasses import dataclass


class Superseded(Exception):
    """The document's row now belongs to another version or operation, so this run's result is not written."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Whose outputs are written: those of a version of a file and of the operation that read it.

    ``still_ours`` reads the document's row again and returns whether it still names both. It is called only if an
    output of another writer is found, so a document without such trouble costs no call.
    """

    source_etag: str
    operation_id: str
    still_ours: Callable[[], bool]

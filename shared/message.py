"""The queue message: a reason to look at a document, in JSON."""

import json
from dataclasses import asdict, dataclass

from shared.document import Document

VERSION = 1


class ForeignMessage(Exception):
    """A queue message is none of ours. The host moves it to the poison queue, where it is kept and can be read."""


class LaterMessage(Exception):
    """A queue message was written by a later version of this app; it is put back for that one."""


@dataclass(frozen=True, slots=True)
class Message:
    """A reason to look at a document. It directs nothing that the document's row does not confirm.

    ``claim`` is the claim of the row that it was sent for: once the row has moved on, the message is stale.
    """

    name: str
    etag: str | None = None
    look: int = 0
    operation: str | None = None
    write_id: str | None = None
    poisoned: int = 0
    """How often it came back from the poison queue."""
    slots: tuple[int, ...] = ()
    """What is reserved of Read's quota for this step and for the poll after it."""

    @classmethod
    def about(cls, document: Document, poisoned: int = 0, slots: tuple[int, ...] = ()) -> "Message":
        """The message that brings this document's next step."""
        return cls(
            document.name,
            document.source_etag,
            document.polls + 1,
            document.operation_url,
            document.write_id,
            poisoned,
            slots,
        )

    @classmethod
    def from_json(cls, text: bytes) -> "Message":
        """Raises ForeignMessage, or LaterMessage."""
        try:
            fields = json.loads(text)
            version, name = fields["v"], fields["name"]
            name.encode()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ForeignMessage("the message is not JSON with a version and a document's name") from None
        if isinstance(version, int) and version > VERSION:
            raise LaterMessage(f"the message is of version {version}")
        counts = [fields.get(key, 0) for key in ("look", "poisoned")]
        texts = [fields.get(key) for key in ("etag", "operation", "write_id")]
        if (
            version != VERSION
            or not 0 < len(name) <= 4096
            or not all(type(count) is int for count in counts)
            or not all(isinstance(value, str | None) for value in texts)
        ):
            raise ForeignMessage("the message has not the fields of a document's next step")
        (look, poisoned), (etag, operation, claim) = counts, texts
        return cls(name, etag, look, operation, claim, poisoned, _slots(fields.get("slots")))

    def to_json(self) -> str:
        """Under 14 KiB for any name that a blob can have."""
        fields = {key: value for key, value in asdict(self).items() if value}
        return json.dumps({"v": VERSION, **fields})


def _slots(value: object) -> tuple[int, ...]:
    """What is reserved, as far as it can be read: a slot that is lost is reserved anew."""
    if not isinstance(value, list):
        return ()
    return tuple(slot for slot in value[:2] if type(slot) is int and 0 <= slot < 2**53)

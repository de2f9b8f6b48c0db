"""The queue message: a reason to look at a document's row, in JSON."""

import json
from dataclasses import asdict, dataclass

from shared.document import Document

VERSION = 1


class ForeignMessage(Exception):
    """This app did not write the message. The host moves it to the poison queue, where it is kept and can be read."""


class LaterMessage(Exception):
    """A later version of this app wrote the message. It is requeued for an instance of that version."""


@dataclass(frozen=True, slots=True)
class Message:
    """A reason to look at a document. It directs nothing that the document's row does not confirm.

    ``write_id`` is the one of the row that it was sent for: when the row has a newer one, the message is stale.
    ``operation`` is for people, who look for it in the queue; the app uses the row's.
    """

    name: str
    etag: str | None = None
    operation: str | None = None
    write_id: str | None = None
    slots: tuple[int, ...] = ()
    """The slots of Read's quota that are reserved for this step and for the poll after it."""
    trace: str | None = None
    """The row's TraceId, for people who look for it in the queue."""

    @classmethod
    def about(cls, document: Document, slots: tuple[int, ...] = ()) -> "Message":
        """The message that brings this document's next step."""
        return cls(
            document.name, document.source_etag, document.operation_url, document.write_id, slots, document.trace_id
        )

    @classmethod
    def from_json(cls, body: bytes) -> "Message":
        """Raises ForeignMessage, or LaterMessage."""
        try:
            fields = json.loads(body.decode())  # json takes UTF-16 as well, which no version of this app writes
            version, name = fields["v"], fields["name"]
            name.encode()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ForeignMessage("the message is not JSON with a version and a document's name") from None
        if isinstance(version, int) and version > VERSION:
            raise LaterMessage(f"the message is of version {version}")
        texts = [fields.get(key) for key in ("etag", "operation", "write_id", "trace")]
        if version != VERSION or not 0 < len(name) <= 4096 or not all(isinstance(value, str | None) for value in texts):
            raise ForeignMessage("the message lacks the fields of a document's next step")
        etag, operation, write_id, trace = texts
        return cls(name, etag, operation, write_id, _slots(fields.get("slots")), trace)

    def to_json(self) -> str:
        """Under 14 KiB for any name that a blob can have."""
        fields = {key: value for key, value in asdict(self).items() if value}
        return json.dumps({"v": VERSION, **fields})


def _slots(value: object) -> tuple[int, ...]:
    """The reserved slots that can be read. If one is lost, the step reserves another."""
    if not isinstance(value, list):
        return ()
    return tuple(slot for slot in value[:2] if type(slot) is int and 0 <= slot < 2**53)

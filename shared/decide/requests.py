"""The rows for what a person asks for by name: read a file again, or forget it."""

from datetime import datetime

from shared.decide.ending import slow_writers_until
from shared.decide.poll import RESULT_KEPT
from shared.decide.submit import described, requested
from shared.document import Document, Status, Version
from shared.read.generation import ReadOptions
from shared.settings import Settings

_APP_ERRORS = frozenset({"ProcessingFailed", "RowEdited"})
"""Error codes after which Read may still keep the paid result."""

_KEPT = ("source_etag", "content_md5", "content_length", "uploaded_at", "output_container", "lines_table")
"""The fields that say which version of the file the row is about, and where its outputs are."""


def requested_again(document: Document | None, name: str, now: datetime, settings: Settings) -> Document | None:
    """The row of a document that a person wants read, for the first time or again. None if it is being read just now.

    If the app failed to take in a result that Read still keeps, the result is fetched, and nothing is paid again.
    """
    if document is None:
        return Document(name=name, status=Status.WAITING, requested_by_name=True, due_at=now)
    if not document.status.final and not (document.status is Status.WAITING and not document.operation_url):
        return None
    if (
        document.status is Status.FAILED
        and document.error_code in _APP_ERRORS
        and document.operation_url
        and document.submitted_at
        and now - document.submitted_at < RESULT_KEPT
    ):
        return document.evolve(
            status=Status.WAITING, requested_by_name=True, due_at=now, completed_at=None, attempts=0, not_found_polls=0
        )
    return Document(
        name=name,
        status=Status.WAITING,
        requested_by_name=True,
        due_at=now,
        **{field: getattr(document, field) for field in (*_KEPT, *requested(ReadOptions()))},
        submits=document.submits,
        clean_up_at=slow_writers_until(document, now, settings),
    )


def forgotten(
    document: Document | None, name: str, version: Version | None, now: datetime, settings: Settings
) -> Document:
    """The row of a forgotten document. It names the version that storage holds now, so that this is not read again."""
    known = document or Document(name=name, status=Status.IGNORED)
    if version is not None:
        known = known.evolve(**described(version))
    slow_until = slow_writers_until(known, now, settings) if document is not None else now + settings.claim_length
    return Document(
        name=name,
        status=Status.IGNORED,
        forgotten=True,
        warning="Forgotten on request: it is read again only if that is asked for, or its content changes.",
        **{field: getattr(known, field) for field in _KEPT},
        completed_at=now,
        clean_up_at=slow_until if slow_until > now else None,
        due_at=slow_until if slow_until > now else None,
    )

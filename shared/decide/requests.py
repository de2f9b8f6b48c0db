"""What a person asks for by name: read it again, forget it."""

from datetime import datetime

from shared.decide.ending import slow_writers_until
from shared.decide.poll import RESULT_KEPT
from shared.decide.submit import requested
from shared.document import Document, Status, Version
from shared.read.generation import ReadOptions
from shared.settings import Settings

_APP_ERRORS = frozenset({"ProcessingFailed", "RowEdited"})
"""Codes of failures after which Read may still hold the paid result."""


def requested_again(document: Document | None, name: str, now: datetime, settings: Settings) -> Document | None:
    """The row of a document that a person wants read, again or at all; None if it is being read just now.

    Where an error of the app lost a result that Read still keeps, that is fetched before anything is paid again.
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
        source_etag=document.source_etag,
        content_md5=document.content_md5,
        content_length=document.content_length,
        uploaded_at=document.uploaded_at,
        **{field: getattr(document, field) for field in requested(ReadOptions())},
        submits=document.submits,
        output_container=document.output_container,
        lines_table=document.lines_table,
        clean_up_at=slow_writers_until(document, now, settings),
    )


def forgotten(
    document: Document | None, name: str, version: Version | None, now: datetime, settings: Settings
) -> Document:
    """The row that keeps a file forgotten, in the version that storage holds now, while all else of it is removed."""
    known = document or Document(name=name, status=Status.IGNORED)
    if version is not None:
        known = known.evolve(
            source_etag=version.etag,
            content_md5=version.md5,
            content_length=version.length,
            uploaded_at=version.uploaded_at,
        )
    slow_until = slow_writers_until(known, now, settings) if document is not None else now + settings.claim_length
    return Document(
        name=name,
        status=Status.IGNORED,
        forgotten=True,
        warning="Forgotten on request: it is read again only if that is asked for, or its content changes.",
        source_etag=known.source_etag,
        content_md5=known.content_md5,
        content_length=known.content_length,
        uploaded_at=known.uploaded_at,
        output_container=known.output_container,
        lines_table=known.lines_table,
        completed_at=now,
        clean_up_at=slow_until if slow_until > now else None,
        due_at=slow_until if slow_until > now else None,
    )

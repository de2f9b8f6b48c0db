"""Store a result: Read's JSON, the blobs of all writers, and the lines; only then the row, which says so."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from azure.core.exceptions import AzureError

from shared import decide, log
from shared.assembly import Services
from shared.carry_out import carry_out, fence_of
from shared.document import Document
from shared.errors import SourceChanged, SourceMissing
from shared.keys import lines_key, output_name
from shared.outputs.lines import rows_of
from shared.outputs.pages import PagesWriter
from shared.outputs.text import TextWriter
from shared.page_count import FREE_TIER_PAGES, SEVERAL_PAGES, page_count, shortfall
from shared.read.answers import Arriving, Succeeded
from shared.read.generation import Generation
from shared.read.generations import generation_or
from shared.read.json_walk import Answer, StoredAnswer, WholeAnswer
from shared.read.result import Result, ResultNotUnderstood, Summary
from shared.storage.outputs import Upload

_NO_TEXT = "Read found no text in this file."


def store(
    services: Services, document: Document, answer: Succeeded | Arriving, called: log.Called | None = None
) -> None:
    """Store a result: JSON, text, pages and lines, then the row.

    A large result is never whole in memory, only a page and a block of it: its JSON goes to the blob as it arrives, and
    the pages are read from there. Raises ResultNotUnderstood, BrokenOff, Conflict or Superseded.
    """
    generation = generation_or(document.api_version, services.settings.generation)
    fence = fence_of(services, document)
    settings, name = services.settings, document.name
    marks = {"api_version": document.api_version or ""}
    result_blob = output_name(name, ".json")
    body = services.outputs.put(result_blob, "application/json", marks, fence)
    result, stored = _keep(services, generation, answer, body, result_blob)
    text, pages = TextWriter(), PagesWriter()
    uploads = {
        writer: services.outputs.put(output_name(name, writer.extension), writer.content_type, marks, fence)
        for writer in (text, pages)
    }
    summary = Summary()

    def rows() -> Iterator[dict[str, Any]]:
        offset = 0
        for page in result.pages(stored):
            uploads[text].write(text.page(page))
            line = pages.page(page)
            uploads[pages].write(line)
            summary.add(page)
            yield from rows_of(page, name, offset, len(line))
            offset += len(line)

    key = lines_key(settings.input_container, name)
    services.lines.write(key, fence, rows())
    for upload in uploads.values():
        upload.commit()
    outputs = decide.Outputs(
        container=settings.output_container,
        result_blob=result_blob,
        text_blob=output_name(name, text.extension),
        pages_blob=output_name(name, pages.extension),
        lines_table=settings.lines_table,
        lines_key=key,
    )
    pages_in_file = _pages_in_file(services, document, summary.page_count, generation.most_pages)
    transition = decide.after_result(
        document.evolve(pages_in_file=pages_in_file),
        summary,
        outputs,
        services.now(),
        model_version=result.model_version,
        warning=_warning(summary, result, pages_in_file, generation),
    )
    carry_out(services, document, transition, called=called)


def adopt_outputs(services: Services, document: Document, adopted: Document) -> None:
    """Mark the outputs of a document as those of a new version with the same content, then write the row.

    Raises Superseded or Conflict if the outputs or the row have changed meanwhile.
    """
    fence = fence_of(services, document)
    outputs, lines = services.places_of(document)
    for blob in (document.result_blob, document.text_blob, document.pages_blob):
        if blob:
            outputs.adopt(blob, fence, adopted.source_etag or "")
    if document.lines_key:
        lines.adopt(document.lines_key, fence, adopted.source_etag or "")
    carry_out(services, document, decide.Transition(adopted))


def _keep(
    services: Services, generation: Generation, answer: Succeeded | Arriving, body: Upload, name: str
) -> tuple[Result, Answer]:
    """Put Read's answer into its blob, byte for byte. Returns the result, and the answer to read its pages from."""
    if isinstance(answer, Succeeded):
        stored: Answer = WholeAnswer(answer.answer)
        result = generation.parse(stored)
        body.write(answer.body)
        body.commit()
        return result, stored
    with closing(answer):
        answer.keep = body.write
        try:
            result = generation.parse(answer)
        except ResultNotUnderstood:
            answer.finish()  # raises BrokenOff if that was the reason
            raise
    etag = body.commit()
    return result, StoredAnswer(lambda: services.outputs.get(name, etag))


def _pages_in_file(services: Services, document: Document, read: int, most_pages: int) -> int | None:
    """The number of pages in the file, if Read may have left some out: it read exactly as many as one of its limits.

    None in all other cases: a choice of pages was asked for, the file cannot be counted, the count is lower than what
    was read, or the file has changed.
    """
    is_cut = read in (FREE_TIER_PAGES, most_pages) and not document.requested_pages
    if not is_cut or document.file_type not in SEVERAL_PAGES or not document.content_length:
        return None
    name, etag = document.name, document.source_etag or ""
    try:
        found = page_count(document.content_length, lambda offset, size: services.inbox.range(name, etag, offset, size))
        return found if found is not None and found >= read else None
    except (AzureError, SourceChanged, SourceMissing):
        return None


def _warning(summary: Summary, result: Result, pages_in_file: int | None, generation: Generation) -> str | None:
    """What a reader should know about the result: it has no text, or Read left pages out or could not read them."""
    empty = None if summary.line_count else _NO_TEXT
    missing = shortfall(summary.page_count, pages_in_file, generation.most_pages)
    return " ".join(filter(None, (empty, missing, *result.warnings)))[:4000] or None

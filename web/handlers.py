"""What each data route does, in a function with the route's name. serve.py answers storage's own errors."""

import json
import mimetypes
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from shared import entries, tasks
from shared.document import Document, Status
from shared.errors import SourceChanged, SourceMissing
from shared.keys import is_unlistable, is_unsafe
from shared.library import OutputMissing
from shared.loopback import is_loopback
from shared.shortcut import is_shortcut
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded
from shared.storage.links import LIFE, READ, WRITE
from shared.storage.listing import InvalidContinuation
from web import shapes
from web.caching import etag_of, matches
from web.context import Context
from web.message import Request, Response
from web.page_image import SECONDS, PageNotDrawable, TooManyDrawings
from web.problem import Problem
from web.routes import PREFIX

READING_LIFE = timedelta(minutes=15)
"""How long a link for reading is valid."""

_DRAWN_BY = "1"
"""Part of every picture's ETag. Change it when pages are drawn differently."""

_LONGEST_QUOTED = 300

_AT_ONCE = 8
"""How many rows are read at a time when a request names documents."""


def documents(context: Context, asked: shapes.DocumentsRequest, _: Request) -> shapes.Documents:
    """One part of the list."""
    if asked.names:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda name: _summary(context, name), asked.names)
        return shapes.Documents(value=list(found), next_link=None, continuation=None)
    status = str(asked.status) if asked.status else None
    prefix = _ours(context, asked.prefix)
    if prefix is None:
        return shapes.Documents(value=[], next_link=None, continuation=None)
    try:
        part = context.library.documents(prefix, status, limit=asked.limit, continuation=asked.continuation)
    except InvalidContinuation as error:
        raise Problem("InvalidContinuation", str(error)) from None
    parameters = {"prefix": asked.prefix, "status": status, "limit": asked.limit}
    return shapes.Documents(
        value=[_shown(entry) for entry in part.entries],
        next_link=_next("documents", parameters, part.continuation),
        continuation=part.continuation,
    )


def counts(context: Context, asked: shapes.CountsRequest, _: Request) -> shapes.Counts:
    """How many documents have a prefix, by status."""
    prefix = _ours(context, asked.prefix)
    found: Mapping[str, int] = {} if prefix is None else context.library.counts(prefix).by_status
    by_status = {status: found.get(status, 0) for status in (*Status, entries.TROUBLE)}
    return shapes.Counts(files=sum(by_status.values()), by_status=shapes.ByStatus(**by_status))


def document(context: Context, asked: shapes.NameRequest, request: Request) -> Response | shapes.Document:
    """One document. Its ETag is that of its row, so polling for a change costs one read of a row and sends no text."""
    found = context.library.document(asked.name) if _is_ours(context, asked.name) else None
    if found is None:
        raise _not_found(asked.name)
    summary = _shown(entries.Summary.of(found))
    known: dict[str, Any] = {field: getattr(summary, field) for field in ("name", *_SUMMARY)}
    if isinstance(found, entries.Trouble):
        return shapes.Document(**known, **_NOTHING, has_pages=False, etag=etag_of(found.error_message).strip('"'))
    etag = etag_of(found.row_etag)
    if matches(request, etag):
        return Response(status=304, headers={"ETag": etag})
    answer = shapes.Document(
        **known,
        **{field: getattr(found, field) for field in _NOTHING},
        has_pages=found.status is Status.SUCCEEDED and found.pages_blob is not None,
        etag=etag.strip('"'),
    )
    return _json(answer, etag)


_NOTHING: dict[str, Any] = {
    "text": None,
    "text_truncated": None,
    "source_etag": None,
    "content_length": None,
    "api_version": None,
    "model_version": None,
    "requested_language": None,
    "requested_pages": None,
    "submits": 0,
    "polls": 0,
}
"""The fields of a document beyond its summary, for a row that cannot be read."""


def lines(context: Context, asked: shapes.LinesRequest, _: Request) -> shapes.Lines:
    """One part of a document's lines."""
    found = _read(context, asked.name)
    try:
        part = context.library.lines(found, asked.page, limit=asked.limit, continuation=asked.continuation)
    except InvalidContinuation as error:
        raise Problem("InvalidContinuation", str(error)) from None
    parameters = {"name": asked.name, "page": asked.page, "limit": asked.limit}
    return shapes.Lines(
        value=[
            shapes.Line(
                page=line.page,
                line=line.line,
                text=line.text,
                bounding_box=list(line.bounding_box) if line.bounding_box else None,
                unit=line.unit,
                confidence=line.confidence,
                handwritten=line.handwritten,
                language=line.language,
            )
            for line in part.entries
        ],
        next_link=_next("lines", parameters, part.continuation),
        continuation=part.continuation,
    )


def page(context: Context, asked: shapes.PageRequest, request: Request) -> Response:
    """One page, as it is stored."""
    found = _read(context, asked.name)
    etag = _etag_of_page(found, asked.page)
    if matches(request, etag):
        return Response(status=304, headers={"ETag": etag})
    return Response(headers={"ETag": etag}, body=_page(context, found, asked.page))


def page_image(context: Context, asked: shapes.PageImageRequest, request: Request) -> Response:
    """An image of one page, drawn from the version of the file that was read."""
    found = _read(context, asked.name)
    etag = _etag_of_page(found, asked.page, _DRAWN_BY, str(asked.width))
    if matches(request, etag):
        return Response(status=304, headers={"ETag": etag})
    if is_shortcut(asked.name):
        raise Problem("PageNotDrawable", "The file is a link. Read fetched what it points to, and no copy is kept.")
    layout = json.loads(_page(context, found, asked.page))
    size = layout.get("width"), layout.get("height")
    if not all(isinstance(side, int | float) and side > 0 for side in size):
        raise Problem("PageNotDrawable", "Read does not say how large this page is.")

    def read(offset: int, length: int) -> bytes:
        return context.services.inbox.range(found.name, found.source_etag or "", offset, length)

    try:
        picture = context.drawer.draw(asked.page, asked.width, size, found.content_length or 0, read)
    except PageNotDrawable as error:
        raise Problem("PageNotDrawable", str(error)) from None
    except TooManyDrawings:
        detail = f"Other pages are being drawn; each takes at most {SECONDS:g} seconds."
        raise Problem("TooManyDrawings", detail, headers={"Retry-After": "1"}) from None
    except (SourceChanged, SourceMissing):
        if context.services.inbox.version(found.name) is None:
            raise Problem("SourceNotFound", "The file was deleted.") from None
        raise Problem("SourceChanged", "The file was overwritten after it was read.") from None
    return Response(headers={"ETag": etag}, body=picture.body, media_type=picture.media_type)


def links(context: Context, asked: shapes.NameRequest, _: Request) -> shapes.Links:
    """Links to a document's blobs."""
    _check_name(context, asked.name)
    found = context.library.document(asked.name)
    if found is None:
        raise _not_found(asked.name)
    expires_at = context.now() + READING_LIFE
    file = context.services.inbox.version(asked.name)
    container = context.settings.input_container

    def link(container: str, blob: str | None, name: str | None = None) -> str | None:
        if not blob:
            return None
        shown = (name or blob).rsplit("/", 1)[-1]
        signed = context.signer.link(container, blob, READ, READING_LIFE, _attachment(shown))
        if signed is None:
            raise Problem("LinksUnavailable", "The app has no credential that can sign a link.")
        return signed

    source = link(container, asked.name if file else None)
    if isinstance(found, entries.Trouble) or found.status is not Status.SUCCEEDED:
        return shapes.Links(source=source, text=None, json=None, pages=None, expires_at=expires_at)
    outputs = found.output_container or context.settings.output_container
    return shapes.Links(
        source=source,
        text=link(outputs, found.text_blob),
        json=link(outputs, found.result_blob),
        pages=link(outputs, found.pages_blob),
        expires_at=expires_at,
    )


def uploads(context: Context, asked: shapes.UploadRequest, _: Request) -> Response:
    """A link to upload one blob."""
    _check_name(context, asked.name)
    headers = {
        "x-ms-blob-type": "BlockBlob",
        "content-type": mimetypes.guess_type(asked.name)[0] or "application/octet-stream",
    }
    for name, value in asked.metadata.items():
        # Names are those of C# identifiers, values those of HTTP headers (REST API, Setting and retrieving properties
        # and metadata).
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name) or not re.fullmatch(
            r"[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?", value
        ):
            raise Problem("InvalidParameter", f"Storage does not accept the metadata {name[:100]!r}.")
        headers[f"x-ms-meta-{name}"] = value
    url = context.signer.link(context.settings.input_container, asked.name, WRITE, LIFE)
    if url is None:
        raise Problem("LinksUnavailable", "The app has no credential that can sign a link.")
    if is_loopback(url) and is_unlistable(asked.name):  # it would make every later listing of Azurite fail
        raise Problem("UnsafeName", "The name has a character that Azurite cannot list.")
    answer = shapes.Upload(name=asked.name, url=url, method="PUT", headers=headers, expires_at=context.now() + LIFE)
    return _json(answer, status=201, caches=False)


def read_again(context: Context, asked: shapes.NameRequest, _: Request) -> Response:
    """Have a document read again."""
    _check_name(context, asked.name)
    location = {"Operation-Location": f"{PREFIX}/document?{_query({'name': asked.name})}", "Retry-After": "2"}
    if context.library.document(asked.name) is None and context.services.inbox.version(asked.name) is None:
        raise _not_found(asked.name)
    try:
        taken = tasks.again(context.services, asked.name)
    except (Conflict, Superseded):
        raise _busy() from None
    if not taken:
        raise Problem("AlreadyBeingRead", "The document is being read.", headers=location)
    return Response(status=202, headers={**location, "Cache-Control": "no-store"})


def forget(context: Context, asked: shapes.ForgetRequest, _: Request) -> Response:
    """Delete everything about a document."""
    try:
        tasks.forget(context.services, asked.name, keep_file=asked.keep_file)
    except tasks.NotInInbox as error:
        raise Problem("NotInInbox", str(error)) from None
    except (Conflict, Superseded):
        raise _busy() from None
    return Response(status=204, headers={"Cache-Control": "no-store"})


def check(context: Context, asked: None, _: Request) -> shapes.Findings:  # noqa: ARG001 - it takes no parameters
    """Check the app's settings, storage and Read."""
    from shared import check as checks

    findings = [checks.settings_are_right(context.settings), *checks.check(context.services)]
    return shapes.Findings(
        value=[
            shapes.Finding(name=each.name, ok=each.ok, message=each.message, advice=each.advice) for each in findings
        ]
    )


def _summary(context: Context, name: str) -> shapes.Summary:
    found = context.library.summary(name) if _is_ours(context, name) else None
    return _shown(found) if found else shapes.Summary(name=name, **dict.fromkeys(_SUMMARY))


_SUMMARY = [field for field in shapes.Summary.__dataclass_fields__ if field != "name"]


def _shown(entry: entries.Summary) -> shapes.Summary:
    known = {field: getattr(entry, field) for field in _SUMMARY}
    return shapes.Summary(name=entry.name, **{**known, "status": shapes.ShownStatus(entry.status)})


def _read(context: Context, name: str) -> Document:
    """A document that has succeeded. Raises Problem."""
    found = context.library.document(name) if _is_ours(context, name) else None
    if found is None:
        raise _not_found(name)
    if isinstance(found, entries.Trouble) or found.status is not Status.SUCCEEDED:
        status = entries.TROUBLE if isinstance(found, entries.Trouble) else str(found.status)
        raise Problem("NotRead", f"The document is {status}, so it has no lines and no pages.", advice=found.advice)
    return found


def _page(context: Context, found: Document, number: int) -> bytes:
    """A page's JSON. Raises Problem."""
    try:
        body = context.library.page(found, number)
    except OutputMissing as error:
        raise Problem("PageNotFound", str(error)) from None
    if body is None:
        raise Problem("PageNotFound", f"The document has no page {number}.")
    return body.rstrip()


def _etag_of_page(found: Document, number: int, *others: str) -> str:
    """An ETag of all that a page depends on, so a page that the caller has is neither read nor drawn."""
    return etag_of(found.source_etag, found.operation_id, str(number), *others)


def _is_ours(context: Context, name: str) -> bool:
    """Whether this app reads files with this name."""
    return context.settings.reads(context.settings.input_container, name)


def _ours(context: Context, prefix: str) -> str | None:
    """The prefix of the names that both match ``prefix`` and are read by this app; None if there are none."""
    own = context.settings.input_prefix
    if prefix.startswith(own):
        return prefix
    return own if own.startswith(prefix) else None


def _check_name(context: Context, name: str) -> None:
    """Raises Problem for a name that may not get a link."""
    if is_unsafe(name):
        raise Problem("UnsafeName", "A part of the name's path is '.' or '..'.")
    if not _is_ours(context, name):
        raise Problem("NotInInbox", f"The name does not start with {context.settings.input_prefix!r}.")


def _not_found(name: str) -> Problem:
    return Problem("DocumentNotFound", f"There is no document named {name!r}.")


def _busy() -> Problem:
    return Problem("Busy", "The document kept changing.", headers={"Retry-After": "5"})


def _json(answer: object, etag: str | None = None, status: int = 200, *, caches: bool = True) -> Response:
    from web.schema import to_json

    headers = {"ETag": etag} if etag else {}
    if not caches:
        headers["Cache-Control"] = "no-store"
    body = json.dumps(to_json(answer), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(status=status, headers=headers, body=body)


def _next(route: str, parameters: dict[str, str | int | None], continuation: str | None) -> str | None:
    if not continuation:
        return None
    given = {name: str(value) for name, value in parameters.items() if value not in (None, "")}
    return f"{PREFIX}/{route}?{_query({**given, 'continuation': continuation})}"


def _query(parameters: dict[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe="")


def _attachment(name: str) -> str:
    """A Content-Disposition that saves the file by name, so no browser runs it as a page (RFC 6266, RFC 8187)."""
    quoted = quote(name, safe="")
    # The link quotes it once more, and has the whole name in its path too.
    return f"attachment; filename*=UTF-8''{quoted}" if len(quoted) <= _LONGEST_QUOTED else "attachment"

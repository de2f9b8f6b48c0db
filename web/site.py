"""The page's own files. They hold no data, need no key, and have a strict Content-Security-Policy."""

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from shared.settings import StorageConnection
from web.caching import etag_of, matches
from web.message import Request, Response
from web.problem import Problem

_FOLDER = Path(__file__).with_name("page")

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""The kinds of files that are served."""


def site_file(request: Request, storage_origin: str, folder: Path = _FOLDER) -> Response:
    """A file of the page; index.html for an empty path. Raises Problem."""
    path = request.file or "index.html"
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", path):
        raise Problem("FileNotFound", "The page has no such file.")
    media_type = _TYPES.get(Path(path).suffix)
    found = _found(folder / path) if media_type else None
    if found is None or media_type is None:
        raise Problem("FileNotFound", "The page has no such file.")
    body, etag = found
    headers = {**security_headers(storage_origin), "ETag": etag, "Cache-Control": "no-cache"}
    if matches(request, etag):
        return Response(status=304, headers=headers, media_type=media_type)
    return Response(headers=headers, body=body, media_type=media_type)


def storage_origin(connection: StorageConnection) -> str:
    """Scheme and host of the account's blobs, where links lead. The SDK knows it too, but importing it is slow."""
    if connection.blob_url:
        url = connection.blob_url
    else:
        settings = dict(part.split("=", 1) for part in (connection.connection_string or "").split(";") if "=" in part)
        known = {name.strip().casefold(): value.strip() for name, value in settings.items()}
        if known.get("usedevelopmentstorage", "").casefold() == "true":
            url = "http://127.0.0.1:10000"
        else:
            url = known.get("blobendpoint") or (
                f"{known.get('defaultendpointsprotocol', 'https')}://{known.get('accountname', '')}.blob"
                f".{known.get('endpointsuffix', 'core.windows.net')}"
            )
    parts = urlsplit(url)
    # It goes into a header that separates its values by spaces and semicolons.
    return f"{parts.scheme}://{parts.netloc}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc) else ""


def security_headers(storage_origin: str) -> dict[str, str]:
    """Headers that let a browser run, load and contact only what belongs to the page."""
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        f"connect-src 'self' {storage_origin}".rstrip(),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No script may turn a string into markup or code.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _found(path: Path) -> tuple[bytes, str] | None:
    """A file and its ETag."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=256)
def _read(path: Path, changed: int) -> tuple[bytes, str]:  # noqa: ARG001 - so that a changed file is read again
    body = path.read_bytes()
    return body, etag_of(body)

"""ETags, and whether the caller already has the answer."""

import hashlib

from web.message import Request


def etag_of(*parts: str | bytes | None) -> str:
    """A strong ETag made from the parts of an answer, in quotes."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part or b""
        digest.update(len(data).to_bytes(8, "big") + data)
    return f'"{digest.hexdigest()[:32]}"'


def matches(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this ETag, by the weak comparison (RFC 9110, 13.1.2)."""
    given = request.headers.get("if-none-match", "")
    if given.strip() == "*":
        return True
    return etag in {each.strip().removeprefix("W/") for each in given.split(",")}

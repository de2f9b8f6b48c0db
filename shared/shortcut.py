"""Internet shortcuts: files ``*.url`` that name what is to be read, as browsers and Windows make them.

The format is that of INI files: a section ``[InternetShortcut]`` with a key ``URL``, in any case, in the system's
code page, UTF-8 or UTF-16, with or without a byte order mark. Where a URL has characters that the code page lacks,
Windows adds a section ``[InternetShortcut.W]`` with the whole of it in UTF-7.
(learn.microsoft.com/windows/win32/lwef/internet-shortcuts; wine, dlls/ieframe/intshcut.c)
"""

import re
from urllib.parse import quote, urlsplit, urlunsplit

MOST_BYTES = 64 * 1024
"""A shortcut has a few hundred bytes. A larger file is something else."""
MOST_CHARACTERS = 2083
"""The longest URL: INTERNET_MAX_URL_LENGTH of Windows (wininet.h)."""

_PLAIN, _WIDE = "internetshortcut", "internetshortcut.w"
_KEPT = "!#$%&'()*+,/:;=?@[]~"
"""Characters that stay as they are in a URL, beside letters, digits, and _.-. All others are written as %XX."""


class NotAShortcut(ValueError):
    """The file is not an Internet shortcut, or Read must not fetch its URL. The text says why, without the URL."""


def is_shortcut(name: str) -> bool:
    """Whether a file of this name is read from where it points."""
    return name.casefold().endswith(".url")


def target(content: bytes) -> str:
    """The URL that a shortcut points to: http or https, ASCII, of bounded length. Raises NotAShortcut."""
    if len(content) > MOST_BYTES:
        raise NotAShortcut(f"The file has more than {MOST_BYTES:,} bytes.")
    found = _urls(_decoded(content))
    url = found.get(_WIDE) or found.get(_PLAIN)
    if not url:
        raise NotAShortcut("The file has no section [InternetShortcut] with a URL.")
    return _checked(url)


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    for mark, encoding in ((b"[\0", "utf-16-le"), (b"\0[", "utf-16-be")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _urls(text: str) -> dict[str, str]:
    """The first URL of each of the two sections."""
    found: dict[str, str] = {}
    section = ""
    for line in re.split(r"\r\n|\r|\n", text):
        if heading := re.fullmatch(r"\s*\[([^\]]*)\]\s*", line):
            section = heading[1].strip().casefold()
        elif section in (_PLAIN, _WIDE) and (entry := re.fullmatch(r"\s*url\s*=(.*)", line, re.IGNORECASE)):
            value = entry[1].strip().strip('"').strip()
            found.setdefault(section, _from_utf7(value) if section == _WIDE else value)
    return found


def _from_utf7(value: str) -> str:
    try:
        return value.encode("ascii").decode("utf-7")
    except UnicodeError:
        return ""


def _checked(url: str) -> str:
    if len(url) > MOST_CHARACTERS:
        raise NotAShortcut(f"Its URL has more than {MOST_CHARACTERS:,} characters.")
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff\\]", url):
        raise NotAShortcut("Its URL has characters that no URL has.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except (ValueError, UnicodeError):
        raise NotAShortcut("Its URL is not one.") from None
    if parts.scheme not in ("http", "https"):
        raise NotAShortcut("Its URL does not begin with http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise NotAShortcut("Its URL holds a user name or a password.")
    if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", ascii_host):
        raise NotAShortcut("Its URL has no host.")
    address = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    rest = ("/" if not parts.path else quote(parts.path, safe=_KEPT), quote(parts.query, safe=_KEPT))
    return urlunsplit((parts.scheme, address if port is None else f"{address}:{port}", *rest, ""))

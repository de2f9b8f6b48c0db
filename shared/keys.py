"""Names and keys: what a blob's name becomes in tables and in the output container."""

import hashlib
import re
from collections.abc import Iterable

from shared.text import utf16_units

_KEY_LIMIT = 511
_CUT_AT = 446
_ESCAPED = re.compile(r"[:=%\\#?!~\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""U+2028 and U+2029 are line ends, which Azurite refuses in a batch."""
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def blob_name(name: str) -> str:
    """A name as storage keeps it, with slashes for backslashes (azure-sdk-for-js, pull request 5405).

    Every name from a person, a program or an event goes through here, so that no file has two names.
    """
    return name.replace("\\", "/")


def is_junk(name: str) -> bool:
    """Whether the name is clutter of an operating system or of Office, such as .DS_Store or ~$report.docx."""
    last = name.rsplit("/", 1)[-1]
    return not last or last.casefold() in _JUNK_NAMES or last.startswith(("._", "~$"))


def is_unsafe(name: str) -> bool:
    """Whether a path segment is ``.`` or ``..``. HTTP clients resolve those, with a SAS even into another container."""
    return any(segment in (".", "..") for segment in re.split(r"[/\\]", name))


def is_unlistable(name: str) -> bool:
    """Whether a name has a character that XML 1.0 cannot hold. A listing of blobs is XML.

    Azure lists such a name encoded; Azurite answers 500 to every listing of the container, from then on.
    """
    return _NOT_XML.search(name) is not None


def document_key(name: str) -> str:
    """The document's RowKey. It is readable and legal, no two names share it, and a folder is a range of keys.

    ``/`` becomes ``:``. Characters that a key cannot hold, or that are used as marks here, become ``=XX`` for each of
    their UTF-8 bytes.
    """
    return _fit(_tokens(name), name)


def worklist_key(name: str) -> str:
    """The RowKey of the document's worklist entry."""
    return "!" + document_key(name)


def lines_key(container: str, name: str) -> str:
    """The PartitionKey of the document's lines."""
    return _fit([container, ":", *_tokens(name)], name)


def output_name(name: str, extension: str, limit: int = 1024) -> str:
    """The name of an output blob: the file's name and ``.json`` or ``.txt``, cut and hashed where that is too long."""
    # A name that looks as if it were cut is cut too: it must not be the output of another, longer one.
    if utf16_units(name) + len(extension) <= limit and not re.search(r"~[0-9a-f]{64}\Z", name):
        return name + extension
    return _cut(list(name), limit - len(extension) - 65) + _digest(name) + extension


def _tokens(name: str) -> list[str]:
    return [":" if c == "/" else _ESCAPED.sub(_escape, c) for c in name]


def _escape(match: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in match[0].encode())


def _fit(tokens: list[str], name: str) -> str:
    key = "".join(tokens)
    return key if utf16_units(key) <= _KEY_LIMIT else _cut(tokens, _CUT_AT) + _digest(name)


def _cut(tokens: Iterable[str], limit: int) -> str:
    kept: list[str] = []
    units = 0
    for token in tokens:
        units += utf16_units(token)
        if units > limit:
            break
        kept.append(token)
    return "".join(kept)


def _digest(name: str) -> str:
    return "~" + hashlib.sha256(name.encode()).hexdigest()

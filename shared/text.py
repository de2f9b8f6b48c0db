"""Texts: lists in a sentence, and lengths in UTF-16 units, as Azure's table service counts them."""

from collections.abc import Sequence

TEXT_LIMIT = 32_000
"""UTF-16 units of a text column: the table service stores 32 Ki a string."""


def utf16_units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def listed(items: Sequence[str], last: str) -> str:
    """A list in a sentence: ``a, b and c``, where ``last`` is ``and``."""
    return f" {last} ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def truncate(text: str, limit: int = TEXT_LIMIT) -> str:
    """The start of a text: at most ``limit`` UTF-16 units, without half a surrogate pair at its end."""
    if utf16_units(text) <= limit:
        return text
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")

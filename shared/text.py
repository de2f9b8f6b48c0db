"""Texts in UTF-16 units, as Azure's table service counts them."""

TEXT_LIMIT = 32_000
"""UTF-16 units of a text column: the table service stores 32 Ki a string."""


def utf16_units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def truncate(text: str, limit: int = TEXT_LIMIT) -> str:
    """The start of a text, at most ``limit`` UTF-16 units and never half of a surrogate pair."""
    if utf16_units(text) <= limit:
        return text
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")

"""How long a text is in each of the indexes that Document Intelligence counts offsets in (``stringIndexType``)."""

import unicodedata
from collections.abc import Callable, Mapping


def length_in(index: str | None) -> Callable[[str], int]:
    """The function that measures a text in an index; one that is not known here is taken for the default."""
    return _LENGTHS.get(index or "", _text_elements)


def _utf16_code_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _text_elements(text: str) -> int:
    """Grapheme clusters as of Unicode 8.0.0, which the service's description names (UAX #29, revision 27).

    That version knows no emoji sequences, and joins regional indicators in runs of any length.
    """
    if text.isascii():
        return len(text) - text.count("\r\n")
    return sum(not _continues(before, here) for before, here in zip("\n" + text, text, strict=False))


def _continues(before: str, here: str) -> bool:
    """Whether there is no boundary between two neighbouring characters."""
    if here < "\u0300":
        return before == "\r" and here == "\n"
    if _is_regional_indicator(here):
        return _is_regional_indicator(before)
    if hangul := _hangul(here):
        return (_hangul(before), hangul) in _HANGUL_JOINED
    extends = here in _ALSO_EXTEND or unicodedata.category(here) in ("Mn", "Me", "Mc")
    return extends and unicodedata.category(before) not in ("Cc", "Zl", "Zp")


_ALSO_EXTEND = "\u200c\u200d\uff9e\uff9f\u0e33\u0eb3"
"""Joiners, half-width Japanese voicing marks, and the vowels am of Thai and Lao."""

_HANGUL_JOINED = frozenset(
    [("L", "L"), ("L", "V"), ("L", "LV"), ("L", "LVT"), ("LV", "V"), ("V", "V"), ("LV", "T"), ("V", "T"), ("LVT", "T"),
     ("T", "T")]
)  # fmt: skip


def _hangul(character: str) -> str | None:
    """A Hangul character's syllable type, or None for any other."""
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:
        return "LVT" if (code - 0xAC00) % 28 else "LV"
    for first, last, kind in _JAMO:
        if first <= code <= last:
            return kind
    return None


_JAMO = (
    (0x1100, 0x115F, "L"),
    (0xA960, 0xA97C, "L"),
    (0x1160, 0x11A7, "V"),
    (0xD7B0, 0xD7C6, "V"),
    (0x11A8, 0x11FF, "T"),
    (0xD7CB, 0xD7FB, "T"),
)


def _is_regional_indicator(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


_LENGTHS: Mapping[str, Callable[[str], int]] = {
    "textElements": _text_elements,
    "unicodeCodePoint": len,
    "utf16CodeUnit": _utf16_code_units,
}

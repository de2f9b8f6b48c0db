"""The language of a text, among some hundred (py3langid), named as Document Intelligence names it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

ENOUGH = 40
"""Letters that are needed to detect a paragraph's language; a shorter one gets its document's."""

SURE = 0.9
"""The confidence from which a paragraph's language may differ from its document's."""

LIKELY = 0.5

_NAMES = {"zh": "zh-Hans", "nb": "no", "nn": "no"}


def languages(texts: Sequence[str]) -> list[tuple[str, float] | None]:
    """The language of each paragraph of a document, with a confidence of 0 to 1; None where nothing tells it."""
    whole = _language(" ".join(texts))
    found = []
    for text in texts:
        own = _language(text) if _letters(text) >= ENOUGH else None
        found.append(own if own and own[1] >= SURE else whole)
    return found


def _language(text: str) -> tuple[str, float] | None:
    if not _letters(text):
        return None
    name, confidence = _identifier().classify(text)
    return (_NAMES.get(name, name), min(float(confidence), 1.0)) if confidence >= LIKELY else None


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # ships no types

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

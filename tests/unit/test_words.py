"""One word for each thing: replaced words do not come back. docs/glossary.md has the words to use."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

SAYS_INSTEAD = {
    r"stand-?ins?": "emulator: it emulates, as Azurite does for storage",
    r"unread markers?": "worklist entry: it lists work, and nobody reads it as read or unread",
    r"hand(s|ed|ing)? (it |them )?over": "enqueue, deliver or pass: each says what happens to a message",
    r"put(s|ting)? (off|back)": "defer or requeue for a step, refuse for Read's answer",
    r"debts?|owe[sd]?|owing": "tombstone, or what is still to be done: nobody lent anything",
    r"(each|every|first|further|next|one|another|slow) looks?": "poll: it is one GET of an operation",
    r"pace[drs]?": "rate limiter: that is what every neighbour calls it",
    r"booked|bookings?": "reserved, reservation: as slots are",
    r"five-minute clock": "sweep",
    r"(none|nobody|something)? ?of ours": "say whose: the app's, this process's",
    r"of which": "begin a new sentence, or use that",
    r"seconds added to read's own": "added latency",
}
"""Forbidden words, and what to say instead. Case does not matter, and in names an underscore is a space."""

ENDINGS = {".py", ".md", ".yml", ".toml", ".txt", ".bicep", ".js", ".html", ".css", ".sh", ".ps1"}
EXEMPT = {Path(__file__).relative_to(ROOT)}

WORDS = {re.compile(rf"\b({word})\b", re.IGNORECASE): instead for word, instead in SAYS_INSTEAD.items()}


def files() -> list[Path]:
    """The repository's own texts and sources. Skips without git, as in a downloaded archive."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the user's own git
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git repository")
    named = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    return [path for path in named if path.suffix in ENDINGS and path not in EXEMPT and (ROOT / path).is_file()]


def found_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, word and alternative for every forbidden word."""
    for number, line in enumerate(text.replace("_", " ").splitlines(), start=1):
        for word, instead in WORDS.items():
            if match := word.search(line):
                yield number, match[0], instead


def test_no_forbidden_word_comes_back() -> None:
    back = [
        f"{path}:{number}: {word!r}: {instead}"
        for path in files()
        for number, word, instead in found_in((ROOT / path).read_text(encoding="utf-8"))
    ]
    assert not back, "\n".join(back)


@pytest.mark.parametrize(
    "text", ["A stand-in.", "def hand_over():", "put_off = 1", "each look costs a call", "the pacer"]
)
def test_a_forbidden_word_is_found_in_texts_and_in_names(text: str) -> None:
    assert list(found_in(text))

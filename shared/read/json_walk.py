"""Walks a JSON answer part by part, whether it is in memory or too large for it.

The parts are the answer's members, those of its ``analyzeResult``, and the elements of lists among them, e.g. pages.
The json module decodes each part from as much of the text as it needs, so both ways give the same values.
"""

import codecs
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Path = tuple[str, ...]
Part = tuple[Path, Any]
"""The path of a part, and its value. A list comes empty, followed by its elements at the list's path and ELEMENT."""

ELEMENT = "*"
_ENTERED: Path = ("analyzeResult",)
"""The one object whose members are parts of their own. It comes empty, followed by its members."""

LARGEST_PART = 32 * 1024 * 1024
"""Characters. A dense page has some 100,000. A longer part is broken JSON, which must not fill the memory."""


class NotJson(Exception):
    """The answer is not a JSON object, or not a whole one."""


class Answer(Protocol):
    """A succeeded answer, which can be walked as often as needed."""

    def parts(self, without: Collection[Path] = ()) -> Iterator[Part]:
        """All parts, in order. Texts at the paths ``without`` may be left out. May raise NotJson."""
        ...


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """An answer in memory."""

    answer: Mapping[str, Any]

    def parts(self, without: Collection[Path] = ()) -> Iterator[Part]:  # noqa: ARG002 - it costs nothing here
        """See Answer."""
        return _parts_of(self.answer, ())


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that is stored. ``open`` returns its bytes from the start, in blocks."""

    open: Callable[[], Iterator[bytes]]

    def parts(self, without: Collection[Path] = ()) -> Iterator[Part]:
        """See Answer. Only one part at a time is in memory."""
        return walk(self.open(), without)


def elements(answer: Answer, path: Path, without: Collection[Path] = ()) -> Iterator[Any]:
    """The elements of one list."""
    wanted = (*path, ELEMENT)
    return (value for where, value in answer.parts(without) if where == wanted)


def outline(parts: Iterable[Part], takers: Mapping[Path, Callable[[Any], object]]) -> dict[str, Any]:
    """The answer with all lists empty. A list's elements are passed to its taker, if it has one, and not kept."""
    kept: dict[str, Any] = {}
    for path, value in parts:
        if path[-1] == ELEMENT:
            if taker := takers.get(path[:-1]):
                taker(value)
        else:
            (kept if len(path) == 1 else kept[path[0]])[path[-1]] = value
    return kept


def walk(blocks: Iterable[bytes], without: Collection[Path] = ()) -> Iterator[Part]:
    """The parts of a JSON text that comes in blocks. Texts at the paths ``without`` are left out.

    Raises NotJson, at the latest after the last part.
    """
    text = _Text(blocks)
    yield from _walk_object(text, (), without)
    if text.peek():
        raise NotJson("something follows the answer")


def _parts_of(container: Mapping[str, Any], path: Path) -> Iterator[Part]:
    for key, value in container.items():
        here = (*path, key)
        if here == _ENTERED and isinstance(value, Mapping):
            yield here, {}
            yield from _parts_of(value, here)
        elif isinstance(value, list):
            yield here, []
            inside = (*here, ELEMENT)
            yield from ((inside, element) for element in value)
        else:
            yield here, value


def _walk_object(text: "_Text", path: Path, without: Collection[Path]) -> Iterator[Part]:
    text.take("{")
    if text.peek() == "}":
        text.take("}")
        return
    while True:
        if text.peek() != '"':
            raise NotJson("a member has no name")
        here = (*path, text.value())
        text.take(":")
        opening = text.peek()
        if here == _ENTERED and opening == "{":
            yield here, {}
            yield from _walk_object(text, here, without)
        elif opening == "[":
            yield here, []
            yield from _walk_list(text, (*here, ELEMENT))
        elif opening == '"' and here in without:
            text.pass_over()
        else:
            yield here, text.value()
        if text.take(",}") == "}":
            return


def _walk_list(text: "_Text", inside: Path) -> Iterator[Part]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        text.peek()
        yield inside, text.value()
        if text.take(",]") == "]":
            return


class _Text:
    """A text that comes in blocks. It is held from the current position to the end of the latest block."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is not white space, or an empty text at the end."""
        while True:
            space = _SPACE.match(self._held, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def take(self, one_of: str) -> str:
        """The next character, which must be one of these. Raises NotJson."""
        character = self.peek()
        if not character or character not in one_of:
            raise NotJson(f"{' or '.join(one_of)} is missing")
        self._at += 1
        return character

    def value(self) -> Any:
        """The value that starts here."""
        while True:
            try:
                value, end = _decode(self._held, self._at)
            except (ValueError, RecursionError):
                if self._more():
                    continue
                raise NotJson("a value is broken") from None
            # A number at the end may go on: 1, 1.5, 1.5e3.
            if len(self._held) - end < _LONGEST_NUMBER and self._held[end : end + 1] not in _ENDS and self._more():
                continue
            self._at = end
            return value

    def pass_over(self) -> None:
        """Leave out the text in quotes that starts here."""
        self._at += 1
        while True:
            within = _WITHIN_QUOTES.match(self._held, self._at)
            self._at = within.end() if within else self._at
            if self._held[self._at : self._at + 1] == '"':
                self._at += 1
                return
            if not self._more():
                raise NotJson("a text has no end")

    def _more(self) -> bool:
        """Hold at least twice as much, so that a long part is not decoded too often. False if there is no more text."""
        held = self._held[self._at :]
        if len(held) > LARGEST_PART:
            raise NotJson("a part of the answer is larger than any page, or broken")
        parts, missing = [held], max(1, len(held))
        ended = False
        while missing > 0 and not ended:
            block = next(self._blocks, None)
            ended = block is None
            decoded = self._decode(block or b"", final=ended)
            parts.append(decoded)
            missing -= len(decoded)
        self._held, self._at = "".join(parts), 0
        return len(self._held) > len(held)

    def _decode(self, block: bytes, *, final: bool) -> str:
        if self._decoder is None:  # as json.loads does
            self._decoder = codecs.getincrementaldecoder(json.detect_encoding(block))("surrogatepass")
        try:
            return self._decoder.decode(block, final)
        except UnicodeDecodeError:
            raise NotJson("its characters are broken") from None


_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\n\r]*+")
_WITHIN_QUOTES = re.compile(r'(?:[^"\\\x00-\x1f]++|\\.)*+')
_ENDS = frozenset(",]}: \t\n\r")
_LONGEST_NUMBER = 512

"""Walking a JSON answer block by block gives the same as the json module gives for the whole."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.read import json_walk
from shared.read.json_walk import ELEMENT, NotJson, StoredAnswer, WholeAnswer, elements, outline, walk
from tests.support.results import parsed
from tests.unit.read.samples import VERSIONS, answer_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=15,
)
ANSWERS = st.dictionaries(st.text(), JSON, max_size=4) | st.fixed_dictionaries(
    {"analyzeResult": st.dictionaries(st.text(), JSON, max_size=4)}
)


def cut(text: str | bytes, size: int = 3) -> Iterator[bytes]:
    data = text.encode() if isinstance(text, str) else text
    return (data[at : at + size] for at in range(0, len(data), size))


@given(ANSWERS, st.integers(1, 20), st.sampled_from([None, 1]), st.booleans())
def test_an_answer_in_blocks_has_the_same_parts_as_in_memory(
    answer: dict[str, Any], size: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(answer, indent=indent, ensure_ascii=ascii_only)
    assert list(walk(cut(text, size))) == list(WholeAnswer(answer).parts())


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_generation_parses_the_same_in_blocks(version: str, size: int) -> None:
    answer = answer_of(version)
    in_blocks = parsed(version, StoredAnswer(lambda: cut(json.dumps(answer), size)))
    whole = parsed(version, answer)
    assert in_blocks.pages == whole.pages
    assert (in_blocks.language, in_blocks.model_version, in_blocks.warnings) == (
        whole.language, whole.model_version, whole.warnings
    )  # fmt: skip


@given(ANSWERS, st.data())
def test_an_answer_without_its_end_is_not_json(answer: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(answer, ensure_ascii=False).encode()
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(NotJson):
        list(walk(cut(text[:end])))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 2}', '{"a":1}}', '{"a":1}{}', '{"a":[1,]}',
        '{"a":[1 2]}', '{a:1}', '{"a":1.}', '{"a":01}', '{"a":"\n"}', '{"a":tru}', "<html>", '{"a":[}', '{1:2}',
    ],
)  # fmt: skip
def test_an_answer_that_the_json_module_refuses_is_refused(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(NotJson):
        list(walk(cut(text, 1)))


@pytest.mark.parametrize("text", ["[]", "1", '"status"', "null"])
def test_json_that_is_not_an_object_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        list(walk(cut(text, 1)))


def test_invalid_utf_8_is_refused() -> None:
    with pytest.raises(NotJson):
        list(walk([b'{"a":"\xff"}']))


def test_half_a_surrogate_pair_and_long_numbers_are_accepted_as_json_does() -> None:
    text = '{"a":"\\ud83d","b":' + "1" * 400 + ',"c":-1.5e3}'
    assert list(walk(cut(text, 1))) == list(WholeAnswer(json.loads(text)).parts())


def test_a_byte_order_mark_is_skipped() -> None:
    assert list(walk([b'\xef\xbb\xbf{"a":1}'])) == [(("a",), 1)]


@given(st.text(), st.integers(1, 5))
def test_a_text_that_is_not_needed_is_skipped(text: str, size: int) -> None:
    answer = json.dumps({"analyzeResult": {"content": text, "pages": [1]}})
    assert list(walk(cut(answer, size), [("analyzeResult", "content")])) == [
        (("analyzeResult",), {}),
        (("analyzeResult", "pages"), []),
        (("analyzeResult", "pages", ELEMENT), 1),
    ]


def test_a_text_that_is_not_needed_is_not_kept_in_memory() -> None:
    blocks = [b'{"content":"', *[b"x" * 1000] * 100, b'","a":1}']
    text = json_walk._Text(blocks)
    text.take("{")
    text.value()
    text.take(":")
    text.peek()
    text.pass_over()
    assert len(text._held) <= 1000


def test_an_endless_part_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_walk, "LARGEST_PART", 1000)
    asked = 0

    def blocks() -> Iterator[bytes]:
        nonlocal asked
        yield b'{"a":"'
        while True:
            asked += 1
            yield b"x" * 100

    with pytest.raises(NotJson):
        list(walk(blocks()))
    assert asked < 50


def test_an_outline_omits_the_elements_and_yields_the_requested_ones() -> None:
    answer = {"status": "succeeded", "analyzeResult": {"pages": [1, 2], "styles": [3]}}
    taken: list[int] = []
    kept = outline(WholeAnswer(answer).parts(), {("analyzeResult", "pages"): taken.append})
    assert (kept, taken) == ({"status": "succeeded", "analyzeResult": {"pages": [], "styles": []}}, [1, 2])


def test_elements_come_from_one_list_only() -> None:
    answer = {"analyzeResult": {"pages": [1, 2], "styles": [3]}, "pages": [4]}
    assert list(elements(WholeAnswer(answer), ("analyzeResult", "pages"))) == [1, 2]

"""Document Intelligence assigns words, handwriting and languages to lines only by spans."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.read.result import Line, ResultNotUnderstood
from tests.support.results import Read, parsed

INDEXES = ["textElements", "unicodeCodePoint", "utf16CodeUnit"]


def span(offset: int, length: int) -> dict[str, int]:
    return {"offset": offset, "length": length}


def word(text: str, offset: int, length: int | None = None) -> dict[str, Any]:
    return {"content": text, "span": span(offset, len(text) if length is None else length), "confidence": 0.5}


def line(text: str, *spans: tuple[int, int]) -> dict[str, Any]:
    return {"content": text, "polygon": [0, 0, 9, 0, 9, 9, 0, 9], "spans": [span(*each) for each in spans]}


def parse(*pages: dict[str, Any], **rest: Any) -> Read:
    return parsed("2024-11-30", {"analyzeResult": {"pages": list(pages), **rest}})


def lines_of(result: Read) -> list[list[str]]:
    return [[each.text for each in page.lines] for page in result.pages]


def words_of(each: Line) -> list[str]:
    return [found.text for found in each.words]


# Words


def test_a_line_has_the_words_in_its_span() -> None:
    words = [word("Dear", 0), word("John,", 5), word("thanks", 11)]
    (page,) = parse(
        {"pageNumber": 1, "words": words, "lines": [line("Dear John,", (0, 10)), line("thanks", (11, 6))]}
    ).pages
    assert [words_of(each) for each in page.lines] == [["Dear", "John,"], ["thanks"]]
    assert page.lines[0].confidence == 0.5


def test_a_line_may_have_several_spans_with_another_line_between_them() -> None:
    words = [word("Name", 0), word("Age", 5), word("John", 9), word("23", 14)]
    lines = [line("Name John", (0, 4), (9, 4)), line("Age 23", (5, 3), (14, 2))]
    (page,) = parse({"words": words, "lines": lines}).pages
    assert [words_of(each) for each in page.lines] == [["Name", "John"], ["Age", "23"]]


def test_lines_need_not_be_in_the_contents_order() -> None:
    words = [word("first", 0), word("second", 6)]
    (page,) = parse({"words": words, "lines": [line("second", (6, 6)), line("first", (0, 5))]}).pages
    assert [words_of(each) for each in page.lines] == [["second"], ["first"]]


def test_a_word_that_overlaps_a_line_belongs_to_it() -> None:
    (page,) = parse({"words": [word("«Hi", 0), word("you»", 4)], "lines": [line("Hi you", (1, 6))]}).pages
    assert words_of(page.lines[0]) == ["«Hi", "you»"]


def test_a_word_belongs_to_one_line_only() -> None:
    lines = [line("over", (0, 6)), line("lap", (3, 6))]
    result = parse({"words": [word("overlap", 0)], "lines": lines})
    assert result.word_count == 1


def test_a_line_without_words_has_no_confidence() -> None:
    (page,) = parse({"words": [word("away", 90)], "lines": [line("here", (0, 4))]}).pages
    assert (page.lines[0].words, page.lines[0].confidence) == ((), None)


@pytest.mark.parametrize("broken", [None, {}, {"offset": "0", "length": 4}, {"offset": -1, "length": 4}, [0, 4], 7])
def test_a_word_without_a_span_is_in_no_line(broken: Any) -> None:
    result = parse({"words": [{**word("Dear", 0), "span": broken}], "lines": [line("Dear", (0, 4))]})
    assert (result.text, result.word_count) == ("Dear", 0)


@pytest.mark.parametrize(
    ("index", "lengths"),
    [("textElements", (1, 5)), ("unicodeCodePoint", (1, 6)), ("utf16CodeUnit", (2, 6))],
)
def test_spans_are_compared_in_the_answers_own_string_index(index: str, lengths: tuple[int, int]) -> None:
    # "👋" is one code point of two UTF-16 units; "zwe\u0301i" has four text elements and five code points.
    hand, two = lengths[0], lengths[1] - 1
    words = [word("👋", 0, hand), word("zwe\u0301i", hand + 1, two)]
    lines = [line("👋", (0, hand)), line("zwe\u0301i", (hand + 1, two))]
    (page,) = parse({"words": words, "lines": lines}, stringIndexType=index).pages
    assert [words_of(each) for each in page.lines] == [["👋"], ["zwe\u0301i"]]


# Handwriting and language


def styled(styles: Any) -> bool | None:
    (page,) = parse({"lines": [line("Dear John", (0, 9))]}, styles=styles).pages
    return page.lines[0].handwritten


@pytest.mark.parametrize(
    ("styles", "handwritten"),
    [
        (None, None),
        ([], False),
        ([{"isHandwritten": True, "spans": [span(0, 9)]}], True),
        ([{"isHandwritten": False, "spans": [span(0, 9)]}], False),
        ([{"fontStyle": "italic", "spans": [span(0, 9)]}], False),
        ([{"isHandwritten": True, "spans": [span(0, 3)]}], False),
        ([{"isHandwritten": True, "spans": [span(0, 3)]}, {"isHandwritten": True, "spans": [span(2, 4)]}], True),
        ([{"isHandwritten": True, "spans": [span(0, 3), span(0, 3), span(0, 3)]}], False),
        ([{"isHandwritten": True, "spans": [span(9, 100)]}], False),
    ],
)
def test_a_line_is_handwritten_if_most_of_it_is(styles: Any, handwritten: bool | None) -> None:
    assert styled(styles) is handwritten


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=8), st.integers(0, 30), st.integers(1, 20))
def test_overlapping_and_unordered_styles_count_each_character_once(
    styles: list[tuple[int, int]], first: int, length: int
) -> None:
    written = {offset for start, size in styles for offset in range(start, start + size)}
    handwritten = [{"isHandwritten": True, "spans": [span(*style)]} for style in styles]
    (page,) = parse({"lines": [line("a" * length, (first, length))]}, styles=handwritten).pages
    covered = len(written & set(range(first, first + length)))
    assert page.lines[0].handwritten is (covered * 2 >= length)


def test_a_line_has_the_language_of_its_largest_part() -> None:
    languages = [
        {"locale": "en", "spans": [span(0, 3), span(30, 10)], "confidence": 0.9},
        {"locale": "fr", "spans": [span(3, 6)], "confidence": 0.4},
    ]
    lines = [line("ab cdefgh", (0, 9)), line("elsewhere", (20, 9)), line("the end", (30, 7))]
    result = parse({"lines": lines}, languages=languages)
    assert [each.language for each in result.pages[0].lines] == ["fr", None, "en"]
    assert result.language == "fr"


# No lines


def test_paragraphs_of_office_files_become_lines_without_a_box() -> None:
    paragraphs = [
        {"content": "Title", "role": "title", "spans": [span(0, 5)]},
        {"content": "Body text", "spans": [span(6, 9)]},
    ]
    words = [word("Title", 0), word("Body", 6), word("text", 11)]
    result = parse({"pageNumber": 1, "words": words, "spans": [span(0, 15)]}, paragraphs=paragraphs)
    assert lines_of(result) == [["Title", "Body text"]]
    assert [each.box for each in result.pages[0].lines] == [None, None]
    assert [words_of(each) for each in result.pages[0].lines] == [["Title"], ["Body", "text"]]


def test_a_paragraphs_page_comes_from_its_region_or_its_span_or_is_the_first() -> None:
    pages = [{"pageNumber": 4, "spans": [span(0, 10)]}, {"pageNumber": 7, "spans": [span(11, 10)]}]
    paragraphs: list[dict[str, Any]] = [
        {"content": "by region", "boundingRegions": [{"pageNumber": 7}], "spans": [span(0, 5)]},
        {"content": "by span", "spans": [span(11, 5)]},
        {"content": "by a span between pages", "spans": [span(10, 1)]},
        {"content": "of no place"},
        {"content": "of a page that is not there", "boundingRegions": [{"pageNumber": 99}]},
    ]
    assert lines_of(parse(*pages, paragraphs=paragraphs)) == [
        ["by a span between pages", "of no place", "of a page that is not there"],
        ["by region", "by span"],
    ]


def test_paragraphs_without_any_page_are_on_page_1() -> None:
    result = parse(paragraphs=[{"content": "From HTML", "spans": [span(0, 9)]}])
    assert [(page.number, page.unit) for page in result.pages] == [(1, None)]
    assert result.text == "From HTML"


def test_paragraphs_are_not_added_if_there_are_lines() -> None:
    result = parse({"lines": [line("Hi", (0, 2))]}, paragraphs=[{"content": "Hi", "spans": [span(0, 2)]}])
    assert lines_of(result) == [["Hi"]]


@pytest.mark.parametrize("index", [None, "textElements", "unicodeCodePoint", "utf16CodeUnit"])
def test_without_lines_and_paragraphs_the_content_is_split_at_its_line_feeds(index: str | None) -> None:
    content = "eins und\n\nzwei\r\ndrei\n"
    pages = [
        {"spans": [span(0, 16)], "words": [word("eins", 0), word("und", 5), word("zwei", 10)]},
        {"spans": [span(16, 4)], "words": [word("drei", 16)]},
    ]
    result = parse(*pages, content=content, stringIndexType=index)
    assert lines_of(result) == [["eins und", "zwei"], ["drei"]]
    assert [words_of(each) for page in result.pages for each in page.lines] == [["eins", "und"], ["zwei"], ["drei"]]


def test_emoji_in_the_content_shift_no_words() -> None:
    content = "👋🏽 eins\n각 drei\n"
    for index, start in (("utf16CodeUnit", 5), ("unicodeCodePoint", 3), ("textElements", 2)):
        (page,) = parse({"words": [word("eins", start)]}, content=content, stringIndexType=index).pages
        assert [each.text for each in page.lines] == ["👋🏽 eins", "각 drei"]
        assert words_of(page.lines[0]) == ["eins"]


@pytest.mark.parametrize("broken", [None, 7, "page", []])
def test_an_answer_with_a_page_that_is_not_an_object_is_broken(broken: object) -> None:
    with pytest.raises(ResultNotUnderstood):
        parsed("2024-11-30", {"analyzeResult": {"pages": [{"lines": []}, broken]}})


def test_an_answer_without_text_still_has_its_pages() -> None:
    assert lines_of(parse({"pageNumber": 1}, content="")) == [[]]
    assert lines_of(parse(content="")) == []


def test_an_answer_without_pages_is_broken() -> None:
    with pytest.raises(ResultNotUnderstood):
        parsed("2024-11-30", {"analyzeResult": {"content": "text"}})


def test_warnings_of_an_answer_that_succeeded_are_kept() -> None:
    warnings = [{"code": "LowQuality", "message": "Hard to read."}, {"message": "Alone."}, {}, 7]
    assert parse({"lines": []}, warnings=warnings).warnings == ("LowQuality: Hard to read.", "Alone.")


# Size


def test_two_thousand_pages_are_parsed_in_seconds() -> None:
    pages = []
    offset = 0
    for number in range(1, 2001):
        words, lines = [], []
        for _ in range(10):
            lines.append(line("lorem ipsum dolor", (offset, 17)))
            words += [word("lorem", offset), word("ipsum", offset + 6), word("dolor", offset + 12)]
            offset += 18
        pages.append({"pageNumber": number, "words": words, "lines": lines, "spans": [span(offset - 180, 179)]})
    styles = [{"isHandwritten": True, "spans": [span(at, 17) for at in range(0, offset, 36)]}]
    languages = [{"locale": "la", "spans": [span(at, 5)]} for at in range(0, offset, 18)]
    languages.append({"locale": "en", "spans": [span(0, offset)]})
    started = time.process_time()
    result = parse(*pages, styles=styles, languages=languages)
    assert time.process_time() - started < 20
    assert (result.line_count, result.word_count, result.language) == (20_000, 60_000, "en")
    assert sum(each.handwritten is True for page in result.pages for each in page.lines) == 10_000

"""The one shape of what Read reads, and the texts made of it."""

from hypothesis import given
from hypothesis import strategies as st

from shared.read.result import Line, Page, Result, Word, main_language


def page(*texts: str, number: int = 1, language: str | None = None) -> Page:
    return Page(number, tuple(Line(text, None, (Word(text, None, None),)) for text in texts), language=language)


def test_in_the_row_lines_are_joined_by_a_line_feed_and_pages_by_an_empty_line() -> None:
    assert Result((page("a", "b"), page("c"))).text == "a\nb\n\nc"


def test_in_the_file_each_line_ends_with_a_line_feed_and_a_form_feed_parts_pages() -> None:
    assert Result((page("a", "b"), page("c"))).text_file == "a\nb\n\fc\n"


def test_a_page_without_text_keeps_its_place() -> None:
    assert Result((page("a"), page(), page("c"))).text_file == "a\n\f\fc\n"


def test_a_document_without_text_has_none() -> None:
    empty = Result((page(),))
    assert (empty.text, empty.text_file, empty.line_count, empty.word_count) == ("", "", 0, 0)


@given(st.lists(st.lists(st.text("abc ", min_size=1), max_size=4), max_size=4))
def test_the_text_file_holds_every_line_of_every_page(pages: list[list[str]]) -> None:
    made = Result(tuple(page(*lines) for lines in pages))
    if pages:
        assert [part.splitlines() for part in made.text_file.split("\f")] == pages
    assert made.line_count == sum(map(len, pages))


def test_a_line_s_confidence_is_the_mean_of_those_of_its_words_that_have_one() -> None:
    words = (Word("a", None, 0.5), Word("b", None, None), Word("c", None, 1.0))
    assert Line("a b c", None, words).confidence == 0.75


def test_a_line_whose_words_have_no_confidence_has_none() -> None:
    assert Line("a", None, (Word("a", None, None),)).confidence is None
    assert Line("a", None).confidence is None


def test_the_main_language_is_that_of_most_lines() -> None:
    assert main_language([page("a", language="de"), page("b", "c", language="en")]) == "en"


def test_a_line_s_own_language_counts_before_its_page_s() -> None:
    french = Page(1, (Line("a", None, language="fr"), Line("b", None, language="fr"), Line("c", None)), language="de")
    assert main_language([french]) == "fr"


def test_a_page_without_lines_still_names_its_language() -> None:
    assert main_language([page(language="de")]) == "de"


def test_without_any_language_there_is_no_main_one() -> None:
    assert main_language([page("a")]) is None

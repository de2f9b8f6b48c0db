"""The one shape of Read's results, and the texts made from it."""

from hypothesis import given
from hypothesis import strategies as st

from shared.read.result import Line, Page, Word
from shared.text import TEXT_LIMIT
from tests.support.results import summary_of


def page(*texts: str, number: int = 1, language: str | None = None) -> Page:
    return Page(number, tuple(Line(text, None, (Word(text, None, None),)) for text in texts), language=language)


def test_in_the_row_lines_are_joined_by_a_line_feed_and_pages_by_an_empty_line() -> None:
    assert summary_of(page("a", "b"), page("c")).text == "a\nb\n\nc"


def test_in_the_file_each_line_ends_with_a_line_feed() -> None:
    assert page("a", "b").text_file == "a\nb\n"


def test_a_page_without_text_keeps_its_place() -> None:
    assert summary_of(page("a"), page(), page("c")).text == "a\n\n\n\nc"
    assert page().text_file == ""


def test_a_document_without_text_has_none() -> None:
    empty = summary_of(page())
    assert (empty.page_count, empty.text, empty.line_count, empty.word_count) == (1, "", 0, 0)


@given(st.lists(st.integers(0, TEXT_LIMIT + 5), max_size=4), st.integers(0, 5))
def test_only_enough_text_is_kept_to_show_that_it_is_too_long(lengths: list[int], short: int) -> None:
    texts = ["x" * length for length in (*lengths, short)]
    kept = summary_of(*(page(text) for text in texts)).text
    whole = "\n\n".join(texts)
    assert whole.startswith(kept)
    assert kept == whole or len(kept) > TEXT_LIMIT


def test_a_lines_confidence_is_the_mean_of_its_words_that_have_one() -> None:
    words = (Word("a", None, 0.5), Word("b", None, None), Word("c", None, 1.0))
    assert Line("a b c", None, words).confidence == 0.75


def test_a_line_whose_words_have_no_confidence_has_none() -> None:
    assert Line("a", None, (Word("a", None, None),)).confidence is None
    assert Line("a", None).confidence is None


def test_the_main_language_is_the_language_of_most_lines() -> None:
    assert summary_of(page("a", language="de"), page("b", "c", language="en")).language == "en"


def test_a_lines_own_language_overrides_its_pages() -> None:
    french = Page(1, (Line("a", None, language="fr"), Line("b", None, language="fr"), Line("c", None)), language="de")
    assert summary_of(french).language == "fr"


def test_a_page_without_lines_still_names_its_language() -> None:
    assert summary_of(page(language="de")).language == "de"


def test_without_any_language_there_is_no_main_language() -> None:
    assert summary_of(page("a")).language is None

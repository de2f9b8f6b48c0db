"""Pages that Read leaves out are reported, and no others: what a file says about itself is not believed."""

import pytest

from simulation.app import App
from tests.unit.test_page_count import pdf


def read_as_two_pages(app: App, content: bytes) -> str | None:
    """Read a PDF as two pages, as the free tier does: the scripted Read parts a file at its form feeds."""
    assert b"\f" not in content
    app.read("a.pdf", content.replace(b"%PDF-1.7\n", b"%PDF-1.7\n%first\f\n"))
    document = app.document("a.pdf")
    assert (document.page_count, document.file_type) == (2, "PDF")
    return document.warning


def test_pages_that_the_free_tier_leaves_out_are_told_of(app: App) -> None:
    warning = read_as_two_pages(app, pdf(5))
    assert "Only 2 of 5 pages were read" in (warning or "")
    assert "free tier" in (warning or "")
    assert app.document("a.pdf").pages_in_file == 5


@pytest.mark.parametrize("count", [2, 3, 50])
def test_a_paying_customer_is_not_told_to_leave_the_free_tier_because_a_file_lies(app: App, count: int) -> None:
    assert read_as_two_pages(app, pdf(2, count)) is None


@pytest.mark.parametrize("count", [1, 3])
def test_a_page_count_that_is_stored_is_right(app: App, count: int) -> None:
    read_as_two_pages(app, pdf(2, count))
    assert app.document("a.pdf").pages_in_file in (None, 2)


def test_a_document_with_two_requested_pages_has_no_warning(app: App) -> None:
    app.drop("a.pdf", pdf(5).replace(b"%PDF-1.7\n", b"%PDF-1.7\n%first\f\n"), metadata={"pages": "1-2"})
    app.read("a.pdf")
    assert app.document("a.pdf").warning is None


@pytest.mark.parametrize("content", ["\n", "\f", "\n\f\n"])
def test_a_file_without_any_text_succeeds_and_says_so(app: App, content: str) -> None:
    document = app.read("a.png", content)
    assert (document.status, document.line_count) == ("succeeded", 0)
    assert document.warning == "Read found no text in this file."

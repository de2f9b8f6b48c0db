"""The text blob: all text in UTF-8. Each line ends with a line feed, and a form feed separates pages."""

from shared.read.result import Page


class TextWriter:
    """See PageWriter."""

    extension = ".txt"
    content_type = "text/plain; charset=utf-8"

    def __init__(self) -> None:
        self._is_first = True

    def page(self, page: Page) -> bytes:
        """The page's lines, after a form feed if it is not the first."""
        separator = "" if self._is_first else "\f"
        self._is_first = False
        return (separator + page.text_file).encode()

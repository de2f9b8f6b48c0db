"""The text blob: all text, UTF-8, each line ended by a line feed, pages parted by a form feed."""

from shared.read.result import Page


class TextWriter:
    """See PageWriter."""

    extension = ".txt"
    content_type = "text/plain; charset=utf-8"

    def __init__(self) -> None:
        self._is_first = True

    def page(self, page: Page) -> bytes:
        """The page's lines, after a form feed if it is not the first."""
        parted = "" if self._is_first else "\f"
        self._is_first = False
        return (parted + page.text_file).encode()

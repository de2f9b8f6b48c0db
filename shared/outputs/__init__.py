"""What is made of a result. A writer takes pages, one after another, and gives the bytes of its output blob.

A new output is a module with a PageWriter, and its place in store.py.
"""

from typing import Protocol

from shared.read.result import Page


class PageWriter(Protocol):
    """Makes one output blob of a document's pages. It holds no more than a page."""

    extension: str
    """What the blob's name adds to the file's, such as ``.txt``."""
    content_type: str

    def page(self, page: Page) -> bytes:
        """The next page's part of the blob."""
        ...

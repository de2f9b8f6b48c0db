"""The outputs of a result. A writer takes one page after another and returns the bytes of its output blob.

A new output needs a module with a PageWriter, and its place in store.py.
"""

from typing import Protocol

from shared.read.result import Page


class PageWriter(Protocol):
    """Makes one output blob from a document's pages. It holds one page in memory at most."""

    extension: str
    """What is added to the file's name for the blob's, such as ``.txt``."""
    content_type: str

    def page(self, page: Page) -> bytes:
        """The next page's part of the blob."""
        ...

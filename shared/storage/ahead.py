"""Prepare what is to be written next while the previous write is on its way."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items in the same order. From the third on, each is made while the one before it is in use.

    No two are ever made at once, and only one is made in advance. An error is raised in place of the item that it
    prevented. Whoever stops early waits until the item that is being made is complete.
    """
    yield from islice(items, 2)  # most documents have no more, and need no thread
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(list[T], islice(items, 1))
        while item := coming.result():
            coming = thread.submit(list[T], islice(items, 1))
            yield from item

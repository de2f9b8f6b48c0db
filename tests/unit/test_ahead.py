"""Items are made one ahead of their use, in another thread, and in order."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.storage.ahead import one_ahead


class Broken(Exception):
    pass


def _made(count: int, made: list[int], breaks_at: int | None = None) -> Iterator[int]:
    for number in range(count):
        if number == breaks_at:
            raise Broken
        made.append(number)
        yield number


@given(st.integers(0, 9))
def test_the_same_items_come_in_the_same_order(count: int) -> None:
    made: list[int] = []
    assert list(one_ahead(_made(count, made))) == made == list(range(count))


@given(st.integers(0, 6), st.integers(0, 6))
def test_an_error_is_raised_after_the_items_before_it(count: int, breaks_at: int) -> None:
    used: list[int] = []
    broken = breaks_at < count
    try:
        used.extend(one_ahead(_made(count, [], breaks_at)))
    except Broken:
        assert broken
    else:
        assert not broken
    # extend() keeps what came before an error.
    assert used == list(range(breaks_at if broken else count))


def test_an_item_is_made_while_the_one_before_is_in_use() -> None:
    fourth_is_made = threading.Event()

    def items() -> Iterator[int]:
        yield from range(3)
        fourth_is_made.set()
        yield 3

    for number in one_ahead(items()):
        if number == 2:
            assert fourth_is_made.wait(10)


@given(st.integers(1, 8), st.integers(1, 8))
def test_no_more_than_one_item_is_made_in_advance(count: int, stop: int) -> None:
    made: list[int] = []
    with closing(one_ahead(_made(count, made))) as items:
        for used in items:
            assert len(made) <= used + 2
            if used + 1 == stop:
                break
    assert len(made) <= min(count, stop + 1)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_items_need_no_thread(count: int) -> None:
    threads: set[int] = set()

    def items() -> Iterator[int]:
        for number in range(count):
            threads.add(threading.get_ident())
            yield number

    assert list(one_ahead(items())) == list(range(count))
    assert threads <= {threading.get_ident()}


def test_no_thread_is_left_when_someone_stops_early() -> None:
    with closing(one_ahead(_made(9, []))) as items:
        assert [next(items) for _ in range(4)] == [0, 1, 2, 3]
        assert _threads()
    assert not _threads()


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]

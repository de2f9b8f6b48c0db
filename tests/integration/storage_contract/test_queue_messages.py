"""Messages: visibility, dequeue counts, pop receipts."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueClient

from .support import Storage, code, contents, received

FOR_EVER = -1
SEVEN_DAYS = 7 * 24 * 3600


def test_sending_a_message_returns_the_receipt_to_delete_it(queue: QueueClient) -> None:
    sent = queue.send_message("hello", visibility_timeout=60, time_to_live=FOR_EVER)
    assert (sent.content, sent.dequeue_count) == ("hello", None)
    assert sent.next_visible_on == sent.inserted_on + timedelta(seconds=60)  # type: ignore[operator]
    assert sent.expires_on == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    queue.delete_message(sent)
    assert queue.get_queue_properties().approximate_message_count == 0


def test_times_are_in_whole_seconds(queue: QueueClient) -> None:
    sent = queue.send_message("hello")
    taken = received(queue)
    for moment in (sent.inserted_on, sent.next_visible_on, taken.inserted_on, taken.next_visible_on):
        assert moment is not None
        assert (moment.microsecond, moment.tzinfo) == (0, UTC)


def test_a_message_lives_for_seven_days_unless_set_otherwise(queue: QueueClient) -> None:
    sent = queue.send_message("hello")
    assert sent.expires_on == sent.inserted_on + timedelta(days=7)  # type: ignore[operator]


def test_a_received_message_is_hidden_for_half_a_minute_unless_set_otherwise(queue: QueueClient) -> None:
    sent = queue.send_message("hello")
    taken = received(queue)
    assert (taken.id, taken.content, taken.dequeue_count) == (sent.id, "hello", 1)
    assert (taken.inserted_on, taken.expires_on) == (sent.inserted_on, sent.expires_on)
    hidden_for = taken.next_visible_on - sent.inserted_on  # type: ignore[operator]
    assert timedelta(seconds=30) <= hidden_for <= timedelta(seconds=31)
    assert queue.receive_message() is None


def test_each_receive_counts_and_makes_the_previous_receipt_stale(storage: Storage, queue: QueueClient) -> None:
    queue.send_message("hello")
    first = received(queue, visibility_timeout=1)
    storage.wait(1.1)
    second = received(queue)
    assert (first.dequeue_count, second.dequeue_count) == (1, 2)
    with pytest.raises(HttpResponseError) as error:
        queue.delete_message(first)
    assert (error.value.status_code, code(error)) == (400, "PopReceiptMismatch")
    queue.delete_message(second)


def test_a_receipt_stays_valid_after_its_time_until_there_is_a_newer_one(storage: Storage, queue: QueueClient) -> None:
    queue.send_message("hello")
    first = received(queue, visibility_timeout=1)
    storage.wait(1.1)
    queue.delete_message(first)
    assert queue.receive_message() is None


def test_a_message_sent_for_later_is_not_seen_before(storage: Storage, queue: QueueClient) -> None:
    queue.send_message("later", visibility_timeout=1)
    queue.send_message("now")
    assert contents(queue.peek_messages(max_messages=32)) == ["now"]
    storage.wait(1.1)
    assert contents(queue.receive_messages(messages_per_page=32)) == ["now", "later"]


def test_an_expired_message_is_gone(storage: Storage, queue: QueueClient) -> None:
    queue.send_message("short", time_to_live=1)
    taken = received(queue)
    queue.send_message("long", time_to_live=FOR_EVER)
    storage.wait(1.1)
    assert contents(queue.peek_messages(max_messages=32)) == ["long"]
    with pytest.raises(ResourceNotFoundError) as error:
        queue.delete_message(taken)
    assert (error.value.status_code, code(error)) == (404, "MessageNotFound")


def test_peeking_leaves_a_message_as_it_is(queue: QueueClient) -> None:
    queue.send_message("hello")
    (seen,) = queue.peek_messages()
    assert (seen.content, seen.dequeue_count, seen.pop_receipt, seen.next_visible_on) == ("hello", 0, None, None)
    assert received(queue).dequeue_count == 1
    assert queue.peek_messages() == []


def test_messages_come_one_at_a_time_unless_set_otherwise(queue: QueueClient) -> None:
    for text in "abc":
        queue.send_message(text)
    assert contents(queue.peek_messages()) == ["a"]
    assert [contents(page) for page in queue.receive_messages().by_page()] == [["a"], ["b"], ["c"]]


def test_messages_come_in_pages_up_to_a_number(queue: QueueClient) -> None:
    for text in "abcdef":
        queue.send_message(text)
    pages = queue.receive_messages(messages_per_page=2, max_messages=5).by_page()
    assert [contents(page) for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    assert contents(queue.receive_messages(messages_per_page=32)) == ["f"]


def test_32_messages_at_most_are_received_or_seen_at_once(queue: QueueClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        next(queue.receive_messages(messages_per_page=33))
    assert (error.value.status_code, code(error)) == (400, "OutOfRangeQueryParameterValue")
    with pytest.raises(ValueError, match="between 1 and 32"):
        queue.peek_messages(max_messages=33)


def test_an_update_hides_changes_the_text_and_gives_a_new_receipt(queue: QueueClient) -> None:
    queue.send_message("first")
    taken = received(queue)
    updated = queue.update_message(taken, content="second", visibility_timeout=60)
    assert (updated.id, updated.content, updated.dequeue_count) == (taken.id, "second", 1)
    assert updated.pop_receipt != taken.pop_receipt
    with pytest.raises(HttpResponseError) as error:
        queue.delete_message(taken)
    assert code(error) == "PopReceiptMismatch"
    assert queue.receive_message() is None
    queue.update_message(updated, visibility_timeout=0)
    assert contents([received(queue)]) == ["second"]


def test_an_update_without_a_text_or_a_time_shows_the_message_again(queue: QueueClient) -> None:
    queue.send_message("hello")
    taken = received(queue)
    assert queue.update_message(taken.id, taken.pop_receipt).content is None
    again = received(queue)
    assert (again.content, again.dequeue_count) == ("hello", 2)


def test_a_deleted_message_is_not_found(queue: QueueClient) -> None:
    sent = queue.send_message("hello")
    queue.delete_message(sent.id, sent.pop_receipt)
    for operation in (lambda: queue.delete_message(sent), lambda: queue.update_message(sent)):
        with pytest.raises(ResourceNotFoundError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (404, "MessageNotFound")


def test_a_wrong_receipt_is_refused(queue: QueueClient) -> None:
    sent = queue.send_message("hello")
    for operation in (
        lambda: queue.delete_message(sent.id, "another"),
        lambda: queue.update_message(sent.id, "another"),
    ):
        with pytest.raises(HttpResponseError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (400, "PopReceiptMismatch")


def test_a_receipt_is_required(queue: QueueClient) -> None:
    with pytest.raises(ValueError, match="pop_receipt"):
        queue.delete_message("id")

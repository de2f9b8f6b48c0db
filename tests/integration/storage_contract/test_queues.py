"""Queues, what they take, and how messages are encoded."""

from base64 import b64encode
from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from .support import (
    Storage,
    azurite_differs,
    code,
    contents,
    new_name,
    received,
)

FOR_EVER = -1
SEVEN_DAYS = 7 * 24 * 3600


def test_a_queue_can_be_created_once(storage: Storage) -> None:
    queue = storage.queues.get_queue_client(new_name())
    queue.create_queue()
    with pytest.raises(ResourceExistsError) as error:
        queue.create_queue()
    assert (error.value.status_code, code(error)) == (204, "QueueAlreadyExists")


def test_in_a_missing_queue_every_operation_says_so(storage: Storage) -> None:
    queue = storage.queues.get_queue_client(new_name())
    for operation in (
        lambda: queue.send_message("x"),
        queue.receive_message,
        lambda: next(queue.receive_messages()),
        queue.peek_messages,
        lambda: queue.update_message("id", "receipt"),
        lambda: queue.delete_message("id", "receipt"),
        queue.clear_messages,
        queue.get_queue_properties,
    ):
        with pytest.raises(ResourceNotFoundError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (404, "QueueNotFound")


def test_invisible_messages_are_counted_too(queue: QueueClient) -> None:
    assert queue.get_queue_properties().approximate_message_count == 0
    queue.send_message("now")
    queue.send_message("later", visibility_timeout=60)
    assert queue.get_queue_properties().approximate_message_count == 2


def test_clearing_removes_every_message(queue: QueueClient) -> None:
    queue.send_message("now")
    queue.send_message("later", visibility_timeout=60)
    queue.clear_messages()
    assert queue.get_queue_properties().approximate_message_count == 0


def test_a_message_is_hidden_for_seven_days_at_most(queue: QueueClient) -> None:
    queue.send_message("hello", visibility_timeout=SEVEN_DAYS, time_to_live=FOR_EVER)
    sent = queue.send_message("hello")
    taken = received(queue, visibility_timeout=SEVEN_DAYS)
    taken = queue.update_message(taken, visibility_timeout=SEVEN_DAYS)
    operations: list[Callable[[], object]] = [
        lambda: queue.send_message("hello", visibility_timeout=SEVEN_DAYS + 1, time_to_live=FOR_EVER),
        lambda: queue.send_message("hello", visibility_timeout=-1),
        lambda: queue.receive_message(visibility_timeout=SEVEN_DAYS + 1),
        lambda: queue.receive_message(visibility_timeout=0),
        lambda: queue.update_message(taken, visibility_timeout=SEVEN_DAYS + 1),
    ]
    for operation in operations:
        with pytest.raises(HttpResponseError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (400, "OutOfRangeQueryParameterValue")
    assert taken.id == sent.id


@pytest.mark.parametrize("options", [{"time_to_live": 0}, {"time_to_live": 5, "visibility_timeout": 5}])
def test_a_message_must_live_longer_than_it_is_hidden(queue: QueueClient, options: dict[str, int]) -> None:
    with pytest.raises(HttpResponseError) as error:
        queue.send_message("hello", **options)
    assert (error.value.status_code, code(error)) == (400, "InvalidQueryParameterValue")


@pytest.mark.parametrize("text", ["x" * 65_536, "é" * 32_768, "<" * 65_536])
def test_a_message_holds_64_kibibytes_of_utf_8(queue: QueueClient, text: str) -> None:
    queue.send_message(text)
    assert received(queue).content == text
    with pytest.raises(HttpResponseError) as error:
        queue.send_message(text + "x")
    assert (error.value.status_code, code(error)) == (413, "RequestBodyTooLarge")


@azurite_differs("takes it, and delivers nothing any more")
def test_a_control_character_is_refused_since_xml_cannot_hold_it(queue: QueueClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        queue.send_message("a\x01b")
    assert (error.value.status_code, code(error)) == (400, "InvalidXmlDocument")


def test_a_message_must_not_be_none(queue: QueueClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        queue.send_message(None)
    assert (error.value.status_code, code(error)) == (400, "InvalidXmlDocument")


@pytest.mark.parametrize("text", ["Grüße 😀", "<a>&amp;\"'", "two\r\nlines\n", " ", "", "\t"])
def test_a_text_comes_back_as_it_was_sent(queue: QueueClient, text: str) -> None:
    queue.send_message(text)
    assert contents(queue.peek_messages()) == [text]
    assert received(queue).content == text


def test_bytes_are_refused_without_an_encoding(queue: QueueClient) -> None:
    with pytest.raises(TypeError, match="must not be bytes"):
        queue.send_message(b"hello")


def test_a_policy_encodes_on_the_wire_only(storage: Storage, queue: QueueClient) -> None:
    encoding = storage.queues.get_queue_client(
        queue.queue_name,
        message_encode_policy=TextBase64EncodePolicy(),
        message_decode_policy=TextBase64DecodePolicy(),
    )
    assert encoding.send_message("Grüße").content == "Grüße"
    assert contents(queue.peek_messages()) == [b64encode("Grüße".encode()).decode()]
    assert contents(encoding.peek_messages()) == ["Grüße"]
    encoding.update_message(received(encoding), content="later")
    assert contents(queue.peek_messages()) == [b64encode(b"later").decode()]


def test_an_undecodable_message_is_hidden_although_its_receiver_gets_an_error(
    storage: Storage, queue: QueueClient
) -> None:
    """The SDK means to raise DecodeError, and trips over itself; either way the message is hidden by then."""
    decoding = storage.queues.get_queue_client(queue.queue_name, message_decode_policy=TextBase64DecodePolicy())
    queue.send_message("not base64!")
    with pytest.raises(AttributeError, match="reason"):
        decoding.receive_message()
    assert queue.receive_message() is None

"""Queue messages: what the app sends can be read, and any other message is recognised as foreign."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.document import Document, Status
from shared.message import ForeignMessage, LaterMessage, Message

ANY_CHARACTER = st.characters(exclude_categories=["Cs"])
LARGEST_BEFORE_BASE64 = 48 * 1024

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
near_messages = st.fixed_dictionaries(
    {"v": st.sampled_from([0, 1, 2, 99, "1", None, True]) | json_values},
    optional={name: st.text(max_size=5) | json_values for name in ("name", "etag", "operation", "write_id")},
)
broken_texts = st.sampled_from(["\ud800", '{"v":1,"name":"\\ud800"}', "{" * 100_000, "[" * 100_000, "9" * 5000])


def outcome(body: bytes) -> Message | str:
    try:
        return Message.from_json(body)
    except (ForeignMessage, LaterMessage) as refusal:
        return type(refusal).__name__


@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_message_or_foreign(body: bytes) -> None:
    assert outcome(body) == "ForeignMessage" or body.lstrip().startswith(b"{")


@given(near_messages.map(json.dumps) | broken_texts)
def test_any_json_is_a_message_or_foreign(text: str) -> None:
    found = outcome(text.encode("utf-8", "surrogatepass"))
    if isinstance(found, Message):
        assert isinstance(found.name, str)
        assert 0 < len(found.name) <= 4096
        assert all(isinstance(getattr(found, field), str | None) for field in ("etag", "operation", "write_id"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"null",
        b"7",
        b'"name"',
        b"[]",
        b"{}",
        b"\xff\xfe\x00",
        b'{"v":1}',
        b'{"name":"a"}',
        b'{"v":0,"name":"a"}',
        b'{"v":1,"name":""}',
        b'{"v":1,"name":7}',
        b'{"v":1,"name":"a","write_id":7}',
        b'{"v":1,"name":"a","operation":7}',
        '{"v":1,"name":"a"}'.encode("utf-16"),
        '{"v":2,"name":"a"}'.encode("utf-32"),
        b'{"v":1,"name":"' + b"a" * 4097 + b'"}',
    ],
)
def test_what_this_app_did_not_write_is_foreign_so_that_it_is_kept_in_the_poison_queue(body: bytes) -> None:
    with pytest.raises(ForeignMessage):
        Message.from_json(body)


def test_a_message_of_a_later_version_is_requeued_not_poisoned() -> None:
    with pytest.raises(LaterMessage, match="version 2"):
        Message.from_json(b'{"v":2,"name":"a.pdf","something":{"else":[]}}')


def test_unknown_fields_are_ignored() -> None:
    assert Message.from_json(b'{"v":1,"name":"a.pdf","more":1}') == Message("a.pdf")


@given(
    st.text(ANY_CHARACTER, min_size=1, max_size=1024),
    st.text(ANY_CHARACTER, min_size=1, max_size=40),
    st.integers(0, 10**6),
    st.lists(st.integers(1, 10**12), max_size=2),
)
def test_a_message_is_read_as_it_was_sent(name: str, etag: str, polls: int, slots: list[int]) -> None:
    document = Document(
        name=name, status=Status.READING, source_etag=etag, polls=polls, operation_url="o", write_id="c"
    )
    sent = Message.about(document, slots=tuple(slots))
    assert Message.from_json(sent.to_json().encode()) == sent


@pytest.mark.parametrize("slots", ["7", "[-1]", "[[1]]", '["a"]', "[true]", "[NaN]", "[1.5]", f"[{10**400}]"])
def test_reservations_that_the_app_did_not_write_are_ignored(slots: str) -> None:
    assert Message.from_json(b'{"v":1,"name":"a.pdf","slots":%s}' % slots.encode()) == Message("a.pdf")


@given(st.text(st.characters(min_codepoint=0x10000) | st.sampled_from('"\\\x00\x1f'), min_size=1024, max_size=1024))
def test_a_message_with_the_longest_name_fits_into_the_queue(name: str) -> None:
    document = Document(
        name=name,
        status=Status.READING,
        source_etag='"0x8DEF0123456789A"',
        operation_url="https://" + "a" * 250 + ".cognitiveservices.azure.com/" + "b" * 500,
        write_id="0" * 32,
    )
    assert len(Message.about(document).to_json().encode()) < LARGEST_BEFORE_BASE64


def test_a_message_carries_no_text_of_the_document_and_no_secret() -> None:
    everything: dict[str, Any] = {
        field.name: f"<{field.name}>" for field in fields(Document) if "str" in str(field.type)
    }
    document = Document(**{**everything, "status": Status.READING})
    assert set(json.loads(Message.about(document).to_json())) == {
        "v",
        "name",
        "etag",
        "operation",
        "write_id",
        "trace",
    }

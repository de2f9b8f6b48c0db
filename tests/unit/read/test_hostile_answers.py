"""Answers that drip in, inflate or repeat a secret: the client limits time and memory, and keeps no signature."""

import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests

from shared.read.answers import Arriving, BrokenOff, Rejected, Retryable, Succeeded
from shared.read.client import ReadClient
from shared.read.generation import ReadOptions
from shared.read.generations import generation
from tests.support.wire import Wire

ENDPOINT = "https://name.cognitiveservices.azure.com"
OPERATION = f"{ENDPOINT}/vision/v3.2/read/analyzeResults/7d2a"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
DONE = b'{"status":"succeeded","analyzeResult":{"readResults":[]}}'
SIGNATURE = "mB2yVr8f+Q3/xTzWJc0aLk9PqNsUdEhGoI7b5RtY4Xw="
QUERY = f"sv=2026-01-01&sp=r&se=2026-11-22T13%3A00Z&sig={quote(SIGNATURE, safe='')}"
LINK = f"https://account.blob.core.windows.net/inbox/a%20b.pdf?{QUERY}"


class Clock:
    def __init__(self, step: timedelta) -> None:
        self.time = NOW
        self.step = step

    def __call__(self) -> datetime:
        self.time += self.step
        return self.time


def client(wire: Wire, clock: Any = lambda: NOW, **options: Any) -> ReadClient:
    return ReadClient(ENDPOINT, generation("v3.2"), key="k", token=None, now=clock, session=wire.session(), **options)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "deflate"])
def test_an_answer_that_a_gateway_compressed_is_read(encoding: str) -> None:
    body = zlib.compress(DONE) if encoding == "deflate" else gzip.compress(DONE)
    answer = client(Wire(200, {"Content-Encoding": encoding}, body)).poll(OPERATION)
    assert isinstance(answer, Succeeded)
    assert answer.body == DONE


def test_the_client_asks_for_no_compression() -> None:
    wire = Wire(200, {}, DONE)
    client(wire).poll(OPERATION)
    assert wire.sent[0].headers["Accept-Encoding"] == "identity"


def test_an_inflating_answer_comes_in_blocks_of_the_usual_size() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 60_000
    answer = client(Wire(200, {"Content-Encoding": "gzip"}, bomb), most_in_memory=100_000).poll(OPERATION)
    assert isinstance(answer, Arriving)
    sizes: list[int] = []
    answer.keep = lambda block: sizes.append(len(block))
    with pytest.raises(BrokenOff):  # only blanks are not an answer of Read
        list(answer.parts())
    assert max(sizes) <= 100_000


@pytest.mark.parametrize("body", [b"not compressed", gzip.compress(DONE)[:-9], b""], ids=["a lie", "cut off", "empty"])
def test_a_broken_compressed_answer_is_retryable(body: bytes) -> None:
    answer = client(Wire(200, {"Content-Encoding": "gzip"}, body)).poll(OPERATION)
    assert isinstance(answer, Retryable)


def test_an_answer_that_drips_in_is_given_up_after_minutes() -> None:
    class Dripping(Wire):
        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
            response = super().send(request, **options)
            response.raw.stream = drops  # type: ignore[method-assign]
            return response

    given: list[int] = []

    def drops(_size: int, **_: Any) -> Iterator[bytes]:
        for number in range(1_000_000):
            given.append(number)
            yield b" "

    answer = client(Dripping(200), Clock(timedelta(seconds=30))).poll(OPERATION)
    assert isinstance(answer, Retryable)
    assert len(given) < 20


def once_more(text: str) -> str:
    return quote(text, safe="")


REPEATED = {
    "plain": LINK,
    "the query alone": LINK.partition("?")[2],
    "in HTML": f'<a href="{LINK.replace("&", "&amp;")}">here</a>',
    "encoded": once_more(LINK),
    "encoded twice": once_more(once_more(LINK)),
    "encoded three times": once_more(once_more(once_more(LINK))),
    "the signature alone": SIGNATURE,
    "the signature, encoded": once_more(SIGNATURE),
    "with a blank": f"sig = {SIGNATURE}",
    "decoded": f"{LINK.partition('?')[0]}?sig={SIGNATURE}",
    "in lower case": once_more(LINK).lower(),
    "cut off": once_more(LINK)[:-12],
}


@pytest.mark.parametrize("repeated", REPEATED.values(), ids=REPEATED.keys())
@pytest.mark.parametrize("status", [400, 401, 429])
def test_a_link_that_read_repeats_is_removed_in_every_encoding(status: int, repeated: str) -> None:
    body = f'{{"error":{{"code":"InvalidImageUrl","message":{_json(f"Could not fetch {repeated} in time.")}}}}}'
    answer = client(Wire(status, {}, body.encode())).submit_link(LINK, ReadOptions())
    assert isinstance(answer, Rejected | Retryable)
    shown = "".join(c for c in answer.message.casefold() if c.isalnum())
    for start in range(len(SIGNATURE) - 12):
        piece = "".join(c for c in SIGNATURE[start : start + 12].casefold() if c.isalnum())
        assert piece not in shown or len(piece) < 8


def test_a_message_without_a_link_is_kept_unchanged() -> None:
    body = b'{"error":{"code":"InvalidImageUrl","message":"The URL is badly formatted or not accessible."}}'
    answer = client(Wire(400, {}, body)).submit_link(LINK, ReadOptions())
    assert answer == Rejected("InvalidImageUrl", "The URL is badly formatted or not accessible.")


def _json(text: str) -> str:
    import json

    return json.dumps(text)

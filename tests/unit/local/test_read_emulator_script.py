"""The emulator plays a service from a script."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests

from local.read_emulator.script import Latency, Script, ScriptError
from local.read_emulator.serving import serving
from local.read_emulator.stage import Stage
from tests.unit.local.read_emulator import Clock, FakeEngine, Service


@contextmanager
def played(script: dict[str, Any], folder: Path | None = None) -> Iterator[Service]:
    clock = Clock()
    with serving(Stage(Script.parse(script, folder), clock)) as url:
        yield Service(url, FakeEngine(), clock)


def counters(service: Service) -> dict[str, Any]:
    counts: dict[str, Any] = service.get("/script/counters").json()
    return counts


def location(service: Service, content: bytes = b"document") -> str:
    return service.post(content).headers["Operation-Location"]


def test_a_result_comes_after_the_latency() -> None:
    with played({"latency": 1.5}) as service:
        where = location(service)
        service.clock.now += timedelta(seconds=1.4)
        assert service.get(where).json()["status"] == "running"
        service.clock.now += timedelta(seconds=0.2)
        assert service.get(where).json()["status"] == "succeeded"


def test_latencies_repeat_with_the_seed_and_have_a_long_tail() -> None:
    latency = Latency(median=1.5, sigma=0.4, tail=0.1, tail_seconds=90)
    chance, again = Random(7), Random(7)  # noqa: S311 - must be repeatable, not secret
    drawn = [latency.draw(chance) for _ in range(2000)]
    assert drawn == [latency.draw(again) for _ in range(2000)]
    assert 0.08 < sum(seconds == 90 for seconds in drawn) / 2000 < 0.12
    assert 1.4 < sorted(seconds for seconds in drawn if seconds != 90)[900] < 1.6


def test_a_result_has_its_pages_and_lines_up_to_the_cap() -> None:
    with played({"result": {"pages": 14, "lines": 3}, "page_cap": 2}) as service:
        pages = service.read(b"document")["analyzeResult"]["readResults"]
        assert [(page["page"], len(page["lines"])) for page in pages] == [(1, 3), (2, 3)]
        pages = service.read(b"document", "?pages=13-")["analyzeResult"]["readResults"]
        assert [page["page"] for page in pages] == [13, 14]


def test_a_body_from_a_file_is_served_byte_for_byte(tmp_path: Path) -> None:
    body = b'{ "status":"succeeded",\r\n "analyzeResult": {"readResults": [ ]}}\n'
    (tmp_path / "body.json").write_bytes(body)
    with played({"result": {"file": "body.json"}}, tmp_path) as service:
        assert service.get(location(service)).content == body


def test_each_accepted_content_is_counted_by_its_hash() -> None:
    with played({"faults": [{"on": "POST", "calls": [2], "do": "status", "status": 500}]}) as service:
        for content in (b"one", b"one", b"one", b"two"):
            service.post(content)
        counts = counters(service)
    assert counts["documents"] == {hashlib.sha256(b"one").hexdigest(): 2, hashlib.sha256(b"two").hexdigest(): 1}
    assert (counts["posts"], counts["accepted"]) == (4, 3)
    assert counts["outcomes"] == {"POST 202": 3, "POST 500": 1}


def test_a_call_over_the_quota_gets_the_recorded_429_with_a_true_wait() -> None:
    quota = {"kind": "fixed window", "calls": 2, "per": 60, "tier": "ComputerVision F0"}
    with played({"quotas": [quota]}) as service:
        where = location(service)
        assert service.get(where).status_code == 200
        service.clock.now += timedelta(seconds=5)
        answer = service.get(where)
        assert answer.status_code == 429
        assert "Retry-After" not in answer.headers
        assert answer.json()["error"]["message"].startswith(
            "Requests to the Read Operation under Computer Vision API (v3.2) have exceeded rate limit of your current "
            "ComputerVision F0 pricing tier. Please retry after 55 seconds. "
        )
        service.clock.now += timedelta(seconds=55)
        assert service.get(where).status_code == 200


def test_each_method_may_have_its_own_quota_and_a_retry_after_header() -> None:
    quotas = [{"calls": 1, "per": 60, "methods": ["POST"], "retry_after": True}]
    with played({"quotas": quotas}) as service:
        where = location(service)
        assert service.post(b"").headers["Retry-After"] == "60"
        assert service.get(where).status_code == 200


def test_a_connection_that_breaks_before_acceptance_costs_nothing_and_after_it_leaves_a_paid_operation() -> None:
    faults = [
        {"on": "POST", "calls": [1], "do": "reset before"},
        {"on": "POST", "calls": [2], "do": "reset after"},
    ]
    with played({"faults": faults}) as service:
        for accepted in (0, 1):
            with pytest.raises(requests.ConnectionError):
                service.post(b"document")
            assert counters(service)["accepted"] == accepted


def test_an_answer_may_break_off_in_the_middle() -> None:
    with played({"faults": [{"on": "GET", "do": "truncate"}]}) as service:
        where = location(service)
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            service.get(where)


def test_an_answer_may_be_a_proxys_html_page() -> None:
    with played({"faults": [{"on": "GET", "do": "html", "status": 502}]}) as service:
        answer = service.get(location(service))
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")


@pytest.mark.parametrize(("after", "accepted"), [(False, 0), (True, 1)])
def test_a_proxy_may_time_out_before_or_after_a_document_is_accepted(after: bool, accepted: int) -> None:
    with played({"faults": [{"on": "POST", "do": "html", "status": 504, "after": after}]}) as service:
        assert service.post(b"document").status_code == 504
        assert counters(service)["accepted"] == accepted


def test_an_answer_may_be_any_status_with_any_body_and_headers() -> None:
    fault = {"on": "POST", "do": "status", "status": 503, "body": "", "headers": {"Retry-After": "7"}}
    with played({"faults": [fault]}) as service:
        answer = service.post(b"document")
    assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (503, b"", "7")


def test_an_operation_may_fail_with_any_code() -> None:
    fault = {"on": "POST", "calls": [1], "do": "fail", "code": "3018", "message": "Timeout on getting OCR result"}
    with played({"faults": [fault]}) as service:
        failed, fine = service.read(b"document"), service.read(b"document")
    assert failed["status"] == "failed"
    assert failed["analyzeResult"]["errors"] == [{"code": "3018", "message": "Timeout on getting OCR result"}]
    assert fine["status"] == "succeeded"


def test_an_operation_may_expire_at_a_poll() -> None:
    with played({"faults": [{"on": "GET", "operations": [2], "polls": [2], "do": "expire"}]}) as service:
        first, second = location(service), location(service)
        assert [service.get(where).status_code for where in (first, second, first, second, second)] == [
            200,
            200,
            200,
            404,
            404,
        ]


def test_a_status_may_be_an_unknown_word() -> None:
    with played({"faults": [{"on": "GET", "polls": [1], "do": "status word", "word": "Queued"}]}) as service:
        where = location(service)
        assert [service.get(where).json()["status"] for _ in range(2)] == ["Queued", "succeeded"]


@pytest.mark.parametrize(
    ("change", "start", "end"),
    [
        ({"host": "elsewhere.example"}, "http://elsewhere.example/vision/v3.2/read/analyzeResults/", ""),
        ({"scheme": "https"}, "https://127.0.0.1:", ""),
        ({"query": "a=b"}, "http://127.0.0.1:", "?a=b"),
    ],
)
def test_operation_location_may_lead_to_another_host(change: dict[str, str], start: str, end: str) -> None:
    with played({"faults": [{"on": "POST", "do": "location"} | change]}) as service:
        where = location(service)
    assert where.startswith(start)
    assert where.endswith(end)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ([], "the script must be an object"),
        ({"delay": 1}, "the script: 'delay' is none of seed, latency"),
        ({"faults": [{"do": "status"}]}, "faults[0] needs 'on'"),
        ({"faults": [{"on": "GET", "do": "explode"}]}, "'explode' is none of status, html"),
        ({"quotas": [{"kind": "leaky"}]}, "'leaky' is none of token bucket"),
    ],
)
def test_an_invalid_script_is_refused_with_the_place_of_the_mistake(script: Any, text: str) -> None:
    with pytest.raises(ScriptError) as refused:
        Script.parse(script)
    assert text in str(refused.value)


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(json.dumps({"latency": 3}), encoding="utf-8")
    assert Script.load(tmp_path / "script.json").latency.median == 3

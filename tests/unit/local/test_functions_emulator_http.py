"""HTTP functions, called over HTTP as a browser or a script calls them."""

# ruff: noqa: ARG001 - an HTTP function takes its request, used or not

import http.client
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import azure.functions as func
import pytest
import requests

from local.functions_emulator.console import Console, log
from local.functions_emulator.host_json import HttpOptions
from local.functions_emulator.http_trigger import HttpFunctions
from local.functions_emulator.index import describe
from local.functions_emulator.invoke import Invoker
from local.functions_emulator.keys import FUNCTION_KEY, MASTER_KEY
from local.functions_emulator.server import Server

KEY = {"x-functions-key": FUNCTION_KEY}
GATE, STARTED = threading.Event(), threading.Semaphore(0)

app = func.FunctionApp()
blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # theirs


def shown(req: func.HttpRequest) -> dict[str, object]:
    return {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "length": len(req.get_body()),
    }


@app.route(route="echo/{name?}", methods=["GET", "POST", "PUT"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(shown(req)), mimetype="application/json")


@blueprint.route(route="blue/{*path}", auth_level="anonymous")
async def from_a_blueprint(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return func.HttpResponse(f"{context.function_name} {req.route_params.get('path')}")


@app.route(route="{ignored:maxlength(0)?}", methods=["GET", "HEAD"], auth_level="anonymous")
def page(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("<p>page", mimetype="text/html", headers={"ETag": '"1"', "X-Odd": "v"})


@app.route(methods=["POST"], auth_level="anonymous")
def mirror(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body(), mimetype="application/octet-stream", status_code=201)


@app.route(auth_level="anonymous")
def text(req: func.HttpRequest) -> str:
    return "just text, ä"


@app.route(auth_level="admin")
def owner(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("owner")


@app.route(auth_level="anonymous")
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("secret detail")


@app.route(auth_level="anonymous")
def wrong(req: func.HttpRequest) -> func.HttpResponse:
    return None  # type: ignore[return-value]  # the point of this test


@app.route(route="status/{code:int}", auth_level="anonymous")
def status(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("body", status_code=int(req.route_params["code"]))


@app.route(auth_level="anonymous")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    made = func.HttpResponse("")
    made.headers.add("Set-Cookie", "a=1; Path=/")
    made.headers.add("Set-Cookie", "b=2; HttpOnly")
    return made


@app.route(auth_level="anonymous")
def slow(req: func.HttpRequest) -> func.HttpResponse:
    STARTED.release()
    GATE.wait(10)
    return func.HttpResponse("done")


app.register_functions(blueprint)
FUNCTIONS = describe(app, {})


class Served:
    """The app, served with these options."""

    def __init__(self, options: HttpOptions) -> None:
        self.threads = ThreadPoolExecutor(32)
        self.server = Server(0, options, self.threads)
        functions = HttpFunctions(FUNCTIONS, options.route_prefix, Invoker(None, lambda: None))
        self.server.start(lambda _: pytest.fail("not an admin address"), functions.answer)
        self.url = self.server.url

    def close(self) -> None:
        self.server.close()
        self.threads.shutdown()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    served = Served(HttpOptions(custom_headers={"x-content-type-options": "nosniff"}, largest_body=1 << 20))
    yield served.url
    served.close()


def get(url: str, **more: object) -> requests.Response:
    return requests.get(url, timeout=10, **more)  # type: ignore[arg-type]  # what requests takes


def test_a_function_sees_method_url_headers_query_and_route(url: str) -> None:
    answer = get(f"{url}/api/echo/%C3%A4%20b?q=1&Q=2&empty=&x=a%26b", headers={**KEY, "X-Mine": "Yes"})
    assert answer.status_code == 200
    seen = answer.json()
    assert (seen["method"], seen["url"]) == ("GET", f"{url}/api/echo/%C3%A4%20b?q=1&Q=2&empty=&x=a%26b")
    assert seen["route"] == {"name": "ä b"}
    assert seen["params"] == {"q": "1,2", "x": "a&b"}
    assert seen["headers"]["x-mine"] == "Yes"
    assert answer.headers["content-type"] == "application/json"


def test_a_function_of_a_blueprint_runs_and_may_be_async(url: str) -> None:
    assert get(f"{url}/api/blue/a/b%2Fc").text == "from_a_blueprint a/b%2Fc"


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_page_at_the_prefix_itself_is_found_with_and_without_a_slash(url: str, path: str) -> None:
    assert get(url + path).text == "<p>page"


@pytest.mark.parametrize("body", [b"", bytes(range(256)) * 100, b"\xff\xfe\x00"])
def test_bodies_are_bytes_both_ways(url: str, body: bytes) -> None:
    answer = requests.post(f"{url}/api/mirror", data=body, timeout=10)
    assert (answer.status_code, answer.content) == (201, body)


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        ({}, "", 401),
        (KEY, "", 200),
        ({"X-Functions-Key": FUNCTION_KEY}, "", 200),
        ({"x-functions-key": "wrong"}, "", 401),
        ({"x-functions-key": "ä"}, "", 401),
        ({}, f"?code={FUNCTION_KEY}", 200),
        ({}, f"?Code={FUNCTION_KEY}", 200),
        ({}, "?code=wrong", 401),
        ({"x-functions-key": "wrong"}, f"?code={FUNCTION_KEY}", 401),
        ({"x-functions-key": MASTER_KEY}, "", 200),
    ],
)
def test_a_function_of_level_function_asks_for_a_key(
    url: str, headers: dict[str, str], query: str, expected: int
) -> None:
    given = {name: value.encode() for name, value in headers.items()}
    answer = get(f"{url}/api/echo{query}", headers=given)
    assert answer.status_code == expected
    assert expected == 200 or answer.content == b""


@pytest.mark.parametrize(("key", "expected"), [("", 401), (FUNCTION_KEY, 401), (MASTER_KEY, 200)])
def test_a_function_of_level_admin_asks_for_the_master_key(url: str, key: str, expected: int) -> None:
    assert get(f"{url}/api/owner", headers={"x-functions-key": key}).status_code == expected


def test_an_anonymous_function_ignores_a_wrong_key(url: str) -> None:
    assert get(f"{url}/api/text", headers={"x-functions-key": "wrong"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nothing"),
        ("GET", "/echo"),
        ("DELETE", "/api/echo"),
        ("HEAD", "/api/echo"),
        ("OPTIONS", "/api/mirror"),
        ("GET", "/api/mirror"),
        ("GET", "/api/echo/a/b"),
    ],
)
def test_a_path_without_a_route_is_not_found_with_or_without_a_key(url: str, method: str, path: str) -> None:
    for headers in ({}, KEY):
        assert requests.request(method, url + path, headers=headers, timeout=10).status_code == 404


def test_a_head_request_is_answered_with_headers_and_no_body(url: str) -> None:
    answer = requests.head(f"{url}/api/", timeout=10)
    assert (answer.status_code, answer.headers["etag"], answer.content) == (200, '"1"', b"")


def test_a_function_that_returns_text_answers_with_it(url: str) -> None:
    answer = get(f"{url}/api/text")
    assert (answer.text, answer.headers["content-type"]) == ("just text, ä", "text/plain; charset=utf-8")


def test_the_headers_of_the_answer_and_of_host_json_are_sent(url: str) -> None:
    headers = get(f"{url}/api/").headers
    assert (headers["x-odd"], headers["x-content-type-options"]) == ("v", "nosniff")


def test_each_cookie_is_a_header_of_its_own(url: str) -> None:
    assert get(f"{url}/api/cookies").raw.headers.getlist("set-cookie") == ["a=1; Path=/", "b=2; HttpOnly"]


@pytest.mark.parametrize("code", [204, 304])
def test_a_status_without_a_body_sends_none_and_keeps_the_connection_open(url: str, code: int) -> None:
    with requests.Session() as session:
        assert session.get(f"{url}/api/status/{code}", timeout=10).content == b""
        assert session.get(f"{url}/api/status/418", timeout=10).text == "body"


@pytest.mark.parametrize("name", ["broken", "wrong"])
def test_an_exception_is_answered_500_with_an_empty_body_and_its_traceback_is_printed(url: str, name: str) -> None:
    stream = io.StringIO()
    console = Console({}, stream)
    log.addHandler(console)
    try:
        answer = get(f"{url}/api/{name}")
    finally:
        log.removeHandler(console)
    assert (answer.status_code, answer.content) == (500, b"")
    assert "secret detail" not in str(answer.headers)
    assert {"broken": "RuntimeError: secret detail", "wrong": "unsupported type"}[name] in stream.getvalue()


def test_a_body_over_the_limit_is_refused_without_reading_it(url: str) -> None:
    assert requests.post(f"{url}/api/mirror", data=bytes(1 << 20), timeout=10).status_code == 201
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/api/mirror")
    connection.putheader("Content-Length", str((1 << 20) + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_the_limit_is_100_mb_unless_an_app_setting_says_otherwise() -> None:
    assert HttpOptions().largest_body == 100 * 1024 * 1024


def test_a_body_without_a_length_reaches_no_function_as_with_the_host(url: str) -> None:
    answer = requests.post(f"{url}/api/echo", data=iter([b"abc", b"def"]), headers=KEY, timeout=10)
    assert (answer.status_code, answer.json()["length"]) == (200, 0)


@pytest.mark.parametrize(("length", "expected"), [(8000, 200), (8300, 414)])
def test_a_request_line_of_more_than_8_kb_is_refused(url: str, length: int, expected: int) -> None:
    assert get(f"{url}/api/echo?q={'x' * (length - 40)}", headers=KEY).status_code == expected


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_pages_from_other_sites_get_nothing_even_with_the_key(url: str, headers: dict[str, str]) -> None:
    assert get(f"{url}/api/echo", headers={**KEY, **headers}).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:7071", "http://127.0.0.1:1", "http://[::1]:80"])
def test_pages_of_this_machine_are_answered(url: str, origin: str) -> None:
    assert get(f"{url}/api/echo", headers={**KEY, "Origin": origin}).status_code == 200


def test_the_root_has_a_homepage(url: str) -> None:
    answer = get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_a_different_prefix_applies_to_every_route() -> None:
    served = Served(HttpOptions(route_prefix=""))
    try:
        assert get(f"{served.url}/text").status_code == 200
        assert get(f"{served.url}/api/text").status_code == 404
        assert get(served.url).text == "<p>page"
    finally:
        served.close()


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        (HttpOptions(max_outstanding_requests=2), [200, 200, 429]),
        (HttpOptions(max_concurrent_requests=1), [200, 200, 200]),
    ],
)
def test_requests_beyond_the_limits_of_host_json_are_refused_or_wait(limits: HttpOptions, statuses: list[int]) -> None:
    GATE.clear()
    served = Served(limits)
    running = limits.max_concurrent_requests or limits.max_outstanding_requests
    try:
        with ThreadPoolExecutor(3) as asking:
            first = [asking.submit(get, f"{served.url}/api/slow") for _ in range(2)]
            for _ in range(running):
                assert STARTED.acquire(timeout=10)
            last = asking.submit(get, f"{served.url}/api/slow")
            if limits.max_outstanding_requests:
                last.result()
            assert not STARTED.acquire(blocking=False)
            GATE.set()
            assert sorted(one.result().status_code for one in [*first, last]) == statuses
    finally:
        while STARTED.acquire(blocking=False):
            pass
        served.close()

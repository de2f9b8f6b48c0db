"""check finds what is wrong with Read and storage, without changing or paying for anything."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cli import connection
from cli.__main__ import ended
from cli.__main__ import run as run_command
from cli.arguments import parse
from shared.assembly import build
from shared.check import Finding, check, check_read, check_settings, check_storage, made_up_operation
from shared.read.generation import Generation
from shared.read.generations import all_generations
from simulation.app import App, settings_for
from simulation.read_server import LOST, RUNNING, THROTTLED, Answer, ReadServer, as_json
from simulation.storage_tap import StorageTap

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's account key, which is public."""


def wrong(findings: Iterator[Finding]) -> dict[str, str]:
    """The failed checks, by name, with what was found and the advice."""
    return {each.name: f"{each.message} {each.advice or ''}".strip() for each in findings if not each.ok}


# Read


@pytest.mark.parametrize("generation", all_generations(), ids=lambda each: each.version)
def test_the_url_of_the_made_up_operation_fits_its_generation(generation: Generation) -> None:
    path = made_up_operation(generation)
    assert generation.operation_path(path) == path


def test_read_is_called_once_and_nothing_is_submitted(app: App, read: ReadServer) -> None:
    assert wrong(check_read(app.services)) == {}
    assert (read.polls, read.submitted) == (1, [])


@pytest.mark.parametrize(
    ("answer", "name", "told"),
    [
        (LOST, "Read endpoint", "Unreachable: .* Check READ_ENDPOINT"),
        (Answer(200, b"<html>Sign in</html>"), "Read endpoint", "NotReadsAnswer: .* proxy or a sign-in page"),
        (as_json(401, {"error": {"code": "401", "message": "Access denied."}}), "Read identity", "CredentialsRefused"),
        (
            as_json(403, {"error": {"code": "403", "message": "The principal does not have access to API/Operation."}}),
            "Read identity",
            "RoleMissing: .* role Cognitive Services User",
        ),
        (
            as_json(404, {"error": {"code": "404", "message": "Resource not found"}}),
            "Read version",
            "EndpointNotFound: .* set READ_API_VERSION=2024-11-30",
        ),
    ],
)
def test_an_answer_of_read_is_reported_for_the_setting_that_it_concerns(
    app: App, read: ReadServer, answer: Answer, name: str, told: str
) -> None:
    read.gets.append(answer)
    findings = list(check_read(app.services))
    first = next(each for each in findings if not each.ok)
    assert first.name == name
    assert re.search(told, f"{first.message} {first.advice}")
    assert "by itself" not in (first.advice or "")
    assert all("Not known" in each.message for each in findings[findings.index(first) + 1 :])
    assert all(each.ok for each in findings[: findings.index(first)])


@pytest.mark.parametrize("answer", [THROTTLED, RUNNING, as_json(503, {"error": {"code": "503", "message": "Busy."}})])
def test_a_busy_read_service_passes(app: App, read: ReadServer, answer: Answer) -> None:
    read.gets.append(answer)
    assert wrong(check_read(app.services)) == {}


# Storage


def test_before_the_first_file_only_a_missing_input_container_is_a_fault(tap: StorageTap, read: ReadServer) -> None:
    services = build(settings_for(tap.connection_string, read.endpoint, DONE_QUEUE="done"))
    container = services.settings.input_container

    found = list(check(services))

    assert wrong(iter(found)) == {
        f"container {container}": "It does not exist. Create the container"
        f" {container}, or set INPUT_CONTAINER to the one that has the files."
    }
    later = [each.name for each in found if "The app creates it when" in each.message]
    assert [name.split()[0] for name in later] == ["container", "table", "table", "queue", "queue"]


def test_check_changes_nothing(app: App, tap: StorageTap) -> None:
    app.read("a.png", "one")
    before, seen = app.document("a.png"), len(tap.calls)

    assert wrong(check(app.services)) == {}

    writes = [str(call) for call in tap.calls[seen:] if call.method not in ("GET", "HEAD")]
    assert all(call.startswith("DELETE ") and ("~check-" in call or "/messages/" in call) for call in writes), writes
    assert app.document("a.png") == before
    assert app.lines("a.png") == ["one"]
    assert wrong(check_storage(build(replace(app.settings, done_queue="no-such-queue")))) == {}


@contextmanager
def storage(refuses: Callable[[str], bool], status: int, code: str) -> Iterator[str]:
    """A storage account that refuses some methods and accepts the others."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Tests print nothing."""

        def answer(self) -> None:
            refused = refuses(self.command)
            table, queue = "()" in self.path or "(Partition" in self.path, "/messages" in self.path
            body = b'{"value": []}' if table else b"<QueueMessagesList></QueueMessagesList>" if queue else b""
            if refused and table:
                error = {"odata.error": {"code": code, "message": {"lang": "en", "value": "No."}}}
                body = json.dumps(error).encode()
            elif refused:
                body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
            if self.command == "HEAD":
                body = b""
            self.send_response(status if refused else 404 if self.command == "DELETE" else 200)
            self.send_header("Content-Type", "application/json" if table else "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Last-Modified", "Sun, 22 Nov 2026 10:00:00 GMT")
            self.send_header("ETag", '"0x1"')
            if refused:
                self.send_header("x-ms-error-code", code)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_DELETE = do_POST = do_PUT = answer  # noqa: N815

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/account"
        yield f"AccountName=account;AccountKey={KEY};BlobEndpoint={url};QueueEndpoint={url};TableEndpoint={url};"
        server.shutdown()


@pytest.mark.parametrize(
    ("methods", "how"), [(("GET", "HEAD", "DELETE"), "read"), (("DELETE",), "written")], ids=["none", "reader"]
)
def test_a_forbidden_operation_is_reported_with_the_missing_role(
    methods: tuple[str, ...], how: str, read: ReadServer
) -> None:
    with storage(lambda method: method in methods, 403, "AuthorizationPermissionMismatch") as account:
        found = wrong(check_storage(build(settings_for(account, read.endpoint))))

    roles = {"container": "Blob", "table": "Table", "queue": "Queue"}
    assert len(found) == 5
    for name, told in found.items():
        assert told == (
            f"It cannot be {how}: HTTP 403 AuthorizationPermissionMismatch. Give this identity the role Storage"
            f" {roles[name.split()[0]]} Data Contributor on the storage account; it takes some minutes to hold."
        )


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AuthenticationFailed", "Check the key or signature"),
        ("AuthorizationFailure", "firewall"),
        ("KeyBasedAuthenticationNotPermitted", "DocumentStorage__accountName"),
    ],
)
def test_a_refusal_that_no_role_can_fix_says_what_can(code: str, advice: str, read: ReadServer) -> None:
    with storage(lambda _: True, 403, code) as account:
        found = wrong(check_storage(build(settings_for(account, read.endpoint))))
    assert len(found) == 5
    assert all(advice in told for told in found.values())


def test_an_account_that_accepts_everything_passes(read: ReadServer) -> None:
    with storage(lambda _: False, 0, "") as account:
        assert wrong(check_storage(build(settings_for(account, read.endpoint)))) == {}


def test_an_unreachable_account_is_reported(read: ReadServer) -> None:
    account = f"AccountName=a;AccountKey={KEY};" + "".join(
        f"{each}Endpoint=http://127.0.0.1:1/a;" for each in ("Blob", "Queue", "Table")
    )
    found = wrong(check_storage(build(settings_for(account, read.endpoint))))
    assert len(found) == 5
    assert all("Storage was not reached" in told and "DocumentStorage" in told for told in found.values())


# The command


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(app: connection.App, *arguments: str) -> tuple[int, str, str]:
        status = ended(lambda: run_command(parse(["check", *arguments]), app))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def _environ(app: App, **others: str) -> dict[str, str]:
    settings = app.settings
    return {
        "DocumentStorage": settings.storage.connection_string or "",
        "READ_ENDPOINT": settings.read_endpoint,
        "INPUT_CONTAINER": settings.input_container,
        "OUTPUT_CONTAINER": settings.output_container,
        "READ_QUEUE": settings.read_queue,
        "DOCUMENTS_TABLE": settings.documents_table,
        "LINES_TABLE": settings.lines_table,
    } | others


def test_check_prints_ok_for_each_check(cli: Run, app: App) -> None:
    status, out, err = cli(connection.App(_environ(app)))
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["ok"] * 9
    assert out.startswith(f"ok     app settings: Files in {app.settings.input_container}/ are read by Computer Vision,")


def test_check_as_json_prints_one_object_per_check(cli: Run, app: App) -> None:
    findings = [json.loads(line) for line in cli(connection.App(_environ(app)), "--json")[1].splitlines()]
    assert all(list(each) == ["name", "ok", "message", "advice"] for each in findings)
    assert [each["name"] for each in findings][:4] == ["app settings", "Read endpoint", "Read identity", "Read version"]


def test_check_continues_with_storage_if_read_is_not_set(cli: Run, app: App) -> None:
    status, out, _ = cli(connection.App(_environ(app, READ_ENDPOINT="")))
    lines = out.splitlines()
    assert status == 1
    assert lines[0].startswith("WRONG  app settings: READ_ENDPOINT is not set.")
    assert lines[1].strip().startswith("To check Read too, set it as in the app")
    assert len(lines) == 7


def test_check_of_a_local_stack_that_does_not_run_finds_nothing_wrong(cli: Run, app: App) -> None:
    status, out, _ = cli(connection.App(_environ(app, READ_ENDPOINT=""), runs=False))
    lines = out.splitlines()
    assert status == 0
    assert lines[0].startswith("ok     app settings: Files in")
    assert lines[1] == "ok     Read: The local stack starts an emulator: `dev.py run FILE`, or `dev.py up`."
    assert len(lines) == 7


def test_check_of_a_local_stack_names_a_wrong_setting(cli: Run, app: App) -> None:
    status, out, _ = cli(connection.App(_environ(app, READ_ENDPOINT="", READ_RATE="fast"), runs=False))
    assert status == 1
    assert out.startswith("WRONG  app settings: READ_RATE is 'fast'")


def test_check_names_a_wrong_setting_and_ends(cli: Run, app: App) -> None:
    status, out, _ = cli(connection.App(_environ(app, READ_RATE="fast")))
    assert status == 1
    assert out.startswith("WRONG  app settings: READ_RATE is 'fast'")
    assert len(out.splitlines()) == 2


def test_correct_settings_say_what_is_read(app: App) -> None:
    settings, finding = check_settings(_environ(app, INPUT_PREFIX="scans"), "{}")
    assert settings is not None
    assert finding.ok
    assert f"{app.settings.input_container}/scans/" in finding.message

"""The Functions emulator as a process of its own: `python -m local.functions_emulator`."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from local.functions_emulator.keys import FUNCTION_KEY
from local.paths import ROOT
from local.processes import Azurite
from tests.integration.functions_emulator import Storage, count, encoded, eventually, texts

APP = """
import logging, os, time
from pathlib import Path
import azure.functions as func

app = func.FunctionApp()
RECORD = Path(os.environ["RECORD"])

def record(line):
    with RECORD.open("a", encoding="utf-8") as file:
        file.write(line + "\\n")

@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="Documents")
def work(message: func.QueueMessage):
    body = message.get_body().decode()
    record(f"start {body} {message.dequeue_count}")
    logging.info("working on %s", body)
    if body.startswith("sleep"):
        time.sleep(float(body.split()[1]))
    record(f"end {body}")

@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
def sweep(timer: func.TimerRequest):
    record("sweep")
"""


class Process:
    """The host, its output, and what the app recorded."""

    def __init__(self, folder: Path, environ: dict[str, str], arguments: list[str]) -> None:
        self.record = folder / "record.txt"
        self.lines: list[str] = []
        self.popen = subprocess.Popen(  # noqa: S603 - this project's own module
            [sys.executable, "-m", "local.functions_emulator", "--app", str(folder), "--port", "0", *arguments],
            cwd=ROOT,
            env={**os.environ, **environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        self.lines.extend(self.popen.stdout)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def recorded(self) -> list[str]:
        return self.record.read_text(encoding="utf-8").splitlines() if self.record.exists() else []

    def says(self, text: str) -> "Process":
        eventually(lambda: text in self.output)
        return self

    def ends(self) -> int:
        return self.popen.wait(15)


Run = Callable[..., Process]


@pytest.fixture
def storage(azurite: Azurite) -> Storage:
    storage = Storage(azurite.connection_string)
    storage.queue.create_queue()
    return storage


@pytest.fixture
def run(storage: Storage, tmp_path: Path) -> Iterator[Run]:
    """Starts the host in a folder of its own; `source` is the app, `host_json` what its host.json holds."""
    started = []

    def run(*arguments: str, source: str = APP, host_json: object = None, **environ: str) -> Process:
        (tmp_path / "function_app.py").write_text(source, encoding="utf-8")
        polling = {"extensions": {"queues": {"maxPollingInterval": "00:00:00.100"}}}
        (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", **polling, **(host_json or {})}))  # type: ignore[dict-item]
        settings = {**storage.environ, "QUEUE": storage.queue_name, "RECORD": str(tmp_path / "record.txt")}
        started.append(Process(tmp_path, {**settings, **environ}, list(arguments)))
        return started[-1]

    yield run
    for process in started:
        process.popen.kill()
        process.popen.wait()


def test_it_prints_what_func_start_prints(run: Run, storage: Storage) -> None:
    host = run().says("Host started")
    storage.queue.send_message(encoded("one"))
    host.says("Executed 'Functions.work' (Succeeded")
    assert "\nFunctions:\n\n\twork: queueTrigger\n\n\tsweep: timerTrigger\n" in host.output
    stamp = r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]"
    assert re.search(
        rf"{stamp} Executing 'Functions\.work' \(Reason='New queue message detected on 'work-", host.output
    )
    assert re.search(rf"{stamp} Trigger Details: MessageId: \S+, DequeueCount: 1, InsertedOn: 20", host.output)
    assert re.search(rf"{stamp} working on one\n", host.output)
    assert re.search(rf"{stamp} Executed 'Functions\.work' \(Succeeded, Id=\S+, Duration=\d+ms\)", host.output)


def test_a_running_host_says_so_and_runs_functions_on_request(run: Run) -> None:
    host = run().says("Host started")
    found = re.search(r"http://127\.0\.0\.1:\d+/admin/", host.output)
    assert found is not None
    assert requests.get(f"{found[0]}host/status", timeout=5).json()["state"] == "Running"
    for name, given in (("work", "by hand"), ("sweep", None)):
        answer = requests.post(f"{found[0]}functions/{name}", json={"input": given}, timeout=5)
        assert answer.status_code == 202
    eventually(lambda: host.recorded.count("sweep") == 2 and "end by hand" in host.recorded)
    assert "called via the host APIs" in host.output


def test_an_http_function_is_served_at_the_printed_url(run: Run) -> None:
    source = (
        APP
        + """
@app.route(route="greet/{name}", methods=["GET"])
async def greet(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"hello {req.route_params['name']}")
"""
    )
    host = run(source=source).says("Host started")
    printed = re.search(r"greet: \[GET\] (http://127\.0\.0\.1:\d+/api/greet/)\{name\}", host.output)
    assert printed, host.output
    assert requests.get(f"{printed[1]}you", timeout=10).status_code == 401
    assert requests.get(f"{printed[1]}you", headers={"x-functions-key": FUNCTION_KEY}, timeout=10).text == "hello you"


def test_settings_come_from_the_file_and_the_environment_overrides_them(
    run: Run, storage: Storage, tmp_path: Path
) -> None:
    values = {"QUEUE": "not-this-one", "GREETING": "from the file"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    source = APP + '\nlogging.info("GREETING is %s", os.environ["GREETING"])\n'
    host = run(source=source).says("GREETING is from the file").says("Host started")
    storage.queue.send_message(encoded("one"))
    host.says("New queue message detected on '" + storage.queue_name)


def test_with_a_name_only_that_function_runs(run: Run, storage: Storage) -> None:
    host = run("--function", "work").says("Host started")
    storage.queue.send_message(encoded("one"))
    host.says("Executed 'Functions.work'")
    assert "sweep" not in host.recorded


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_a_host_that_is_asked_to_stop_lets_running_functions_finish(run: Run, storage: Storage) -> None:
    host = run().says("Host started")
    storage.queue.send_message(encoded("sleep 1"))
    host.says("working on sleep")
    host.popen.send_signal(signal.SIGTERM)
    assert host.ends() == 0
    assert host.recorded[-1] == "end sleep 1"
    assert count(storage.queue) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a console, not to a process")
def test_a_second_ctrl_c_ends_the_host_at_once(run: Run, storage: Storage) -> None:
    host = run().says("Host started")
    storage.queue.send_message(encoded("sleep 9"))
    host.says("working on sleep")
    host.popen.send_signal(signal.SIGINT)
    host.says("Stopping")
    host.popen.send_signal(signal.SIGINT)
    assert host.ends() == 130
    assert "end sleep 9" not in host.recorded


def test_a_message_of_a_killed_host_comes_back_when_its_lease_ends(run: Run, storage: Storage) -> None:
    storage.queue.send_message(encoded("sleep 1"))
    first = run("--lease-seconds", "3").says("working on sleep")
    first.popen.kill()
    first.ends()
    assert texts(storage.queue) == []
    second = run("--lease-seconds", "3")
    eventually(lambda: "end sleep 1" in second.recorded)
    assert [line for line in second.recorded if line != "sweep"] == [
        "start sleep 1 1",
        "start sleep 1 2",
        "end sleep 1",
    ]
    eventually(lambda: count(storage.queue) == 0)


def test_a_function_over_the_timeout_ends_the_host_with_status_3(run: Run, storage: Storage) -> None:
    storage.queue.send_message(encoded("sleep 30"))
    host = run(host_json={"functionTimeout": "00:00:01"})
    assert host.ends() == 3
    assert "Timeout value of 0:00:01 exceeded by function 'Functions.work'" in host.output


def test_an_app_that_cannot_be_imported_ends_with_its_traceback_one_sentence_and_status_2(run: Run) -> None:
    host = run(source="def helper():\n    import nowhere\nhelper()\n")
    assert host.ends() == 2
    eventually(lambda: "function_app.py cannot be imported: ModuleNotFoundError" in host.lines[-1])
    assert 'function_app.py", line 2, in helper' in host.output
    assert "functions_emulator" not in host.output


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("extensions__queues__batchSize) is '33'", {"host_json": {"extensions": {"queues": {"batchSize": 33}}}}),
        ("Storage connection 'Documents' is not set", {"Documents": ""}),
        ("The queue service of 'Documents' does not answer", {"Documents": "nobody"}),
        ("The queue service of 'Documents' refuses this host", {"Documents": "wrong key"}),
        ("the schedule 'never' is not NCRONTAB", {"source": APP.replace("0 0 0 1 1 *", "never")}),
        ("exactly one top-level FunctionApp", {"source": "pass"}),
    ],
)
def test_a_command_that_cannot_run_prints_one_sentence_and_ends_with_status_2(
    run: Run, azurite: Azurite, said: str, change: dict[str, str]
) -> None:
    if change.get("Documents") == "nobody":
        change = {"Documents": re.sub(r":\d+/", ":1/", azurite.connection_string)}
    elif change.get("Documents") == "wrong key":
        change = {"Documents": re.sub("AccountKey=[^;]+", "AccountKey=a2V5", azurite.connection_string)}
    host = run(**change)
    assert host.ends() == 2
    eventually(lambda: host.lines and said in host.lines[-1])
    assert "Traceback" not in host.output

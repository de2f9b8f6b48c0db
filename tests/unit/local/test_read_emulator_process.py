"""`python -m local.read_emulator` as a process."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[3]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "local.read_emulator", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"latency": 60}), encoding="utf-8")
    return str(path)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_it_prints_its_address_and_then_one_line_per_call_without_the_content(script: str) -> None:
    with started("--port", "0", "--script", script) as process:
        greeting = first_line(process)
        assert greeting.startswith("Read emulator listening on http://127.0.0.1:")
        url = greeting.split()[-1]
        answer = requests.post(
            f"{url}/vision/v3.2/read/analyze?language=en",
            data=b"secret",
            headers={"Content-Type": "application/octet-stream"},
            timeout=10,
        )
        assert answer.status_code == 202
        assert first_line(process) == "POST /vision/v3.2/read/analyze 202\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_even_while_a_client_is_connected(script: str, sent: signal.Signals) -> None:
    with started("--port", "0", "--script", script) as process:
        url = first_line(process).split()[-1]
        with requests.Session() as session:
            session.get(f"{url}/status", timeout=10)
            process.send_signal(sent)
            assert process.wait(2) == -sent
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_taken_port_is_reported_in_one_sentence(script: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started("--port", port, "--script", script) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors.startswith(f"Cannot listen on 127.0.0.1:{port}: ")
    assert errors.count("\n") == 1


def test_an_invalid_script_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"latencies": 3}', encoding="utf-8")
    with started("--port", "0", "--script", str(tmp_path / "script.json")) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "'latencies' is none of seed, latency" in errors
    assert errors.count("\n") == 1


def test_the_containers_endpoints_status_and_ready_answer(script: str) -> None:
    with started("--port", "0", "--script", script) as process:
        url = first_line(process).split()[-1]
        assert requests.get(f"{url}/status", timeout=10).json()["apiStatus"] == "Valid"
        assert requests.get(f"{url}/ready", timeout=10).json()["ready"] == "ready"

# ruff: noqa: S603, S607 - starts this very Python, and ps

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.paths import ROOT
from local.processes import Service, ServiceError

posix = pytest.mark.skipif(sys.platform == "win32", reason="asks for processes as POSIX does")

UNTIL_STDIN_CLOSES = "import sys; sys.stdin.read()"


def service(tmp_path: Path, program: str, *, ready: list[str] | None = None, time_limit: float = 20) -> Service:
    command = [sys.executable, "-u", "-c", program]
    patterns = ["ready"] if ready is None else ready
    return Service("The part", command, ready=patterns, log=tmp_path / "part.log", time_limit=time_limit)


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # An orphan that has ended may wait for a lazy init to collect it.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] not in ("", "Z")


def test_a_service_is_ready_when_it_says_so_and_its_output_is_kept(tmp_path: Path) -> None:
    program = f"print('blob at 1'); print('noise'); print('queue at 2'); {UNTIL_STDIN_CLOSES}"

    with service(tmp_path, program, ready=[r"blob at (\d)", r"queue at (\d)"]) as part:
        assert part.found == ["1", "2"]


def test_a_service_that_ends_before_it_is_ready_is_reported_with_its_last_output_and_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(ServiceError, match=r"The part did not come up .*address in use.* log is .*part\.log"),
        service(tmp_path, "raise SystemExit('address in use')"),
    ):
        pass


def test_a_service_that_is_not_ready_in_time_is_reported_and_stopped(tmp_path: Path) -> None:
    part = service(tmp_path, f"import os; print(os.getpid()); {UNTIL_STDIN_CLOSES}", time_limit=0.5)

    with pytest.raises(ServiceError, match="did not come up within 0 s"), part:
        pass

    assert not is_running(int((tmp_path / "part.log").read_text()))


def test_a_service_that_ends_later_is_reported_by_the_next_check(tmp_path: Path) -> None:
    with service(tmp_path, "print('ready'); raise SystemExit(7)") as part:
        assert wait_for(lambda: _fails(part))
        with pytest.raises(ServiceError, match="The part ended with status 7"):
            part.check()


def _fails(part: Service) -> bool:
    try:
        part.check()
    except ServiceError:
        return True
    return False


@posix
def test_stopping_a_service_stops_its_child_processes(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
        f" stdin=subprocess.DEVNULL); print('ready', child.pid); {UNTIL_STDIN_CLOSES}"
    )

    with service(tmp_path, program, ready=[r"ready (\d+)"]) as part:
        grandchild = int(part.found[0])
        assert is_running(grandchild)

    assert wait_for(lambda: not is_running(grandchild))


@posix
def test_a_service_that_does_not_stop_by_itself_is_killed(tmp_path: Path) -> None:
    part = service(tmp_path, "import os, time; print('ready', os.getpid()); time.sleep(60)", ready=[r"ready (\d+)"])
    with part:
        part.stop(time_limit=0.2)

    assert not is_running(int(part.found[0]))


@posix
@pytest.mark.parametrize("ends_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_service_outlives_its_parent_however_the_parent_ends(tmp_path: Path, ends_by: signal.Signals) -> None:
    # The module serves until it is interrupted, as the emulators do.
    (tmp_path / "serves.py").write_text("import os, time\nprint('ready', os.getpid(), flush=True)\ntime.sleep(60)\n")
    program = (
        "import sys, time; from pathlib import Path; from local.processes import Service\n"
        "command = [sys.executable, '-m', 'local.until_stdin_closes', 'serves']\n"
        f"part = Service('The part', command, ready=[r'ready (\\d+)'], log=Path({str(tmp_path / 'log')!r}))\n"
        "part.start(); part.wait_until_ready(); print(part.found[0], flush=True); time.sleep(60)"
    )
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    parent = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)

        parent.send_signal(ends_by)

    assert wait_for(lambda: not is_running(child))


@posix
def test_a_module_that_ignores_its_interruption_is_killed_with_its_children(tmp_path: Path) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    program = (
        "import sys; from local import until_stdin_closes as module; module.GRACE = 0.2; sys.argv[1:] = ['stubborn'];"
        " module.main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        grandchild = int(process.stdout.readline())

        process.stdin.close()
        process.stdin = None

        assert process.wait(20) != 0
    assert wait_for(lambda: not is_running(grandchild))

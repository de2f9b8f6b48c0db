# ruff: noqa: S603 - starts this very Python

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local.lock import Locked, locked
from local.paths import ROOT


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(Locked), locked(tmp_path / "lock"):
        pass


def test_a_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass


def test_a_lock_is_released_when_its_holder_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from local.lock import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lock")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Locked), locked(tmp_path / "lock"):
            pass

        holder.kill()
        holder.wait()

        with locked(tmp_path / "lock"):
            pass


def test_a_process_that_waits_for_a_lock_says_so_and_gets_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = threading.Event()

    def wait() -> None:
        with locked(tmp_path / "lock", waiting="Waiting for the other."):
            held.set()

    with locked(tmp_path / "lock"):
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert not held.wait(0.3)
    waiter.join(10)

    assert held.is_set()
    assert capsys.readouterr().err == "Waiting for the other.\n"

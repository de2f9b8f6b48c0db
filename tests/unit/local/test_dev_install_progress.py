import sys
from pathlib import Path

import pytest

from local.install_progress import Installation


def run(tmp_path: Path, program: str) -> tuple[int, str]:
    with (tmp_path / "lock").open("w") as lock, Installation(tmp_path / "log", inherit=lock.fileno()) as installation:
        status = installation.run("Packages", [sys.executable, "-c", program])
    return status, (tmp_path / "log").read_text()


def test_a_person_sees_what_was_downloaded_and_how_long_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetches = "Downloading big-1.0-py3-none-any.whl (20.5 MB)\\nUsing cached small-1.0-py3-none-any.whl (500 kB)"

    status, _ = run(tmp_path, f"print('{fetches}')")

    assert status == 0
    assert "Packages: 21 MB, 0 s" in capsys.readouterr().err


def test_the_log_has_everything_that_an_installer_prints(tmp_path: Path) -> None:
    _, log = run(tmp_path, "import sys; print('one'); print('two', file=sys.stderr)")

    assert "one" in log
    assert "two" in log


def test_a_failure_is_reported_and_its_status_returned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = run(tmp_path, "raise SystemExit(3)")

    assert status == 3
    assert "Packages: failed after" in capsys.readouterr().err


def test_the_users_pip_settings_do_not_install_packages_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")

    _, log = run(tmp_path, "import os; print('target:', os.environ.get('PIP_TARGET'))")

    assert "target: None" in log


def test_leftovers_of_an_interrupted_installer_are_removed_at_once_or_by_the_next_one(tmp_path: Path) -> None:
    leave = "import pathlib, tempfile; pathlib.Path(tempfile.mkdtemp(), 'wheel').touch(); print(tempfile.gettempdir())"

    _, log = run(tmp_path, leave)
    folder = Path(log.splitlines()[-1])
    after_it = folder.exists()
    (folder / "of-one-that-was-killed").mkdir(parents=True)
    with (tmp_path / "lock").open("w") as lock, Installation(tmp_path / "log", inherit=lock.fileno()):
        with_the_next = list(folder.iterdir())

    assert folder.parent == tmp_path
    assert (after_it, with_the_next) == (False, [])

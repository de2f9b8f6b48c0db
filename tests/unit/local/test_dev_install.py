# ruff: noqa: ARG001, ARG002 - fakes have the signatures of what they stand for

import ast
import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from local import install
from local.install import InstallError
from local.stack import StackError

DEV_PY = Path(__file__).parents[3] / "dev.py"


class FakeInstallation:
    """Records what was run, and creates the files that an installer creates."""

    commands: list[list[str]] = []  # noqa: RUF012 - each test sets it
    fails: str = ""
    interrupted: str = ""

    def __init__(self, log: Path, inherit: int) -> None:
        self.log = log

    def __enter__(self) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def run(self, title: str, command: Sequence[str], directory: Path | None = None) -> int:
        self.commands.append(list(command))
        if title == "Virtual environment":
            python = install.python_of(Path(command[-1]))
            python.parent.mkdir(parents=True)
            python.touch()
        if title == self.interrupted:
            raise KeyboardInterrupt
        return int(title == self.fails)


@pytest.fixture(autouse=True)
def installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[FakeInstallation]:
    """A checkout where nothing is installed yet, on a machine with Node.js."""

    class Fresh(FakeInstallation):
        commands: list[list[str]] = []  # noqa: RUF012 - of this test

    root, dev = tmp_path / "a checkout", tmp_path / "a checkout/.dev"
    for file in ("requirements.txt", "local/requirements.txt", "local/constraints.txt", "requirements-dev.txt"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("example==1\n")
    (root / "local/azurite").mkdir()
    for file in ("package.json", "package-lock.json"):
        (root / "local/azurite" / file).write_text("{}")
    node = tmp_path / "node"
    node.touch()
    monkeypatch.setattr(install, "ROOT", root)
    monkeypatch.setattr(install, "DEV", dev)
    monkeypatch.setattr(install, "VENV", dev / "venv")
    monkeypatch.setattr(install, "OPERATOR_VENV", dev / "venv-cli")
    monkeypatch.setattr(install, "AZURITE", dev / "azurite")
    monkeypatch.setattr(install, "LOG", dev / "logs/install.log")
    monkeypatch.setattr(install, "Installation", Fresh)
    monkeypatch.setattr(install, "_node_on_path", lambda: (str(node), ["npm"]))
    return Fresh


def checkout() -> Path:
    return install.VENV.parent.parent


def titles(installation: type[FakeInstallation]) -> list[str]:
    """What was run, abbreviated."""
    return [next(word for word in ("venv", "pip", "ci") if word in command) for command in installation.commands]


def test_the_first_start_makes_a_virtual_environment_and_installs_packages_and_azurite(
    installation: type[FakeInstallation],
) -> None:
    install.install(tests=False)

    assert titles(installation) == ["venv", "pip", "ci"]


def test_the_operators_commands_install_only_the_apps_packages(installation: type[FakeInstallation]) -> None:
    assert install.install_operator() == install.OPERATOR_VENV

    assert titles(installation) == ["venv", "pip"]
    required = [word for word in installation.commands[1] if word.startswith("--requirement=")]
    assert required == [f"--requirement={checkout() / 'requirements.txt'}"]

    installation.commands.clear()
    assert install.install_operator() == install.OPERATOR_VENV
    assert installation.commands == []


def test_the_operators_commands_use_an_existing_installation(installation: type[FakeInstallation]) -> None:
    install.install(tests=False)
    installation.commands.clear()

    assert install.install_operator() == install.VENV

    assert installation.commands == []


@pytest.mark.parametrize("line", [["status"], ["list"], ["check"], ["text", "a.pdf"]])
def test_a_command_on_empty_storage_installs_nothing(
    installation: type[FakeInstallation],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: list[str],
) -> None:
    def check_is_stored() -> None:
        raise StackError("Nothing is stored.")

    monkeypatch.setattr(install, "check_is_stored", check_is_stored)

    assert install.main(line) == 2

    assert capsys.readouterr().err == "Nothing is stored.\n"
    assert installation.commands == []


def test_the_second_start_installs_nothing(installation: type[FakeInstallation]) -> None:
    install.install(tests=False)
    installation.commands.clear()

    install.install(tests=False)

    assert installation.commands == []


def test_an_interrupted_installation_starts_again(installation: type[FakeInstallation]) -> None:
    installation.interrupted = "Python packages"
    with pytest.raises(KeyboardInterrupt):
        install.install(tests=False)
    installation.interrupted = ""
    installation.commands.clear()

    install.install(tests=False)

    assert titles(installation) == ["venv", "pip", "ci"]


@pytest.mark.parametrize(
    ("file", "during"), [("requirements.txt", "Python packages"), ("local/azurite/package.json", "Azurite")]
)
def test_a_pin_that_changes_during_an_installation_is_installed_by_the_next_one(
    installation: type[FakeInstallation], monkeypatch: pytest.MonkeyPatch, file: str, during: str
) -> None:
    run = installation.run

    def while_it_runs(self: FakeInstallation, title: str, command: Sequence[str], directory: Path | None = None) -> int:
        if title == during:
            (checkout() / file).write_text("example==2\n")
        return run(self, title, command, directory)

    monkeypatch.setattr(installation, "run", while_it_runs)
    install.install(tests=False)
    monkeypatch.setattr(installation, "run", run)
    installation.commands.clear()

    install.install(tests=False)

    assert titles(installation) == (["venv", "pip"] if file == "requirements.txt" else ["ci"])


def test_only_azurite_is_installed_again_if_its_installation_was_interrupted(
    installation: type[FakeInstallation],
) -> None:
    installation.interrupted = "Azurite"
    with pytest.raises(KeyboardInterrupt):
        install.install(tests=False)
    installation.interrupted = ""
    installation.commands.clear()

    install.install(tests=False)

    assert titles(installation) == ["ci"]


@pytest.mark.parametrize("file", ["requirements.txt", "local/requirements.txt", "local/constraints.txt"])
def test_a_changed_pin_recreates_the_virtual_environment(installation: type[FakeInstallation], file: str) -> None:
    install.install(tests=False)
    installation.commands.clear()
    (checkout() / file).write_text("example==2\n")

    install.install(tests=False)

    assert titles(installation) == ["venv", "pip"]


def test_the_packages_of_the_tests_are_added_to_the_installation(installation: type[FakeInstallation]) -> None:
    install.install(tests=False)
    installation.commands.clear()

    install.install(tests=True)

    assert titles(installation) == ["pip"]
    assert f"--requirement={checkout() / 'requirements-dev.txt'}" in installation.commands[0]


def test_a_changed_pin_of_the_tests_does_not_affect_a_run(installation: type[FakeInstallation]) -> None:
    install.install(tests=True)
    installation.commands.clear()
    (checkout() / "requirements-dev.txt").write_text("example==2\n")

    install.install(tests=False)

    assert installation.commands == []


def test_azurite_is_installed_again_if_its_node_is_gone(installation: type[FakeInstallation]) -> None:
    install.install(tests=False)
    installation.commands.clear()
    Path(json.loads((install.AZURITE / "installed.json").read_text())["node"]).unlink()

    install.install(tests=False)

    assert titles(installation) == ["ci"]


def test_without_node_on_this_machine_node_comes_from_pypi(
    installation: type[FakeInstallation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "_node_on_path", lambda: None)

    install.install(tests=False)

    assert install.NODE_PACKAGE in installation.commands[2]
    assert Path(installation.commands[3][0]).is_relative_to(install.AZURITE / "node")


@pytest.mark.skipif(sys.platform == "win32", reason="the emulator for node is a shell script")
@pytest.mark.parametrize(
    ("version", "found"), [("v18.20.4", False), ("v20.0.0", True), ("v24.19.0", True), ("?", False)]
)
def test_a_node_older_than_20_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, found: bool
) -> None:
    monkeypatch.undo()
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert (install._node_on_path() is not None) is found


def test_a_package_without_a_build_for_this_python_is_named_with_the_supported_versions(
    installation: type[FakeInstallation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FakeInstallation, title: str, command: Sequence[str], directory: Path | None = None) -> int:
        self.log.write_text("ERROR: No matching distribution found for onnxruntime==1.32.0\n")
        return int(title == "Python packages")

    monkeypatch.setattr(installation, "run", fail)

    with pytest.raises(InstallError, match=r"onnxruntime==1\.32\.0 has no build for Python .*CPython 3\.11 to 3\.14"):
        install.install(tests=False)


@pytest.mark.parametrize("title", ["Virtual environment", "Python packages", "Azurite"])
def test_a_failed_installer_is_reported_with_its_log(installation: type[FakeInstallation], title: str) -> None:
    installation.fails = title

    with pytest.raises(InstallError, match=r"install\.log"):
        install.install(tests=False)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 13), (3, 15, 0)])
def test_a_python_that_is_too_old_or_too_new_is_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)

    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(DEV_PY), run_name="__main__")

    assert end.value.code == 2
    assert "needs Python 3.11 to 3.14" in capsys.readouterr().err


def test_every_python_can_parse_the_version_check() -> None:
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef)

    assert not [node for node in ast.walk(ast.parse(DEV_PY.read_text())) if isinstance(node, newer)]

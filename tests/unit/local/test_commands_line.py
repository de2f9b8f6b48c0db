"""The command line."""

import pytest

from local.commands.__main__ import carry_out, parse
from local.stack import StackError


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["unknown"],
        ["run", "--ports", "x"],
        ["up", "--ports", "65535"],
        ["up", "--func", "--without-host"],
        ["text"],
        ["again"],
        ["forget", "--keep-file"],
        ["forget", ""],
        ["again", "not UTF-8: \udcff"],
        ["missed", "a.pdf"],
        ["again", "--status", "reading"],
        ["again", "--status", "failed", "2024/", "2025/"],
        ["again", "--dry-run", "a.pdf"],
        ["again", "--code", "EmptyFile", "a.pdf"],
        ["text", "a.pdf", "--page", "0"],
    ],
)
def test_a_wrong_command_line_ends_with_status_2(line: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(line)

    assert end.value.code == 2


@pytest.mark.parametrize("ports", ["abc", "-1", "65532", "1.5", "999999"])
def test_invalid_ports_are_named_with_the_expected_form(ports: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["run", f"--ports={ports}"])

    assert f"'{ports}' is not 0, nor the first of five ports in a row (1 to 65531)" in capsys.readouterr().err


def test_help_works_before_anything_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--help"])

    assert end.value.code == 0
    shown = capsys.readouterr().out
    for command in ("run", "up", "read", "status", "list", "text", "again", "forget", "missed", "test", "clean"):
        assert f"\n    {command} " in shown


def test_arguments_of_pytest_are_passed_on() -> None:
    chosen = parse(["test", "tests/unit", "--quick", "-k", "lock", "--maxfail=1"])

    assert chosen.pytest == ["tests/unit", "-k", "lock", "--maxfail=1"]


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(SystemExit):
        parse(["run", "--jsn"])


def test_only_a_test_run_installs_what_tests_need() -> None:
    assert parse(["test"]).needs_tests
    assert not parse(["run"]).needs_tests


def test_clean_needs_no_installation() -> None:
    assert not parse(["clean"]).needs_install


@pytest.mark.parametrize(("ending", "status"), [(StackError("Port 1 is taken."), 2), (KeyboardInterrupt(), 130)])
def test_the_exit_status_depends_on_what_ended_the_command(
    monkeypatch: pytest.MonkeyPatch, ending: BaseException, status: int
) -> None:
    def main(_: object) -> int:
        raise ending

    monkeypatch.setattr("local.commands.clean.main", main)

    assert carry_out(parse(["clean"])) == status

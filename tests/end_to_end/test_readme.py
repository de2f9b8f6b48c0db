"""The commands and snippets in the README and docs/recipes.md give the output shown there."""

import csv
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from local.commands.store import connect
from local.paths import ROOT
from local.stack import Stack
from shared.document import Status
from tests.end_to_end.dev import Dev, wait_for
from tests.support.markdown import blocks, document, section

README, RECIPES = document("README.md"), document("docs/recipes.md")


def without_chance(text: str) -> str:
    """The text without what differs between runs: seconds, and the path of this repository."""
    return re.sub(r"in \S*azurite-data", "in .dev/azurite-data", re.sub(r"\d+\.\d s\b", "SECONDS", text))


def test_the_first_command_prints_the_shown_output(dev: Dev) -> None:
    progress, text = blocks(README, "text")[0].split("\n\n", 1)

    done = dev("run", str(ROOT / "samples/photo.jpg"))

    assert without_chance(done.stdout) == "\n" + without_chance(text)
    assert without_chance(progress).splitlines() == without_chance(done.stderr).splitlines()


def test_the_everyday_tasks_print_the_shown_output(dev: Dev, tmp_path: Path) -> None:
    tasks = section(README, "Everyday tasks")
    (commands,), (shown,) = blocks(tasks, "bash"), blocks(tasks, "text")
    (tmp_path / "empty.pdf").touch()
    with dev.start("up", "--ports", "0") as up:
        assert up.stdout is not None
        while "Ctrl-C stops everything" not in (line := up.stdout.readline()):
            assert line
        try:
            dev("run", str(ROOT / "samples"), str(tmp_path / "empty.pdf"))
            printed = [dev(*shlex.split(command)[2:]) for command in commands.splitlines()]
        finally:
            up.terminate()
            up.communicate(timeout=30)

    assert "".join(done.stdout for done in printed) == shown
    assert not any(done.stderr or done.returncode for done in printed)


def test_the_snippets_upload_and_fetch_what_is_shown(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    preamble, upload, download, one_document, one_page, as_csv, search, _ = blocks(RECIPES, "python")
    lines_shown, words_shown, hits_shown = blocks(RECIPES, "text")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DocumentStorage", stack.connection_string)
    shutil.copytree(ROOT / "samples", "scans")
    (Path("scans") / "2024").mkdir()
    shutil.copy(ROOT / "samples/photo.jpg", "scans/2024/photo.jpg")
    store = connect(stack.app_settings())
    store.make_inbox()
    variables: dict[str, Any] = {}

    def run(snippet: str) -> str:
        exec(snippet, variables)  # noqa: S102 - as a reader who pastes it does
        return capsys.readouterr().out

    run(preamble)
    run(upload)

    def all_read() -> bool:
        found = [store.document(name) for name in ("invoice.pdf", "photo.jpg", "2024/photo.jpg")]
        return all(each is not None and each.status is Status.SUCCEEDED for each in found)

    assert wait_for(all_read)
    run(download)
    assert Path("text/photo.jpg.txt").read_text() == Path("text/2024/photo.jpg.txt").read_text()
    assert Path("text/photo.jpg.txt").read_text().splitlines() == [line[4:] for line in lines_shown.splitlines()]
    assert run(one_document) == lines_shown
    assert run(one_page) == words_shown
    run(as_csv)
    with Path("documents.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    assert (rows["invoice.pdf"]["Status"], rows["invoice.pdf"]["LineCount"]) == ("succeeded", "23")
    assert "Harbour Lane Bicycles\n14 Harbour Lane" in rows["invoice.pdf"]["Text"]
    assert run(search) == hits_shown


def test_a_file_s_own_language_is_uploaded_as_shown(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preamble, *_, snippet = blocks(RECIPES, "python")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DocumentStorage", stack.connection_string)
    shutil.copy(ROOT / "samples/photo.jpg", "fahrplan.png")
    store = connect(stack.app_settings())
    store.make_inbox()

    exec(preamble + snippet, {})  # noqa: S102 - as a reader who pastes it does

    assert wait_for(lambda: (found := store.document("fahrplan.png")) is not None and found.status.final)
    read = store.document("fahrplan.png")
    assert read is not None
    assert (read.status, read.requested_language) == (Status.SUCCEEDED, "de")

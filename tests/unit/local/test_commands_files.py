"""Which files a command line names, and the blob name of each."""

import os
from pathlib import Path

import pytest

from local.commands.files import FilesError, collect, refusal


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("invoice.pdf", "scans/2024/a.jpg", "scans/b.jpg", "scans/.hidden/c.jpg", "more/invoice.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*arguments: str) -> list[str]:
    return [file.name for file in collect(arguments)]


def test_a_file_keeps_its_own_name(folder: Path) -> None:
    assert names("invoice.pdf") == ["invoice.pdf"]
    assert names(str(folder / "scans/2024/a.jpg")) == ["a.jpg"]
    assert names("scans/../invoice.pdf") == ["invoice.pdf"]


def test_a_folder_is_taken_whole_and_its_files_are_named_by_their_paths_below_it() -> None:
    assert names("scans") == [".hidden/c.jpg", "2024/a.jpg", "b.jpg"]


def test_patterns_are_expanded_for_shells_that_do_not() -> None:
    assert names("scans/*.jpg") == ["b.jpg"]
    assert names("**/invoice.pdf") == ["invoice.pdf", "invoice-2.pdf"]


def test_a_pattern_that_matches_folders_takes_the_folders_that_have_files() -> None:
    assert names("[em]*") == ["invoice.pdf"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    (folder / "scan[1].pdf").touch()

    assert names("scan[1].pdf") == ["scan[1].pdf"]


def test_two_files_with_the_same_name_do_not_collide() -> None:
    assert names("invoice.pdf", "more/invoice.pdf") == ["invoice.pdf", "invoice-2.pdf"]


def test_the_new_name_after_a_collision_does_not_collide_either(folder: Path) -> None:
    (folder / "invoice-2.pdf").touch()

    assert names("invoice-2.pdf", "invoice.pdf", "more/invoice.pdf") == [
        "invoice-2.pdf",
        "invoice.pdf",
        "invoice-3.pdf",
    ]


def test_a_file_named_twice_is_dropped_once() -> None:
    assert names("invoice.pdf", "./invoice.pdf", "*.pdf") == ["invoice.pdf"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("missing.pdf", "There is no file missing.pdf."),
        ("empty", "The folder empty holds no files."),
        ("*.gif", r"No file matches \*.gif."),
    ],
)
def test_a_missing_file_is_named(argument: str, message: str) -> None:
    with pytest.raises(FilesError, match=message):
        collect(["invoice.pdf", argument])


@pytest.mark.parametrize(
    "name", ["../a.pdf", "a/../b.pdf", "..\\a.pdf", "a/./b.pdf", "n" * 1025, "caf\udce9.pdf", "a\x01b.pdf", "\uffff"]
)
def test_a_name_that_no_blob_can_have_is_refused(name: str) -> None:
    assert refusal(name)


@pytest.mark.parametrize("name", ["a..b.pdf", "..pdf", "n" * 1024, "a #?%:!~'\".pdf", "😀/é.pdf"])
def test_any_other_name_is_accepted(name: str) -> None:
    assert refusal(name) is None


@pytest.mark.skipif(os.name == "nt", reason="a backslash is no part of a name there")
def test_a_backslash_in_a_files_name_counts_as_a_slash_as_in_storage(folder: Path) -> None:
    (folder / "a\\b.jpg").write_bytes(b"x")
    assert names(str(folder / "a\\b.jpg")) == ["a/b.jpg"]

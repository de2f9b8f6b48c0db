"""What the docs say about the code is right, and their links work."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from local.commands.__main__ import parse
from shared.decide.poll import MOST_RESUBMITS, NOT_FOUND_AGAIN_AFTER
from shared.decide.submit import LOST_ANSWER_WAIT, MOST_LOST_ANSWERS, MOST_SERVER_ERRORS
from shared.decide.trouble import MOST_OWN_ERRORS
from shared.document import to_row, to_worklist_entry
from shared.schedule import LONGEST_DELAY, LONGEST_WAIT, while_result_lasts
from shared.settings import from_environment
from tests.simulation.test_schedules import SCHEDULES
from tests.support.markdown import ROOT, anchors, blocks, commands, document, full_document, links, names, section

DOCUMENTS = ["README.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md",
             *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]  # fmt: skip


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_link_works(path: str) -> None:
    for target in links(document(path)):
        name, _, anchor = target.partition("#")
        linked = (ROOT / path).parent / name if name else ROOT / path
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(Path(linked).read_text(encoding="utf-8")), target


@pytest.mark.parametrize("arguments", commands("CONTRIBUTING.md"), ids=" ".join)
def test_every_command_for_contributors_is_valid(arguments: list[str]) -> None:
    assert all((ROOT / argument).exists() for argument in parse(arguments).pytest if argument.startswith("tests/"))


def laid_out() -> set[Path]:
    """Every file and folder that the layout names."""
    (layout,) = blocks(section(document("docs/architecture.md"), "Layout"), "text")
    found: set[Path] = set()
    above: list[str] = []
    for line in layout.splitlines():
        listed = re.match(r"( *)((?:[\w.]+(?:/\w+)*/?[ ]+?)*?[\w./]+)(?:  |$)", line)
        assert listed, line
        above = above[: len(listed[1]) // 2]
        found |= {Path(ROOT, *above, name) for name in listed[2].split()}
        above.append(listed[2].split()[-1])
    return found


def test_everything_that_the_layout_names_exists() -> None:
    assert not [path for path in laid_out() if not path.exists()]


def test_every_module_of_the_product_and_every_folder_is_in_the_layout() -> None:
    folders = [path for path in ROOT.iterdir() if path.is_dir() and list(path.glob("*.py"))]
    parts = [path for path in (ROOT / "shared").iterdir() if path.suffix == ".py" or list(path.glob("*.py"))]
    assert not {path for path in [*folders, *parts] if not path.name.startswith((".", "__"))} - laid_out()


def test_every_column_is_in_the_changelog() -> None:
    written, _, worklist = section(document("CHANGELOG.md"), "Storage").partition("worklist entries")
    keys = {"PartitionKey", "RowKey"}
    assert set(to_row(full_document(), "inbox")) - keys <= set(names(written))
    assert set(to_worklist_entry(full_document(), "inbox")) - keys <= set(names(worklist))


def test_the_waits_and_limits_in_the_table_of_trouble_are_the_codes() -> None:
    text = " ".join(document("docs/reliability.md").split())
    assert (MOST_SERVER_ERRORS, MOST_LOST_ANSWERS, MOST_RESUBMITS, MOST_OWN_ERRORS) == (10, 5, 1, 5)
    assert "500 to the same file ten times" in text
    assert "after a minute or later, at most five times in all" in text
    assert LOST_ANSWER_WAIT == 60
    assert f"polled again {NOT_FOUND_AGAIN_AFTER} s later" in text
    assert f"from a second or two to {LONGEST_WAIT // 60} minutes" in text
    assert timedelta(days=6).total_seconds() == LONGEST_DELAY
    assert "at least Retry-After, up to six days" in text
    assert f"{while_result_lasts(LONGEST_DELAY, 0) / 3600:.1f} hours after the 202 at the latest" in text
    assert "after five errors in a row" in text
    claim = from_environment(
        {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://read"}, document("host.json")
    ).claim_length
    assert text.count(f"{claim / timedelta(minutes=1):.0f} minutes") == 2


def test_each_code_in_the_table_of_trouble_exists() -> None:
    decided = [ROOT / "shared/document.py", *(ROOT / "shared/decide").glob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in decided)
    codes = re.findall(r"`failed`,\s`(\w+)`", document("docs/reliability.md"))
    assert len(codes) > 4
    assert not [code for code in codes if f'"{code}"' not in source]


def test_the_number_of_simulated_schedules_is_the_documented_one() -> None:
    assert f"{SCHEDULES:,} schedules are part of every test run" in " ".join(document("docs/reliability.md").split())


def test_every_test_that_the_table_of_defects_names_exists() -> None:
    rows = [line for line in document("docs/defects.md").splitlines() if line.startswith("| ") and "`test_" in line]
    assert len(rows) == 30
    there = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))
    named = re.findall(r"`(test_\w+)`", document("docs/defects.md"))
    assert not [name for name in named if f"def {name}(" not in there]


def test_the_documented_variables_that_make_tests_longer_are_read() -> None:
    named = set(re.findall(r"\b([A-Z]+_[A-Z]+)=\d+", document("docs/reliability.md")))
    asked = document("tests/simulation/test_schedules.py") + document("tests/end_to_end/test_chaos.py")
    assert named == {"SIMULATION_SCHEDULES", "CHAOS_SECONDS", "CHAOS_DOCUMENTS"}
    assert not [name for name in named if f'environ.get("{name}"' not in asked]

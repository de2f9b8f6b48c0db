"""The figures that the README and docs/ show are those of one whole run, and no goal is left out."""

import json
import re
from typing import Any

import pytest

from bench.publish import DETAILS
from bench.table import shown
from shared.schedule import FIRST_POLL_DELAY, LONGEST_POLL_DELAY, poll_delay
from tests.support.markdown import document, section, tables

RUN: list[dict[str, Any]] = [json.loads(line) for line in document("docs/bench.jsonl").splitlines()]
VERDICTS = {None: "–", True: "met", False: "MISSED"}

GOALS = {
    r"Read calls per document, one page: ours": 2.1,
    r"Seconds added to Read's own, one page, median: ours": 0.8,
    r"Seconds added to Read's own, one page, 95th percentile: ours": 1.2,
    r"Bursts of 1,000 files, 1 instance: share of the ceiling, at worst": 95,
    r"Bursts of 1,000 files, 2 and 10 instances: share of the ceiling, at worst": 90,
    r"Bursts of 1,000 files, 1 instance: calls refused, at worst": 1,
    r"Bursts of 1,000 files, 2 and 10 instances: calls refused, at worst": 3,
    r"Bursts of 1,000 files, .*: documents failed, at worst": 0,
    r"Bursts of 1,000 files, .*: longest wait, at worst": 2,
    r"Calls of storage per document, one look": 9,
    r"Calls of storage per document, one look, with reservations of pace": 10,
    r"Calls of storage per further look": 3,
    r"CPU time, the app against a bare loop": 1.25,
    r"Memory to submit a file of 500 MB": 32,
    r"Memory to store 2,000 pages, [^,]+": 48,
    r"Memory to store 2,000 pages, [^,]+, beyond what a tenth takes": 8,
}
"""What was set, by patterns of the names of figures."""


def row(figure: dict[str, Any]) -> tuple[str, str, str]:
    """Name, value and verdict, as a table has them."""
    return figure["name"], shown(figure["value"], figure["unit"]), VERDICTS[figure["met"]]


def rows(text: str) -> list[tuple[str, str, str]]:
    (table,) = tables(text)
    return [(each[0], each[1], each[3]) for each in table]


def test_no_two_figures_share_a_name() -> None:
    names = [figure["name"] for figure in RUN]
    assert len(set(names)) == len(names)


def test_the_readme_shows_every_goal_of_the_run_and_what_came_of_it() -> None:
    shown_there = [row(figure) for figure in RUN if figure["goal"] is not None]
    shown_there = [each for each in shown_there if not each[0].startswith(DETAILS)]
    assert rows(section(document("README.md"), "Figures")) == shown_there


def test_the_docs_show_the_whole_run() -> None:
    assert rows(document("docs/bench.md")) == [row(figure) for figure in RUN]


def test_both_name_the_same_machine_and_day() -> None:
    (line,) = re.findall(r"^\d{4}-\d\d-\d\d, on .+; Azurite [\d.]+\.$", document("docs/bench.md"), re.MULTILINE)
    assert line in document("README.md")


@pytest.mark.parametrize(("name", "goal"), GOALS.items())
def test_a_goal_that_was_set_is_measured(name: str, goal: float) -> None:
    found = [figure for figure in RUN if re.fullmatch(name, figure["name"])]
    assert found
    assert {figure["goal"] for figure in found} == {goal}


def test_the_schedule_is_the_one_that_is_said() -> None:
    delays = ", ".join(str(poll_delay(polls, None)) for polls in (1, 2, 3))
    said = (
        f"Ours come {FIRST_POLL_DELAY} s after the file was sent, and then {delays} … {LONGEST_POLL_DELAY} s after"
        " one another."
    )
    assert said in " ".join(document("README.md").split())

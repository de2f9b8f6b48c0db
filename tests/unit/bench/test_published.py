"""The figures in the README and docs/ come from one complete run, and every goal is measured."""

import json
import re
from typing import Any

import pytest

from bench.publish import HEADLINES
from bench.table import shown
from shared.schedule import FIRST_POLL_DELAY, GROWTH, LONGEST_POLL_DELAY, poll_delay
from tests.support.markdown import document, section, tables

RUN: list[dict[str, Any]] = [json.loads(line) for line in document("docs/bench.jsonl").splitlines()]
VERDICTS = {None: "–", True: "met", False: "MISSED"}

GOALS = {
    r"Read calls per document, one page: ours": 2.1,
    r"Added latency, one page, p50: ours": 0.8,
    r"Added latency, one page, p95: ours": 1.2,
    r"Burst of 1,000 files, 1, 2, 10 instances: share of the ceiling, at worst": 95,
    r"Burst of 1,000 files, 1, 2, 10 instances: calls refused, at worst": 1,
    r"Burst of 1,000 files, 100 instances: share of the ceiling, at worst": 90,
    r"Burst of 1,000 files, 100 instances: calls refused, at worst": 3,
    r"Burst in the harder world of 1,000 files, 1, 2, 10 instances: share of the ceiling, steady, at worst": 93,
    r"Burst in the harder world of 1,000 files, 1, 2, 10 instances: calls refused, at worst": 2,
    r"Burst .*of 1,000 files, .*: documents failed, at worst": 0,
    r"Burst of 1,000 files, 1 instance: functions held, a document, at worst": 1.3,
    r"Calls of storage per document, one poll": 10,
    r"Calls of storage per document, one poll, with reservations": 16,
    r"Calls of storage per further poll": 3,
    r"CPU time, the app against a bare loop": 1.25,
    r"Memory to submit a file of 500 MB": 16,
    r"Memory to store 2,000 pages, [^,]+": 16,
    r"Memory to store 2,000 pages, [^,]+, beyond what a tenth takes": 4,
    r"Lines stored a second, against Azurite's own rate, 100 pages": 0.9,
    r"Page: first text on screen after succeeded": 1,
    r"Page 1,500 of 2,000: requests besides its image": 4,
    r"Page 1,500 of 2,000: data besides its image": 300,
    r"Memory after 300 pages scrolled": 150,
    r"Following the pointer on a page of 5,000 words, p95": 16,
    r"dev\.py run on 20 pictures, against the engine alone in one process": 0.9,
    r"dev\.py run on 2 pictures, against the engine alone in one process": 1.6,
    r"dev\.py run on a PDF of 10 pages, against the engine alone in one process": 1.1,
    r"A further start of dev\.py run to its first drop": 1.5,
}
"""The goals, by regular expressions for the names of figures."""


def row(figure: dict[str, Any]) -> tuple[str, str, str]:
    """Name, value and verdict, as in a table."""
    return figure["name"], shown(figure["value"], figure["unit"]), VERDICTS[figure["met"]]


def rows(text: str) -> list[tuple[str, str, str]]:
    (table,) = tables(text)
    return [(each[0], each[1], each[3]) for each in table]


def test_no_two_figures_share_a_name() -> None:
    names = [figure["name"] for figure in RUN]
    assert len(set(names)) == len(names)


def test_the_readme_shows_five_figures_of_the_run() -> None:
    shown_there = [(HEADLINES[figure["name"]], *row(figure)[1:]) for figure in RUN if figure["name"] in HEADLINES]
    assert len(shown_there) == len(HEADLINES) == 5
    assert rows(section(document("README.md"), "Figures")) == shown_there


def test_the_docs_show_the_whole_run() -> None:
    assert rows(document("docs/bench.md")) == [row(figure) for figure in RUN]


def test_the_docs_name_the_machine_and_the_day_of_the_run() -> None:
    assert re.findall(r"^\d{4}-\d\d-\d\d, on .+; Azurite [\d.]+\.$", document("docs/bench.md"), re.MULTILINE)


@pytest.mark.parametrize(("name", "goal"), GOALS.items())
def test_every_goal_is_measured(name: str, goal: float) -> None:
    found = [figure for figure in RUN if re.fullmatch(name, figure["name"])]
    assert found
    assert {figure["goal"] for figure in found} == {goal}


def test_the_docs_describe_the_schedule_of_polls_as_it_is() -> None:
    assert (poll_delay(0, None), poll_delay(6 * 40, None), GROWTH) == (FIRST_POLL_DELAY, FIRST_POLL_DELAY + 40, 6)
    said = (
        f"The app polls {FIRST_POLL_DELAY} s after it sent the file, and then again after {FIRST_POLL_DELAY} s plus a"
        f" sixth of the time already waited, {LONGEST_POLL_DELAY} s at most."
    )
    assert said in " ".join(document("docs/bench.md").split())

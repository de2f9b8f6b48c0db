"""docs/scale.md has the figures that bench/million.py counts."""

import logging
import re

import pytest

from bench import million
from bench.figure import Figure
from tests.support.markdown import document

AGAIN = "Print the rows with `python -m bench.million`, and put them into docs/scale.md."
ROW = re.compile(r"^\| (?!setting)([^|`]+) \| ([^|]+) \|$", re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> None:
    logging.getLogger("shared").setLevel(logging.CRITICAL)


@pytest.fixture(scope="module")
def exact() -> dict[str, Figure]:
    return {figure.name: figure for figure in million.exact()}


@pytest.fixture(scope="module")
def sampled() -> dict[str, Figure]:
    return {figure.name: figure for figure in million.sampled(quick=True)}


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    """What the tables show, by the name of the figure."""
    return {row[1]: row[2] for row in ROW.finditer(document("docs/scale.md"))}


def test_exact_figures_are_shown_as_counted(exact: dict[str, Figure], shown: dict[str, str]) -> None:
    counted = {row[1]: row[2] for figure in exact.values() if (row := ROW.match(million.row(figure)))}
    assert counted.keys() == exact.keys()
    assert {name: shown.get(name) for name in counted} == counted, AGAIN


@pytest.mark.slow
def test_the_tables_have_exactly_one_row_per_figure(
    exact: dict[str, Figure], sampled: dict[str, Figure], shown: dict[str, str]
) -> None:
    assert shown.keys() == exact.keys() | sampled.keys(), AGAIN


def test_a_simulated_backlog_costs_as_much_as_its_steps(exact: dict[str, Figure], shown: dict[str, str]) -> None:
    kinds = ("Calls of tables", "Blobs read", "Blobs written", "Messages sent and deleted")
    counted = sum(exact[f"{kind}, a document behind others"].value for kind in kinds)
    of_the_limiter = exact["Calls of the rate limiter's row, a document behind others"].value
    simulated = float(shown["Calls a document in a simulated backlog, polls apart"])
    assert 0.95 * counted < simulated < counted + of_the_limiter  # threads that wait at the same time reserve together


def test_a_sweep_costs_the_same_however_many_documents_are_in_flight(exact: dict[str, Figure]) -> None:
    costs = [figure.value for name, figure in exact.items() if re.match(r"Calls of one sweep.* 0 overdue$", name)]
    assert len(costs) == 2
    assert costs[0] == costs[1]

"""What docs/operations.md and docs/azure.md say of alerts, log lines and variables is what is."""

import json
import re

import pytest

from local.commands.__main__ import parse
from tests.support.markdown import ROOT, anchors, blocks, commands, document, names, section, tables

INFRA = ROOT / "infra"
OPERATIONS, AZURE = "docs/operations.md", "docs/azure.md"


def test_every_alert_is_explained() -> None:
    template = (INFRA / "alerts.bicep").read_text(encoding="utf-8")
    alerts = set(re.findall(r"name: '([a-z]+-[a-z-]+)'", template)) - {"blob-ocr"}
    alerts |= set(re.findall(r"'(events-[a-z-]+)'", template))
    told = re.findall(r"^### (.+)$", section(document(OPERATIONS), "Alerts"), re.MULTILINE)
    assert alerts == {alert for heading in told for alert in heading.split(", ")}


def test_the_query_that_is_shown_is_the_one_in_infra() -> None:
    (shown,) = blocks(document(OPERATIONS), "kusto")
    kept = (INFRA / "queries" / "one-document.kql").read_text(encoding="utf-8")
    assert shown == "".join(line for line in kept.splitlines(keepends=True) if not line.startswith("//"))


def test_every_variable_is_one_that_azd_is_asked_for() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"].values()
    asked = {
        found[1]: found[2]
        for each in given
        if isinstance(each["value"], str) and (found := re.fullmatch(r"\$\{(\w+)=(.*)\}", each["value"]))
    }
    (rows,) = tables(section(document(AZURE), "Choose"))
    told = {name for row in rows for name in names(row[0])}
    assert told == set(asked) - {"READ_FILES_FROM"}
    for row in rows:
        for variable, value in zip(names(row[0]), names(row[1]), strict=False):
            assert asked[variable] in ("", value)


@pytest.mark.parametrize("arguments", [*commands(OPERATIONS), *commands(AZURE)], ids=" ".join)
def test_a_command_that_is_shown_can_be_typed(arguments: list[str]) -> None:
    parse(arguments)


def test_every_code_that_is_named_is_explained() -> None:
    explained = anchors(document("docs/errors.md"))
    for code in re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", section(document(OPERATIONS), "Alerts")):
        assert code.lower() in explained, code


def test_the_settings_that_pause_a_function_are_named_as_the_functions_are() -> None:
    functions = set(re.findall(r"def (\w+)\(", (ROOT / "function_app.py").read_text(encoding="utf-8")))
    for name in re.findall(r"AzureWebJobs\.(\w+)\.Disabled", document(OPERATIONS)):
        assert name in functions

"""What docs/operations.md and docs/azure.md say about alerts, log lines and variables is right."""

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


def test_the_documented_query_is_the_one_in_infra() -> None:
    (shown,) = blocks(document(OPERATIONS), "kusto")
    kept = (INFRA / "queries" / "one-document.kql").read_text(encoding="utf-8")
    assert shown == "".join(line for line in kept.splitlines(keepends=True) if not line.startswith("//"))


def test_every_documented_variable_is_one_that_the_template_reads() -> None:
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


def test_every_variable_set_in_an_example_is_one_that_the_template_reads() -> None:
    asked = set(re.findall(r"\$\{(\w+)[=}]", (INFRA / "main.parameters.json").read_text(encoding="utf-8")))
    for page in (OPERATIONS, AZURE):
        assert set(re.findall(r"azd\s+env\s+set\s+(\w+)", document(page))) - {"NAME"} <= asked


def test_the_names_requested_from_azd_are_outputs_of_the_template() -> None:
    put_out = set(re.findall(r"^output (\w+) ", (INFRA / "main.bicep").read_text(encoding="utf-8"), re.MULTILINE))
    (rows,) = tables(section(document(AZURE), "Deploy"))
    assert {name for row in rows for name in names(row[1])} <= put_out
    for page in (OPERATIONS, AZURE):
        assert set(re.findall(r"azd\s+env\s+get-value\s+(\w+)", document(page))) <= put_out


def test_the_command_for_a_manual_deployment_has_exactly_the_required_parameters() -> None:
    (block,) = (each for each in blocks(document(AZURE), "bash") if "az deployment group create" in each)
    deployments = [each for each in block.replace("\\\n", " ").splitlines() if each.startswith("az deployment")]
    assert len(deployments) == 2
    for command in deployments:
        (file,) = re.findall(r"--template-file (\S+)", command)
        given = set(re.findall(r" (\w+)=", command.partition("--parameters")[2]))
        template = (ROOT / file).read_text(encoding="utf-8")
        declared = set(re.findall(r"^param (\w+) ", template, re.MULTILINE))
        required = set(re.findall(r"^param (\w+) \w+$", template, re.MULTILINE))
        assert required <= given <= declared, file


def test_the_further_settings_shown_are_ones_that_the_app_reads() -> None:
    known = {name for rows in tables(document("docs/settings.md")) for row in rows for name in names(row[0])}
    functions = set(re.findall(r"def (\w+)\(", (ROOT / "function_app.py").read_text(encoding="utf-8")))
    for page in (OPERATIONS, AZURE):
        shown = [json.loads("{" + block + "}")["moreSettings"]["value"] for block in blocks(document(page), "json")]
        assert shown
        for name in {name for each in shown for name in each}:
            of = re.fullmatch(r"AzureFunctionsJobHost__logging__logLevel__Function(?:\.(\w+)\.User)?", name)
            assert name in known or (of and of[1] in {None, *functions}), name


def test_the_documented_costs_are_those_computed_for_a_million_documents() -> None:
    scale = dict(
        re.findall(r"^\| A thousand pages: ([^|]+) \| ([\d.]+) cents \|$", document("docs/scale.md"), re.MULTILINE)
    )
    prices = {row[0]: row[1] for rows in tables(document("docs/scale.md")) for row in rows if len(row) == 3}
    many, alone = float(scale["all, with Event Grid"]), float(scale["one by one, all, with Event Grid"])
    one_second = 100 * (2 * float(prices["GB-second, Flex Consumption"]) + 0.40 / 1_000_000)  # cents, at 2 GB
    (ready,) = re.findall(r"always ready \| ([\d.]+) \$ \|$", document("docs/scale.md"), re.MULTILINE)
    (rows,) = tables(section(document(OPERATIONS), "What it costs"))
    told = {row[0]: row[2] for row in rows}
    assert told["documents that come many at once"] == f"`d` × {many:.1f} cents"
    assert told["documents that come one by one"] == f"`d` × {alone:.0f} to {alone + 1_000 * one_second:.0f} cents"
    assert told["`ALWAYS_READY=1`"] == f"{ready} $"


@pytest.mark.parametrize("arguments", [*commands(OPERATIONS), *commands(AZURE)], ids=" ".join)
def test_a_command_that_is_shown_can_be_typed(arguments: list[str]) -> None:
    parse(arguments)


def test_every_named_code_is_explained() -> None:
    explained = anchors(document("docs/errors.md"))
    for code in re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", section(document(OPERATIONS), "Alerts")):
        assert code.lower() in explained, code


def test_the_settings_that_pause_functions_name_existing_functions() -> None:
    functions = set(re.findall(r"def (\w+)\(", (ROOT / "function_app.py").read_text(encoding="utf-8")))
    for name in re.findall(r"AzureWebJobs\.(\w+)\.Disabled", document(OPERATIONS)):
        assert name in functions

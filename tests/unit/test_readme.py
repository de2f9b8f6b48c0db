"""The README says what is: each of its tables, commands and figures is held to the code."""

import ast
import json
import re
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from local.commands import missed
from local.commands.__main__ import parse
from local.commands.output import by_status, waiting_note
from local.stack import KNOWN_PORTS, Ports, announcement
from shared.document import Status, to_row, to_worklist_entry
from shared.keys import document_key, is_junk
from shared.read.generations import ReadOptions, all_generations, generation
from shared.schedule import FIRST_POLL_DELAY, LONGEST_DELAY
from shared.settings import SettingsError, from_environment
from shared.text import TEXT_LIMIT
from tests.support.markdown import ROOT, blocks, commands, document, full_document, names, section, tables

README = document("README.md")
PROSE = " ".join(README.split())
REQUIRED = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://localhost:5000"}


def first_column(heading: str) -> list[str]:
    """What is set as code in the first column of all tables under a heading."""
    return [name for rows in tables(section(README, heading)) for row in rows for name in names(row[0])]


# Commands


@pytest.mark.parametrize("arguments", commands("README.md"), ids=" ".join)
def test_a_command_that_is_shown_can_be_typed(arguments: list[str]) -> None:
    parse(arguments)


def test_every_command_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    known = set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE))
    assert known == {arguments[0] for arguments in commands("README.md")} | {task.split()[2] for task, _ in tasks()}


def tasks() -> list[tuple[str, str]]:
    """Command and meaning of each everyday task."""
    return [(names(row[0])[0], row[1]) for row in tables(section(README, "Everyday tasks"))[0]]


@pytest.mark.parametrize(("task", "meaning"), tasks())
def test_a_task_takes_what_is_said(task: str, meaning: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *arguments = task.removeprefix("python3 dev.py ").split(maxsplit=1)
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    options = set(re.findall(r"--[a-z-]+", shown))
    assert options - {"--help", "--json", "--storage"} == set(re.findall(r"--[a-z-]+", " ".join(arguments)))
    assert f"{meaning[0].upper()}{meaning[1:]}." in shown


def test_files_that_commands_name_are_there() -> None:
    named = set(re.findall(r"[\w.]+\.(?:txt|json|py)\b", "\n".join(blocks(README, "bash"))))
    assert "requirements.txt" in named
    made = {"local.settings.json"}
    assert not [name for name in named - made if not (ROOT / name).is_file()]
    assert made <= set((ROOT / ".gitignore").read_text().splitlines())


def test_the_sample_settings_fit_the_stack_that_core_tools_run_beside() -> None:
    values = json.loads(document("local.settings.sample.json"))["Values"]
    assert from_environment(values).read_endpoint == f"http://127.0.0.1:{KNOWN_PORTS.read}"
    assert values["AzureWebJobsStorage"] == values["DocumentStorage"] == "UseDevelopmentStorage=true"


def test_ports_are_those_that_are_said() -> None:
    ((base, first, last),) = re.findall(r"`--ports (\d+)` uses (\d+) to (\d+)", PROSE)
    assert Ports.from_base(int(base)) == Ports(*range(int(first), int(last) + 1))
    assert f"the Read emulator alone, on port {KNOWN_PORTS.read}" in PROSE


def test_status_says_what_is_shown() -> None:
    now = datetime(2026, 11, 22, 14, 30, tzinfo=timezone(timedelta(hours=1)))
    counts: dict[str, int] = {Status.SUCCEEDED: 2941, Status.FAILED: 12, Status.READING: 40, Status.WAITING: 7}
    assert f"`{by_status(counts, waiting_note([('Throttled', now + timedelta(minutes=2))] * 7, now))}`" in PROSE


def test_missed_says_what_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(missed, "count_missed", lambda _: (3000, 8_200_000_000))
    monkeypatch.setattr(missed, "services", lambda *_: nullcontext((None, True)))
    missed.main(parse(["missed", "--dry-run"]))
    assert f"`{capsys.readouterr().out.strip()}`" in PROSE


def test_another_read_emulator_is_announced_as_shown() -> None:
    (line,) = blocks(section(README, "With a real Read resource"), "text")
    assert line == announcement("https://NAME.cognitiveservices.azure.com", None) + "\n"


# What it needs, and how it works


def test_what_the_first_run_takes_is_what_it_says_itself() -> None:
    (sizes,) = re.findall(r"about \d+ MB to download, \d+ MB on disk", PROSE)
    assert sizes in document("local/install.py")


def test_the_versions_of_python_are_those_that_dev_py_takes() -> None:
    (versions,) = set(re.findall(r"Python (3\.\d+ to 3\.14)", PROSE))
    assert f"blob-ocr needs Python {versions}" in document("dev.py")


def test_the_diagram_s_functions_are_the_app_s() -> None:
    (diagram,) = blocks(README, "mermaid")
    functions = [
        node.name
        for node in ast.walk(ast.parse(document("function_app.py")))
        if isinstance(node, ast.FunctionDef) and any("_trigger" in ast.unparse(each) for each in node.decorator_list)
    ]
    assert sorted(re.findall(r"<b>(\w+)</b>", diagram)) == sorted(functions)
    assert f"hidden for {FIRST_POLL_DELAY} s" in diagram


# Where the text lands


def test_every_column_of_a_document_is_explained() -> None:
    columns = set(to_row(full_document(), "inbox")) - {"PartitionKey", "RowKey"}
    explained = first_column("The `documents` table")
    assert sorted(set(explained) - set(Status)) == sorted(columns)
    assert [name for name in explained if name in set(Status)] == list(map(str, ORDER))


ORDER = (Status.SUBMITTING, Status.READING, Status.WAITING, Status.SUCCEEDED, Status.FAILED, Status.IGNORED)


def test_what_is_ignored_is_what_is_said_to_be() -> None:
    (row,) = [row for row in tables(section(README, "The `documents` table"))[-1] if names(row[0]) == ["ignored"]]
    patterns = names(row[1])
    assert patterns
    assert all(is_junk(f"folder/{pattern.replace('*', 'x')}") for pattern in patterns)


def test_every_column_of_an_unread_marker_is_named() -> None:
    paragraph = section(README, "The `documents` table").split("**worklist entries.**")[1]
    columns = set(to_worklist_entry(full_document(), "inbox")) - {"PartitionKey"}
    assert columns <= set(names(paragraph)) | {"RowKey"}


def test_a_text_is_cut_where_it_is_said_to_be() -> None:
    assert README.count(f"{TEXT_LIMIT:,} UTF-16 units") == 2


@pytest.mark.parametrize("row", tables(section(README, "Keys"))[0], ids=lambda row: row[0])
def test_a_key_is_as_shown(row: list[str]) -> None:
    (name,), (key,) = map(names, row)
    assert document_key(name) == key


# Settings


class Asked(dict[str, str]):
    """Settings that remember what was asked for."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def test_every_setting_is_explained() -> None:
    by_string, by_identity = Asked(REQUIRED), Asked({**REQUIRED, "DocumentStorage": ""})
    from_environment(by_string)
    by_identity["DocumentStorage__accountName"] = "account"
    from_environment(by_identity)
    host_s_own = {"AzureWebJobsStorage"}
    override = {"AzureFunctionsJobHost__functionTimeout"}
    assert set(first_column("Settings")) == (by_string.names | by_identity.names | host_s_own) - override


@pytest.mark.parametrize("row", tables(section(README, "Settings"))[0], ids=lambda row: row[0])
def test_a_setting_s_default_is_what_holds_without_it(row: list[str]) -> None:
    setting, default = names(row[0])[0], names(row[1])
    if default:
        assert from_environment({**REQUIRED, setting: default[0]}) == from_environment(REQUIRED)
    elif setting == "READ_RATE":
        chosen = generation("v3.2")
        assert from_environment({**REQUIRED, setting: chosen.rate}) == from_environment(REQUIRED)
    else:
        assert row[1] == "–"


def examples() -> list[tuple[str, str]]:
    """Setting and value, where the meaning of a setting names values."""
    rows = {names(row[0])[0]: row[2] for row in tables(section(README, "Settings"))[0]}
    settings = ["READ_LANGUAGE", "READ_PAGES", "READ_MODEL_VERSION", "READ_READING_ORDER", "READ_RATE",
                "READ_FILES_FROM", "FIND_MISSED_SCHEDULE", "DELETE_WITH_SOURCE", "SUBMIT_BY",
                "BLOB_TRIGGER_SOURCE"]  # fmt: skip
    no_values = ("find_missed", "ignored")
    return [(setting, name) for setting in settings for name in names(rows[setting]) if name not in no_values]


@pytest.mark.parametrize(("setting", "value"), examples())
def test_a_value_that_is_named_is_taken(setting: str, value: str) -> None:
    from_environment({**REQUIRED, setting: value})
    with pytest.raises(SettingsError):
        from_environment({**REQUIRED, setting: "?"})


def test_the_metadata_options_are_those_that_are_taken() -> None:
    (sentence,) = re.findall(r"A blob's metadata may set (.*?)\. They", PROSE)
    assert names(sentence) == ReadOptions.names()


# Generations


def test_the_generations_are_those_that_are_known() -> None:
    assert tables(section(README, "Generations of Read"))[0] == [
        [
            f"`{each.version}`",
            ", ".join(f"`{option}`" for option in ReadOptions.names() if option in each.options) or "–",
            str(each.most_megabytes),
            f"{each.most_pixels:,}",
            f"{each.most_pages:,}",
            each.rate,
            each.retired or "–",
        ]
        for each in all_generations()
    ]


def test_each_version_reads_the_formats_that_are_said() -> None:
    ((every, added),) = re.findall(r"Every version reads ([^;]+);([^.]+)\.", PROSE)
    since = re.findall(r"`([\d-]+)` and later also ([^;]+)", added)
    for each in all_generations():
        newer = not each.version.startswith("v")
        more = [formats for version, formats in since if newer and each.version >= version]
        assert set(re.findall(r"[A-Z]{3,}", " ".join([every, *more]))) == set(each.formats)


def test_the_first_eight_versions_are_computer_vision_s() -> None:
    assert "The first eight need a Computer Vision resource" in PROSE
    services = [each.service for each in all_generations()]
    assert services == ["Computer Vision"] * 8 + ["Document Intelligence"] * (len(services) - 8)


# host.json


def leaves(value: Any, path: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {key: leaf for name, each in value.items() for key, leaf in leaves(each, f"{path}.{name}").items()}
    return {path[1:]: value if isinstance(value, str) else json.dumps(value)}


def test_every_value_of_host_json_has_its_reason() -> None:
    items = re.findall(r"^- `([^`]+)`: `([^`]+)`\. \w+", section(README, "host.json"), re.MULTILINE)
    assert dict(items) == leaves(json.loads(document("host.json")))


def test_a_claim_is_as_long_as_the_reason_for_its_timeout_says() -> None:
    minutes = from_environment(REQUIRED, document("host.json")).claim_length / timedelta(minutes=1)
    assert f"A claim on a document holds a tenth longer, for {minutes:.0f} minutes" in PROSE


def test_nothing_waits_longer_than_is_said() -> None:
    assert timedelta(days=6).total_seconds() == LONGEST_DELAY
    assert "at most six days between two attempts" in PROSE

"""Commands, outputs and numbers in the README and on the pages about commands match the code."""

import ast
import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from cli.missed import not_read_yet
from cli.output import by_status, waiting_note
from local.commands.__main__ import parse
from local.stack import KNOWN_PORTS, Ports, announcement
from shared.document import Status
from shared.outputs.pages import PagesWriter
from shared.outputs.text import TextWriter
from shared.schedule import FIRST_POLL_DELAY, LONGEST_DELAY
from shared.settings import from_environment
from tests.support.markdown import ROOT, blocks, commands, document, links, names, section, tables

README, LOCAL, TASKS = (document(path) for path in ("README.md", "docs/local.md", "docs/tasks.md"))
PROSE, LOCAL_PROSE, TASKS_PROSE = (" ".join(text.split()) for text in (README, LOCAL, TASKS))
SHOWN = [each for path in ("README.md", "docs/local.md", "docs/bench.md") for each in commands(path)]
REQUIRED = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://localhost:5000"}


# Commands


@pytest.mark.parametrize("arguments", SHOWN, ids=" ".join)
def test_a_command_that_is_shown_can_be_typed(arguments: list[str]) -> None:
    parse(arguments)


def test_every_command_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    known = set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE))
    assert known == {arguments[0] for arguments in commands("README.md")} | {task.split()[2] for task, _ in tasks()}


def tasks() -> list[tuple[str, str]]:
    """The command and the meaning of each everyday task."""
    return [(names(row[0])[0], row[1]) for row in tables(section(README, "Everyday tasks"))[0]]


@pytest.mark.parametrize(("task", "meaning"), tasks())
def test_a_task_has_the_documented_options(task: str, meaning: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *arguments = task.removeprefix("python3 dev.py ").split(maxsplit=1)
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    options = set(re.findall(r"--[a-z-]+", shown))
    assert options - {"--help", "--json", "--storage"} == set(re.findall(r"--[a-z-]+", " ".join(arguments)))
    assert f"{meaning[0].upper()}{meaning[1:]}." in shown


def test_files_named_in_commands_exist() -> None:
    named = set(re.findall(r"[\w.]+\.(?:txt|json|py)\b", "\n".join(blocks(README, "bash") + blocks(LOCAL, "bash"))))
    assert "requirements.txt" in named
    made = {"local.settings.json"}
    assert not [name for name in named - made if not (ROOT / name).is_file()]
    assert made <= set((ROOT / ".gitignore").read_text().splitlines())


def test_the_sample_settings_match_the_stack_for_core_tools() -> None:
    values = json.loads(document("local.settings.sample.json"))["Values"]
    assert from_environment(values).read_endpoint == f"http://127.0.0.1:{KNOWN_PORTS.read}"
    assert values["AzureWebJobsStorage"] == values["DocumentStorage"] == "UseDevelopmentStorage=true"


def test_the_documented_ports_are_right() -> None:
    ((base, first, last),) = re.findall(r"`--ports (\d+)` uses (\d+) to (\d+)", LOCAL_PROSE)
    assert Ports.from_base(int(base)) == Ports(*range(int(first), int(last) + 1))
    assert f"the Read emulator alone, on port {KNOWN_PORTS.read}" in PROSE
    assert f"the Read emulator alone, on port {KNOWN_PORTS.read}" in LOCAL_PROSE


def test_the_shown_output_of_status_is_right() -> None:
    now = datetime(2026, 11, 22, 14, 30, tzinfo=timezone(timedelta(hours=1)))
    counts: dict[str, int] = {Status.SUCCEEDED: 2941, Status.FAILED: 12, Status.READING: 40, Status.WAITING: 7}
    assert f"`{by_status(counts, waiting_note({'Throttled': 7}, now + timedelta(minutes=2), now))}`" in TASKS_PROSE


def test_the_shown_output_of_missed_is_right() -> None:
    assert f"`{not_read_yet(3000, 8_200_000_000)}`" in TASKS_PROSE


def test_the_shown_notice_about_a_read_resource_is_right() -> None:
    (line,) = blocks(section(LOCAL, "With a real Read resource"), "text")
    assert line == announcement("https://NAME.cognitiveservices.azure.com", None) + "\n"


# What it needs, and how it works


def test_the_documented_size_of_the_first_run_is_the_installers() -> None:
    (sizes,) = re.findall(r"about \d+ MB to download, \d+ MB on disk", PROSE)
    assert sizes in document("local/install.py")


def test_the_documented_python_versions_are_those_that_dev_py_accepts() -> None:
    (versions,) = set(re.findall(r"Python (3\.\d+ to 3\.\d+)", PROSE))
    assert f"blob-ocr needs Python {versions}" in document("dev.py")


def test_the_functions_in_the_diagram_are_those_of_the_app() -> None:
    (diagram,) = blocks(README, "mermaid")
    functions = [
        node.name
        for node in ast.walk(ast.parse(document("function_app.py")))
        if isinstance(node, ast.FunctionDef) and any("_trigger" in ast.unparse(each) for each in node.decorator_list)
    ]
    assert sorted(re.findall(r"<b>(\w+)</b>", diagram)) == sorted(functions)
    assert f"hidden for {FIRST_POLL_DELAY} s" in diagram


# What it promises in numbers


def test_the_readme_has_at_most_200_lines() -> None:
    assert len(README.splitlines()) <= 200


def test_nothing_waits_longer_than_documented() -> None:
    assert timedelta(days=6).total_seconds() == LONGEST_DELAY
    assert "at most six days between two attempts" in PROSE


def test_every_output_and_table_is_listed() -> None:
    (rows,) = tables(section(README, "Where the text lands"))
    listed = [names(row[0]) for row in rows]
    blobs = [f"NAME{each}" for each in (TextWriter.extension, ".json", PagesWriter.extension)]
    defaults = from_environment(REQUIRED)
    assert listed == [[blobs[0], defaults.output_container], *[[each] for each in blobs[1:]],
                      [defaults.documents_table], [defaults.lines_table]]  # fmt: skip


def test_the_documented_cost_of_a_thousand_pages_is_the_computed_one() -> None:
    (cents,) = re.findall(r"A thousand pages: all, with Event Grid \| ([\d.]+) cents", document("docs/scale.md"))
    assert f"a thousand pages cost about {float(cents):.0f} cents" in PROSE


def test_every_page_of_docs_is_linked() -> None:
    linked = {target.partition("#")[0] for target in links(section(README, "More"))}
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= linked | {"docs/defects.md"}

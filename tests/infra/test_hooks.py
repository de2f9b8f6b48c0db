"""The postdeploy hook: it waits for the app's first start, can be repeated, and says what to do next."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.infra.conftest import INFRA, ROOT, tool

HOOKS = INFRA / "hooks"
OUTPUTS = {
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000001",
    "AZURE_RESOURCE_GROUP": "rg-dev",
    "AZURE_FUNCTION_APP_NAME": "func-x",
    "AZURE_FUNCTION_APP_URL": "https://func-x.azurewebsites.net",
    "DEAD_LETTER_CONTAINER": "deadletter",
    "DOCUMENTS_ACCOUNT": "stdocsx",
    "EVENT_TOPIC_NAME": "evgt-x",
    "INPUT_CONTAINER": "inbox",
    "INPUT_FOLDER": "scans/",
    "OUTPUT_CONTAINER": "results",
    "READ_FILES_FROM": "2026-11-27T00:00:00Z",
}

AZ = """#!/bin/sh
echo "$*" >> "{folder}/calls"
case "$1 $2" in
  "account show") exit {signed_in} ;;
  "deployment group") [ "$(grep -c '^deployment' "{folder}/calls")" -gt {failures} ] ;;
esac
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["sh", "pwsh"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs the hook with a fake Azure CLI that fails the requested number of times, and without waiting."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"no {request.param} here")
    slept = tmp_path / "slept"
    if request.param == "sh":
        command = [shell, str(HOOKS / "postdeploy.sh")]
    else:  # a function goes before the cmdlet of its name
        no_time = f"function Start-Sleep($Seconds) {{ Add-Content -Path '{slept}' -Value $Seconds }}"
        command = [shell, "-NoProfile", "-Command", f"{no_time}; . '{HOOKS / 'postdeploy.ps1'}'"]

    def hook(*, failures: int = 0, signed_in: int = 0, **outputs: str) -> subprocess.CompletedProcess[str]:
        az = AZ.format(folder=tmp_path, failures=failures, signed_in=signed_in)
        for name, script in (("az", az), ("sleep", f'#!/bin/sh\necho "$1" >> "{slept}"\n')):
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755)
        environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **OUTPUTS, **outputs}
        return subprocess.run(  # noqa: S603 - the hook itself
            command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT
        )

    return hook


def lines(folder: Path, file: str) -> list[str]:
    return (folder / file).read_text().splitlines() if (folder / file).exists() else []


def test_it_deploys_the_subscription_with_the_templates_outputs(run: Run, tmp_path: Path) -> None:
    ended = run()
    assert ended.returncode == 0, ended.stderr
    (call,) = (line for line in lines(tmp_path, "calls") if line.startswith("deployment group create"))
    for part in (
        "--resource-group rg-dev", "--template-file infra/subscription.bicep", "appName=func-x", "topicName=evgt-x",
        "documentsName=stdocsx", "deadLetterContainer=deadletter", "inputContainer=inbox", "inputFolder=scans/",
    ):  # fmt: skip
        assert part in call


def test_it_ends_by_saying_where_to_drop_a_file(run: Run) -> None:
    said = run().stdout
    assert "--account-name stdocsx" in said
    assert "--container-name inbox --name scans/scan.pdf" in said
    assert "dev.py text scans/scan.pdf --storage stdocsx" in said
    assert "2026-11-27T00:00:00Z are left alone" in said


def test_the_command_that_shows_the_text_names_containers_other_than_the_defaults(run: Run) -> None:
    assert "_CONTAINER" not in run().stdout
    said = run(INPUT_CONTAINER="scans", OUTPUT_CONTAINER="texts").stdout
    (line,) = (line for line in said.splitlines() if "dev.py text" in line)
    assert re.search(r"INPUT_CONTAINER='?scans'?;? ", line)
    assert re.search(r"OUTPUT_CONTAINER='?texts'?;? ", line)


def test_it_asks_azure_for_no_key_and_shows_no_answer_of_azure(run: Run, tmp_path: Path) -> None:
    assert run(failures=2).returncode == 0
    for call in lines(tmp_path, "calls"):
        assert call.startswith(("account show ", "deployment group create "))
        assert call.endswith("--output none")


def test_it_can_be_repeated(run: Run, tmp_path: Path) -> None:
    assert [run().returncode, run().returncode] == [0, 0]
    first, second = (line for line in lines(tmp_path, "calls") if line.startswith("deployment group create"))
    assert first == second


def test_it_tries_again_while_the_app_is_starting(run: Run, tmp_path: Path) -> None:
    assert run(failures=9).returncode == 0
    assert len([line for line in lines(tmp_path, "calls") if line.startswith("deployment")]) == 10
    assert lines(tmp_path, "slept") == ["30"] * 9


def test_it_gives_up_after_ten_tries_and_says_what_to_do(run: Run, tmp_path: Path) -> None:
    ended = run(failures=99)
    assert ended.returncode == 1
    assert "azd hooks run postdeploy" in ended.stderr
    assert len([line for line in lines(tmp_path, "calls") if line.startswith("deployment")]) == 10


def test_it_does_not_try_if_nobody_is_signed_in(run: Run, tmp_path: Path) -> None:
    ended = run(signed_in=1)
    assert ended.returncode == 1
    assert "az login" in ended.stderr
    assert [line for line in lines(tmp_path, "calls") if line.startswith("deployment")] == []


def test_shellcheck_finds_nothing() -> None:
    found = subprocess.run(  # noqa: S603 - a pinned linter
        [tool("shellcheck"), HOOKS / "postdeploy.sh"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_both_hooks_deploy_the_same_with_the_same_retries() -> None:
    posix, windows = ((HOOKS / f"postdeploy.{kind}").read_text(encoding="utf-8") for kind in ("sh", "ps1"))
    for what in (r"\b[A-Z]+_[A-Z_]+\b", r"--[a-z-]+", r"tries = ?\d+|tries=\d+", r"pause = ?\d+|pause=\d+"):
        found = [{re.sub(r"[ ]", "", match) for match in re.findall(what, hook)} for hook in (posix, windows)]
        assert found[0] == found[1], what


def test_the_hooks_read_outputs_that_the_template_has() -> None:
    put_out = set(re.findall(r"^output (\w+) ", (INFRA / "main.bicep").read_text(encoding="utf-8"), re.MULTILINE))
    known_to_azd = {"AZURE_SUBSCRIPTION_ID"}
    hook = (HOOKS / "postdeploy.sh").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{?([A-Z]+_[A-Z_]+)", hook)) <= put_out | known_to_azd


def test_azd_runs_the_hooks_and_publishes_the_repository_by_a_remote_build() -> None:
    project = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    assert project["services"]["app"] == {
        "project": ".", "language": "python", "host": "function", "remoteBuild": True
    }  # fmt: skip
    hook = project["hooks"]["postdeploy"]
    for system in ("posix", "windows"):
        assert (ROOT / hook[system]["run"]).is_file()
        assert hook[system]["continueOnError"] is False
    assert os.access(HOOKS / "postdeploy.sh", os.X_OK)


def test_the_workflow_deploys_without_a_stored_secret() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    job = yaml.safe_load(text)["jobs"]["deploy"]
    assert "secrets." not in text
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    commands = " ".join(step.get("run", "") for step in job["steps"])
    assert commands.index("azd auth login") < commands.index("azd provision") < commands.index("azd deploy")
    assert json.dumps(job["env"]).count("vars.") == len(job["env"])


def test_the_workflow_passes_on_every_variable_that_can_be_chosen() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8"))
    chosen = set(re.findall(r"\$\{(\w+)=", (INFRA / "main.parameters.json").read_text(encoding="utf-8")))
    assert chosen <= set(workflow["jobs"]["deploy"]["env"])


def test_the_identity_for_the_workflow_is_trusted_in_the_workflows_environment() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8"))
    told = (ROOT / "docs" / "azure.md").read_text(encoding="utf-8")
    # a job with an environment signs in as it, whatever the branch or tag
    (subject,) = re.findall(r'--subject "(\S+)"', told)
    assert subject == f"repo:${{REPOSITORY}}:environment:{workflow['jobs']['deploy']['environment']}"

"""The operator's commands need only requirements.txt, and nothing that is for development."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from local.paths import ROOT

_LIST = """
import sys
before = set(sys.modules)
import importlib, json, pkgutil, cli
for module in pkgutil.iter_modules(cli.__path__):
    importlib.import_module(f"cli.{module.name}")
import azure.identity, shared.assembly
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _imported() -> set[str]:
    """Every module that importing all of cli loads."""
    command = [sys.executable, "-c", _LIST]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this very Python
    return set(json.loads(done.stdout))


def _needed(requirements: list[str]) -> set[str]:
    """These distributions and those that they require, by their normalized names."""
    found: set[str] = set()
    while requirements:
        match = re.match(r"[A-Za-z0-9._-]+", requirements.pop().split(";")[0].strip())
        name = re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""
        if name and name not in found:
            found.add(name)
            try:
                requirements += [each for each in requires(name) or () if "extra ==" not in each]
            except PackageNotFoundError:  # for another Python or system
                found.discard(name)
    return found


def test_the_commands_import_only_what_requirements_txt_installs() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    needed = _needed([line for line in lines if line.strip() and not line.startswith("#")])
    assert "azure-data-tables" in needed
    distributions = packages_distributions()
    foreign = {
        module
        for module in _imported()
        if (top := module.partition(".")[0]) in distributions
        and not needed & {re.sub(r"[-_.]+", "-", each).lower() for each in distributions[top]}
    }
    assert not foreign


def test_the_commands_import_nothing_that_is_for_development() -> None:
    tops = {module.partition(".")[0] for module in _imported()}
    assert not tops & {"local", "bench", "tests", "simulation", "function_app"}
    assert not any(module.startswith("azure.functions") for module in tops)


def test_parsing_a_command_line_needs_only_the_standard_library() -> None:
    code = (
        "import sys; sys.path.insert(0, '.'); import cli.__main__, cli.settings, local.commands.__main__, local.install"
    )
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-I", "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

"""What is published is the app, and nothing else: .funcignore, applied as azd and Core Tools apply it."""

import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pathspec
import pytest

from tests.infra.conftest import ROOT, tool

DOCKERFILE = "infra/container/Dockerfile"

BESIDE = (
    ".azure/dev/.env",
    ".azure/config.json",
    ".env",
    ".dev/azurite-data/x",
    ".devcontainer/devcontainer.json",
    ".github/workflows/deploy.yml",
    ".venv/lib/python3.13/site-packages/x.py",
    ".vscode/settings.json",
    ".coverage",
    ".python_packages/lib/x.py",
    "__pycache__/function_app.cpython-313.pyc",
    "local.settings.json",
    "shared/__pycache__/settings.cpython-313.pyc",
    "test.http",
)
"""Files that tools and people leave next to those in git."""


@pytest.fixture(scope="module")
def files() -> set[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("the repository's files are not known without git")
    listed = [git, "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")  # noqa: S603 - git
    return {name for name in names if name and (ROOT / name).exists()} | set(BESIDE)


def test_exactly_the_app_is_published(files: set[str]) -> None:
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text(encoding="utf-8").splitlines())
    published = {name for name in files if not ignored.match_file(name)}
    assert {name for name in published if not belongs(name)} == set()
    assert {"function_app.py", "blob_binding.py", "host.json", "requirements.txt", "shared/settings.py"} <= published
    assert {name for name in files if belongs(name)} == published


def test_environments_of_azd_are_not_committed() -> None:
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())
    assert ignored.match_file(".azure/dev/.env")


def test_the_container_image_has_the_published_files(files: set[str]) -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / DOCKERFILE).read_text(encoding="utf-8"), re.MULTILINE)
    names = {PurePosixPath(name).parts[0] for name in files if belongs(name)}
    assert {name for line in copied for name in line.split()} == names


def test_hadolint_finds_nothing() -> None:
    ended = subprocess.run(  # noqa: S603 - a pinned linter
        [tool("hadolint"), ROOT / DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "")


def belongs(name: str) -> bool:
    """Whether a file is the app's: at the root, what Functions asks for; below it, what the functions run or serve."""
    path = PurePosixPath(name)
    if len(path.parts) == 1:
        return name in ("function_app.py", "blob_binding.py", "host.json", "requirements.txt")
    return path.parts[0] in ("shared", "web") and "__pycache__" not in path.parts and Path(name).suffix != ".md"

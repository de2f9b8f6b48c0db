"""Rules for all of the app's code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

SOURCES = [ROOT / "function_app.py", ROOT / "blob_binding.py", *sorted((ROOT / "shared").rglob("*.py"))]


def _names(path: Path) -> Iterator[str]:
    """Each name and attribute that a file uses, and each module that it imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(name) | ast.Attribute(_, name):
                yield name
            case ast.Import(names) | ast.ImportFrom(_, names):
                yield from (each.name for each in names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_in_the_app_sleeps_but_the_rate_limiter_right_before_a_call(path: Path) -> None:
    allowed = {
        "shared/assembly.py": {"sleep"},  # passes it in
        "shared/quota/limiter.py": {"sleep"},  # waits until the slot that it has reserved
        "shared/child.py": {"Timer"},  # ends a process whose time is up
    }
    waits = {"sleep", "wait_for", "Timer", "Condition", "Barrier"} & set(_names(path))
    assert waits <= allowed.get(path.relative_to(ROOT).as_posix(), set())


def test_the_environment_is_read_in_one_place() -> None:
    # A child process gets what an interpreter needs to start, and none of the settings.
    assert [path.name for path in SOURCES if "os" in set(_names(path))] == ["function_app.py", "child.py"]


def test_shared_code_knows_nothing_of_the_functions_library() -> None:
    for path in SOURCES:
        if path.parent != ROOT:
            modules = {
                node.module or ""
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.ImportFrom)
            }
            assert not [module for module in modules if module.startswith(("azure.functions", "local", "tests"))], path

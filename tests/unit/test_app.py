"""What holds for all of the app's code."""

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
def test_nothing_in_the_app_sleeps_but_the_rate_limiter_before_a_call(path: Path) -> None:
    allowed = {"sleep"} if path.name in ("assembly.py", "limiter.py") else set()
    assert not ({"sleep", "wait_for", "Timer", "Condition", "Barrier"} - allowed) & set(_names(path))


def test_the_environment_is_read_in_one_place() -> None:
    assert [path.name for path in SOURCES if "os" in set(_names(path))] == ["function_app.py"]


def test_shared_code_knows_nothing_of_the_functions_library() -> None:
    for path in SOURCES:
        if path.parent != ROOT:
            modules = {
                node.module or ""
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.ImportFrom)
            }
            assert not [module for module in modules if module.startswith(("azure.functions", "local", "tests"))], path

"""What web/ may import, and when."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.markdown import ROOT

WEB = ROOT / "web"


def _imports(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                found |= {each.name for each in names}
            case ast.ImportFrom(module, names):
                found |= {module or ""} | {f"{module}.{each.name}" for each in names}
    return found


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_only_the_triggers_import_azure_functions() -> None:
    knowing = [path for path in _sources(WEB) if any(each.startswith("azure.functions") for each in _imports(path))]
    assert [path.name for path in knowing] == ["triggers.py"]


def test_web_imports_no_package_of_this_repository_except_shared() -> None:
    for path in _sources(WEB):
        tops = {each.partition(".")[0] for each in _imports(path)}
        assert not tops & {"local", "cli", "tests", "bench", "simulation", "function_app", "blob_binding"}, path
    for path in _sources(ROOT / "shared"):
        assert not [each for each in _imports(path) if each.partition(".")[0] == "web"], path


def test_the_drawing_process_imports_nothing_of_the_app_and_the_app_nothing_of_it() -> None:
    for path in _sources(WEB):
        imports = _imports(path)
        if path.parent.name == "drawing":
            own = ("web.drawing", "shared.child", "shared.range_file")
            assert all(each.startswith(own) for each in imports if each.startswith(("web", "shared"))), path
            assert not [each for each in imports if each.startswith(("azure", "requests"))], path
        else:
            assert not [each for each in imports if each.startswith(("PIL", "pypdfium2", "web.drawing"))], path


def test_a_start_imports_only_what_registers_the_triggers() -> None:
    code = (
        "import azure.functions, sys; before = set(sys.modules); import web.triggers;"
        " print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this interpreter
    assert [name for name in loaded.stdout.split() if name.startswith(("web", "shared", "PIL"))] == [
        "web",
        "web.hosting",
        "web.routes",
        "web.triggers",
    ]

"""Which package may import which, as docs/architecture.md says, for every form of import; and no import cycles."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.markdown import ROOT, document, names, section, tables

RULES = tables(section(document("docs/architecture.md"), "Who may import whom"))[0]
PACKAGES = sorted(
    path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".") and list(path.glob("*.py"))
)
PURE = ("decide", "document", "keys", "message", "schedule", "text")
"""The modules of shared that decide and describe, without input or output."""
TOUCHES_THE_WORLD = ("azure", "requests", "socket", "subprocess", "shared.storage", "shared.read.client", "urllib3")


def modules(package: str) -> list[str]:
    """The dotted names of a package's modules, or of one file such as ``function_app.py``."""
    if package.endswith(".py"):
        return [package.removesuffix(".py")]
    paths = sorted((ROOT / package).rglob("*.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]


def source_of(module: str) -> Path | None:
    """The file of a module of the repository, if the name is one."""
    path = ROOT.joinpath(*module.split("."))
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in found if file.is_file()), None)


@cache
def imports(module: str) -> frozenset[str]:
    """All that a module imports: at its top, inside functions, for types only, and by ``import_module("name")``."""
    path = source_of(module)
    assert path is not None
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(_imported(ast.parse(path.read_text(encoding="utf-8")), package))


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(aliases):
                yield from (alias.name for alias in aliases)
            case ast.ImportFrom(name, aliases, level):
                base = (
                    ".".join([*package.split(".")[: len(package.split(".")) - level + 1], name or ""])
                    if level
                    else name
                )
                for alias in aliases:
                    whole = f"{base}.{alias.name}".replace("..", ".")
                    yield whole if source_of(whole) else str(base).rstrip(".")
            case ast.Call(ast.Name("import_module") | ast.Attribute(_, "import_module"), [ast.Constant(str(name)), *_]):
                yield name


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_every_package_has_its_rule() -> None:
    assert set(PACKAGES) <= {name for row in RULES for name in names(row[0])}


def forbidden_arrows() -> dict[tuple[str, str], list[str]]:
    """The imports that the rules forbid, by importing and imported package."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in RULES:
        named = set(names(row[1]))
        allowed = {*PACKAGES} - named if row[1].startswith("all but") else set(PACKAGES) if row[1] == "all" else named
        for package in names(row[0]):
            for module in modules(package):
                for imported in imports(module):
                    other = imported.split(".")[0]
                    if other in PACKAGES and other not in allowed and other != package:
                        found.setdefault((package, other), []).append(f"{module} imports {imported}")
    return found


def test_a_package_imports_only_what_it_may() -> None:
    assert not forbidden_arrows()


def test_only_the_triggers_import_the_functions_library() -> None:
    product = [
        module for module in modules("shared") if any(is_in(each, "azure.functions") for each in imports(module))
    ]
    assert not product


@pytest.mark.parametrize("name", PURE)
def test_the_modules_that_decide_do_no_input_or_output(name: str) -> None:
    package = f"shared/{name}" if (ROOT / "shared" / name).is_dir() else f"shared/{name}.py"
    inside = modules(package) if not package.endswith(".py") else [f"shared.{name}"]
    for module in inside:
        assert not [each for each in imports(module) if any(is_in(each, outside) for outside in TOUCHES_THE_WORLD)]


def test_there_are_no_import_cycles() -> None:
    ours = [module for package in PACKAGES if package != "tests" for module in modules(package)]
    graph = {module: {each for each in imports(module) if each in set(ours) and each != module} for module in ours}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))

"""Shared by all tests: Azurite, and the whole local stack."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.settings import without_app_settings
from local.processes import Azurite, azurite_installation
from local.stack import Ports, Stack, own_stack

_ORDER = ("end_to_end", "simulation", "browser", "integration", "infra", "conformance", "unit")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "quick: run by `dev.py test --quick`, as unit and conformance tests are")
    config.addinivalue_line("markers", "slow: a unit test that takes seconds and depends on no version of Python")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest tests come first, so that at the end no process waits for another.
    items.sort(key=lambda item: _ORDER.index(_folder(item)))
    for item in items:
        folder = _folder(item)
        if folder in ("unit", "conformance") and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.quick)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.fixture(scope="session")
def app_environment() -> dict[str, str]:
    """This process's environment without the app settings of the person who runs the tests."""
    return without_app_settings(os.environ)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The Azurite of this test run: all three services on free ports, in memory."""
    _skip_without_azurite()
    with Azurite(logs=tmp_path_factory.mktemp("logs")) as azurite:
        yield azurite


@pytest.fixture(scope="session")
def stack(app_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole local stack of this test run: free ports, storage in memory. Each test uses its own file names."""
    _skip_without_azurite()
    with own_stack("test", app_environment, Ports(), logs=tmp_path_factory.mktemp("logs")) as stack:
        yield stack


def _skip_without_azurite() -> None:
    if azurite_installation() is None:
        pytest.skip("Azurite is not installed: `python3 dev.py test` installs it and runs all tests")

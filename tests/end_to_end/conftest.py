from pathlib import Path

import pytest

from local.processes import azurite_installation
from tests.end_to_end.dev import Dev


@pytest.fixture
def dev(tmp_path: Path, app_environment: dict[str, str]) -> Dev:
    """dev.py with nothing stored yet."""
    if azurite_installation() is None:
        pytest.skip("Azurite is not installed: `python3 dev.py test` installs it and runs all tests")
    return Dev(tmp_path / "state", app_environment)


@pytest.fixture(scope="session")
def shared_samples() -> Path:
    """Real documents, next to the repository and not part of it."""
    folder = Path(__file__).parents[3] / "shared/samples"
    if not folder.is_dir():
        pytest.skip(f"the real documents are not there ({folder})")
    return folder

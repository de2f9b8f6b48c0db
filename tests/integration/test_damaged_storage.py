"""Stored data that a power failure has damaged: the error names it and says what to do."""

from pathlib import Path

import pytest

from local.processes import Azurite, ServiceError, azurite_installation

pytestmark = pytest.mark.skipif(azurite_installation() is None, reason="Azurite is not installed")


@pytest.mark.parametrize("content", ["", '{"collections": [', "\0" * 4096])
def test_damaged_data_is_named_with_the_command_that_deletes_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/__azurite_db_blob__.json").write_text(content)

    with (
        pytest.raises(ServiceError, match=r"damaged.*`python3 dev\.py clean`"),
        Azurite(tmp_path / "data", logs=tmp_path),
    ):
        pass


def test_undamaged_data_is_found_again(tmp_path: Path) -> None:
    for _ in range(2):
        with Azurite(tmp_path / "data", logs=tmp_path) as azurite:
            assert azurite.connection_string

"""The benchmark of the laptop, at its smallest."""

import pytest

from bench.laptop import measure
from local.processes import azurite_installation


@pytest.mark.skipif(azurite_installation() is None, reason="Azurite is not installed: `dev.py test` installs it")
def test_a_run_is_measured_beside_the_engine_alone() -> None:
    figures = {figure.name: figure for figure in measure(quick=True)}
    assert list(figures) == [
        "dev.py run on 2 pictures, against the engine alone in one process",
        "A further start of dev.py run to its first drop",
    ]
    assert all(0 < figure.value < 60 for figure in figures.values())

"""The benchmark of the page, at its smallest, in a process of its own: another test's browser may be open here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import ROOT
from local.processes import azurite_installation


def test_the_page_is_measured_over_the_whole_app(tmp_path: Path) -> None:
    if azurite_installation() is None:
        pytest.skip("Azurite is not installed: `python3 dev.py test` installs it and runs all tests")
    file = tmp_path / "figures.jsonl"
    command = [sys.executable, "-m", "bench", "page", "--quick", "--json", str(file)]
    done = subprocess.run(  # noqa: S603 - this interpreter
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    if "No Chromium" in done.stderr:
        pytest.skip("there is no Chromium")
    figures = {figure["name"]: figure for figure in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    assert list(figures) == [
        "Page: first text on screen after succeeded",
        "Page 12 of 16: requests besides its image",
        "Page 12 of 16: data besides its image",
        "Memory after 3 pages scrolled",
        "Following the pointer on a page of 5,000 words, p95",
    ]
    assert figures["Page 12 of 16: requests besides its image"]["value"] == 2
    assert all(figure["value"] >= 0 for figure in figures.values())

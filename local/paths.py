"""Where things are on this machine."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""This repository: the app's folder."""

DEV = ROOT / ".dev"
"""What dev.py installs and stores; no other folder is written to."""

STATE = Path(os.environ.get("BLOB_OCR_STATE") or DEV).absolute()
"""What is stored, and who works on it; the tests give each run of dev.py one of its own."""

DATA = STATE / "azurite-data"
LOGS = STATE / "logs"


def from_here(path: Path) -> str:
    """A path as a person would write it where the command was started."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

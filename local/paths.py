"""Where things are on this machine."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""This repository: the app's folder."""

DEV = ROOT / ".dev"
"""What dev.py installs and stores; it writes to no other folder."""

STATE = Path(os.environ.get("BLOB_OCR_STATE") or DEV).absolute()
"""The stored data, and which process uses it; the tests give each run of dev.py its own."""

DATA = STATE / "azurite-data"
LOGS = STATE / "logs"


def from_here(path: Path) -> str:
    """A path relative to the folder where the command was started, if it is in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

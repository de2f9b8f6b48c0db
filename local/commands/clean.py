"""dev.py clean: delete what was stored on this machine. Standard library only."""

import argparse
import shutil
from pathlib import Path

from local.lock import locked
from local.paths import DATA, DEV, LOGS
from local.stack import only_user


def main(arguments: argparse.Namespace) -> int:
    """Delete the stored data and the logs; with --all, what was installed too."""
    with only_user("clean"):
        size = sum(map(_remove, (DATA, LOGS)))
        print(f"Deleted {size / 1e6:,.1f} MB of stored files, rows, text and logs.")
        if arguments.all:
            with locked(DEV / "install.lock", waiting="Waiting for another dev.py to finish installing."):
                size = sum(_remove(path) for path in DEV.iterdir() if path.is_dir())
            print(f"Deleted {size / 1e6:,.1f} MB that were installed.")
    return 0


def _remove(folder: Path) -> int:
    size = sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
    if folder.exists():
        shutil.rmtree(folder)
    return size

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
        for folder in (DATA, LOGS):
            shutil.rmtree(folder, ignore_errors=True)
        print("Deleted what was stored: files, rows, text and logs.")
        if arguments.all:
            with locked(DEV / "install.lock", waiting="Waiting for another dev.py to finish installing."):
                for folder in filter(Path.is_dir, DEV.iterdir()):
                    shutil.rmtree(folder)
            print("Deleted what was installed.")
    return 0

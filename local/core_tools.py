"""Run ``func start`` on this repository until it ends or this is interrupted: python -m local.core_tools PORT"""

# ruff: noqa: S603 - the program was found on the user's own PATH

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.paths import ROOT


def environment() -> dict[str, str]:
    """Core Tools looks for its Python, and the app's packages, in the virtual environment that is active."""
    programs = Path(sys.executable).parent
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    return {**os.environ, "VIRTUAL_ENV": sys.prefix, "PATH": path, "FUNCTIONS_WORKER_RUNTIME": "python"}


if __name__ == "__main__":
    func = shutil.which("func") or "func"  # the whole path, since it is a batch file on Windows
    with subprocess.Popen([func, "start", "--port", sys.argv[1]], cwd=ROOT, env=environment()) as process:
        try:
            sys.exit(process.wait())
        finally:
            process.terminate()

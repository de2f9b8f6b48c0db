"""Run ``func start`` on this repository until it ends or this is interrupted: python -m local.core_tools PORT"""

# ruff: noqa: S603 - what is started was found on the user's own PATH

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment() -> dict[str, str]:
    """Core Tools looks for its Python, and the app's packages, in the virtual environment that is active."""
    programs = Path(sys.executable).parent
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    return {**os.environ, "VIRTUAL_ENV": sys.prefix, "PATH": path, "FUNCTIONS_WORKER_RUNTIME": "python"}


if __name__ == "__main__":
    func = shutil.which("func")
    if func is None:
        sys.exit("`func` is not on the PATH: install Azure Functions Core Tools 4, or leave --func out.")
    with subprocess.Popen([func, "start", "--port", sys.argv[1]], cwd=ROOT, env=environment()) as process:
        try:
            sys.exit(process.wait())
        finally:
            process.terminate()

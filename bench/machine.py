"""The machine that a benchmark ran on."""

import json
import os
import platform
from pathlib import Path

from local.paths import DEV


def machine() -> str:
    """CPU, cores, system, Python and Azurite, in one line."""
    cores = os.cpu_count() or 1
    return (
        f"{_cpu()}, {cores} core{'s' * (cores > 1)}; {platform.system()} {platform.release()}; "
        f"{platform.python_implementation()} {platform.python_version()}; Azurite {_azurite()}"
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _azurite() -> str:
    try:
        package = (DEV / "azurite/node_modules/azurite/package.json").read_text(encoding="utf-8")
    except OSError:
        return "not installed"
    return str(json.loads(package)["version"])

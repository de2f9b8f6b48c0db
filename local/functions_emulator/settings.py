"""App settings: the environment and `local.settings.json`, and values derived from them."""

import hashlib
import json
import platform
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any


class HostError(Exception):
    """The host cannot run; the text tells a person what to correct."""


def load_app_settings(path: Path, environ: MutableMapping[str, str]) -> None:
    """Put the file's Values into `environ` if a name is not set yet: the environment takes precedence.

    Raises HostError for a file that is missing, not JSON, or encrypted, or has values that are not strings.
    """
    document = read_json(path)
    if document.get("IsEncrypted"):
        raise HostError(f"{path} is encrypted. Run `func settings decrypt`, or set IsEncrypted to false.")
    values = document.get("Values", {})
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise HostError(f'{path}: "Values" must be an object of names and texts.')
    for name, value in values.items():
        environ.setdefault(name, value)


def resolve(text: str, environ: Mapping[str, str]) -> str:
    """Replace each %NAME% in a path, queue name or schedule by that app setting. Raises HostError."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environ:
            raise HostError(f"'%{name}%' does not resolve to a value: set {name} as an app setting.")
        return environ[name]

    return re.sub("%([^%]+)%", replace, text)


def host_id(app: Path, given: str | None, environ: Mapping[str, str]) -> str:
    """The name under which receipts and the internal queue are kept (ScriptHostIdProvider.cs)."""
    chosen = given or environ.get("AzureFunctionsWebHost__hostid")
    if chosen:
        if not re.fullmatch(r"(?=.{1,32}$)[a-z0-9]+(-[a-z0-9]+)*", chosen):
            raise HostError(f"The host id {chosen!r} must be 1 to 32 lower-case letters, digits and single dashes.")
        return chosen
    machine = re.sub("[^a-z0-9]", "", platform.node().lower()) or "local"
    folder = int.from_bytes(hashlib.sha256(str(app).encode()).digest()[:4])
    return f"{machine[:21]}-{folder}"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises HostError for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise HostError(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise HostError(f"{path} must hold a JSON object.")
    return document

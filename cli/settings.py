"""App settings on this machine. Standard library only."""

import json
from collections.abc import Mapping
from pathlib import Path

from cli.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent
"""The app's folder, with host.json and perhaps local.settings.json."""

CONNECTION = "DocumentStorage"
"""The setting with the connection to storage, or the prefix of several such settings."""


def load_settings(environ: Mapping[str, str], file: Path = ROOT / "local.settings.json") -> dict[str, str]:
    """The Values of local.settings.json, if it exists, overridden by the environment.

    Raises CommandError if the file does not have the right form.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8-sig"))["Values"] if file.exists() else {}
        if not all(isinstance(value, str) for value in values.values()):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CommandError(f'{file} is not of the form {{"Values": {{"NAME": "TEXT"}}}}.') from None
    return {**values, **environ}


def without_app_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the user's own app settings, for tests and benchmarks."""
    return {name: value for name, value in environ.items() if not name.startswith(_APP_SETTINGS)}


_APP_SETTINGS = ("READ_", "INPUT_", "OUTPUT_", "DOCUMENTS_", "LINES_", "DONE_", "SUBMIT_", "Document", "AzureWebJobs",
                 "AzureFunctions")  # fmt: skip


def host_json() -> bytes:
    """The content of host.json. Raises CommandError if it cannot be read."""
    try:
        return (ROOT / "host.json").read_bytes()
    except OSError as error:
        raise CommandError(f"host.json cannot be read ({error.strerror}): get it back from the repository.") from None

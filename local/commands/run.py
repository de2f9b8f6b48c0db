"""dev.py run: drop files, wait until they are read, print their text."""

import argparse
import os
import sys

from cli.settings import load_settings
from local.commands.files import FilesError, collect
from local.paths import ROOT
from local.stack import Ports, check_settings, shared_stack

SAMPLES = str(ROOT / "samples")


def main(arguments: argparse.Namespace) -> int:
    """Returns 0 if every file was read or is no document, 1 if one failed, 2 if there is no such file."""
    try:
        files = collect(arguments.files or [SAMPLES])
    except FilesError as error:
        _say(str(error))
        return 2
    settings = load_settings(os.environ)
    check_settings(settings)
    with shared_stack("run", settings, Ports.from_base(arguments.ports or 0), say=_say) as stack:
        # Importing the storage SDKs takes as long as starting Azurite, so both happen at once.
        from local.commands.following import follow

        return follow(stack, files, as_json=arguments.json, say=_say)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

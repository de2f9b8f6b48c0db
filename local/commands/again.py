"""dev.py again: have files read anew."""

import argparse
import sys

from local.commands.names import NotDone, for_each, is_there
from local.commands.store import services
from shared.tasks import again


def main(arguments: argparse.Namespace) -> int:
    """Returns 1 if there is no file of one of the names."""
    with services("again", arguments.storage) as (app, runs):

        def task(name: str) -> str:
            if not is_there(app, name):
                raise NotDone(f"there is no such file in the container {app.settings.input_container}.")
            return "to be read again." if again(app, name) else "is being read just now."

        status = for_each(arguments.names, task)
    if not runs:
        print("Nothing is read until the app runs: `dev.py up` runs it.", file=sys.stderr)
    return status

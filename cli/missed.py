"""missed: read files that no event reported."""

import argparse
import sys
from datetime import datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError

from cli.connection import App
from cli.errors import CommandError
from cli.output import amount, clock, size
from shared.assembly import Services
from shared.missed import count_missed, find_missed, last_comparison
from shared.storage.codes import error_code

_UNTIL_DONE = timedelta(days=1)
_OF_ANY_AGE = timedelta(days=-1)
"""Include the newest files, even if this machine's clock is behind storage's."""


def main(arguments: argparse.Namespace, app: App) -> int:
    """Count the files, or enqueue them. A run that is stopped half-way is continued by the app or the next run."""
    try:
        print(not_read_yet(*count_missed(app.services)) if arguments.dry_run else _enqueued(app.services))
    except ResourceNotFoundError as error:
        if error_code(error) != "ContainerNotFound":
            raise
        container = app.settings.input_container
        raise CommandError(f"There is no container {container}. Drop a file first, or set INPUT_CONTAINER.") from None
    if not (arguments.dry_run or app.runs):
        print("The app is not running, so nothing is read yet: start it with `dev.py up`.", file=sys.stderr)
    return 0


def not_read_yet(files: int, bytes_: int) -> str:
    """How many files are still to be read and paid for, and their size."""
    return f"{amount(files, 'file')} ({size(bytes_)}) {_are(files)} not read yet. Read bills each page."


def _enqueued(services: Services) -> str:
    now = services.now().astimezone()
    before = last_comparison(services)
    if before and before.done and before.read_by and (read_by := datetime.fromisoformat(before.read_by)) > now:
        return (
            f"{amount(before.enqueued, 'file')} {_are(before.enqueued)} already enqueued, to be read by"
            f" {clock(read_by, now)}. Run this again after that to enqueue more."
        )
    files = find_missed(services, services.now() + _UNTIL_DONE, settled_after=_OF_ANY_AGE)
    after = last_comparison(services)
    if not files or after is None or after.read_by is None:
        return "No file was missed."
    read_by = datetime.fromisoformat(after.read_by)
    return f"{amount(files, 'file')} {_are(files)} enqueued, to be read by {clock(read_by, now)}."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"

"""dev.py missed: have files read that no event told of."""

import argparse
import sys
from datetime import datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError

from local.commands.output import amount, clock, size
from local.commands.store import services
from local.stack import StackError
from shared.assembly import Services
from shared.missed import count_missed, find_missed, last_comparison
from shared.storage.codes import error_code

_UNTIL_DONE = timedelta(days=1)
_OF_ANY_AGE = timedelta(days=-1)
"""Files of this moment too, by a clock that may be behind that of storage."""


def main(arguments: argparse.Namespace) -> int:
    """Count the files, or hand them over. A run that is stopped half-way is gone on with by the app, or the next."""
    with services("missed", arguments.storage) as (app, runs):
        try:
            print(_counted(app) if arguments.dry_run else _handed_over(app))
        except ResourceNotFoundError as error:
            if error_code(error) != "ContainerNotFound":
                raise
            container = app.settings.input_container
            raise StackError(f"There is no container {container}. Drop a file first, or set INPUT_CONTAINER.") from None
    if not (arguments.dry_run or runs):
        print("Nothing is read until the app runs: `dev.py up` runs it.", file=sys.stderr)
    return 0


def _counted(app: Services) -> str:
    files, bytes_ = count_missed(app)
    return f"{amount(files, 'file')} ({size(bytes_)}) {_are(files)} not read yet. Read bills each page."


def _handed_over(app: Services) -> str:
    now = app.now().astimezone()
    before = last_comparison(app)
    if before and before.done and before.read_by and (read_by := datetime.fromisoformat(before.read_by)) > now:
        return (
            f"{amount(before.enqueued, 'file')} handed over before {_are(before.enqueued)} to be read by"
            f" {clock(read_by, now)}. Ask for others then."
        )
    files = find_missed(app, app.now() + _UNTIL_DONE, settled_after=_OF_ANY_AGE)
    after = last_comparison(app)
    if not files or after is None or after.read_by is None:
        return "No file was missed."
    read_by = datetime.fromisoformat(after.read_by)
    return f"{amount(files, 'file')} {_are(files)} handed over, to be read by {clock(read_by, now)}."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"

"""status: how many files were read, have failed, or are waiting."""

import argparse
from datetime import datetime

from cli.connection import App
from cli.output import by_status, print_json, waiting_note


def main(arguments: argparse.Namespace, app: App) -> int:
    """Count by one scan of the documents table."""
    counts = app.library.counts(arguments.prefix)
    if arguments.json:
        print_json({"files": counts.files, **counts.by_status})
    else:
        note = waiting_note(counts.waiting, counts.due_at, datetime.now().astimezone())
        print(by_status(counts.by_status, note))
    return 0

"""dev.py status: how many files were read, failed, or wait."""

import argparse
from collections import Counter
from datetime import datetime

from local.commands.output import by_status, print_json, waiting_note
from local.commands.store import stored
from shared.document import Status


def main(arguments: argparse.Namespace) -> int:
    """Count by one scan of the documents table."""
    counts: Counter[str] = Counter()
    waiting = []
    with stored("status", arguments.storage) as store:
        for row in store.rows(arguments.prefix, ["Status", "ErrorCode", "DueAt"]):
            counts[row["Status"]] += 1
            if row["Status"] == Status.WAITING:
                waiting.append((row.get("ErrorCode"), row.get("DueAt")))
    if arguments.json:
        print_json({"files": counts.total(), **{status: counts[status] for status in Status}})
    else:
        print(by_status(counts, waiting_note(waiting, datetime.now().astimezone())))
    return 0

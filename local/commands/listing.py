"""dev.py list: files, how they stand, and what to do about those that failed."""

import argparse
from collections.abc import Mapping
from typing import Any

from local.commands.output import for_terminal, print_json
from local.commands.store import stored
from shared.document import Status

_COLUMNS = ["Name", "Status", "ErrorCode", "Advice", "DueAt"]


def main(arguments: argparse.Namespace) -> int:
    """List files in the order of their keys. What failed or is in flight is found by its worklist entry."""
    wanted = Status(arguments.status) if arguments.status else None
    with stored("list", arguments.storage) as store:
        if wanted in (None, Status.SUCCEEDED, Status.IGNORED):
            rows = store.rows(arguments.prefix, _COLUMNS, wanted)
        else:
            rows = (row for row in store.worklist(arguments.prefix, _COLUMNS) if row["Status"] == wanted)
        for row in rows:
            if arguments.json:
                print_json(_json(row))
            else:
                print(_line(row))
    return 0


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    due = row.get("DueAt")
    return {
        "name": row["Name"],
        "status": row["Status"],
        "errorCode": row.get("ErrorCode"),
        "advice": row.get("Advice"),
        "dueAt": due.isoformat() if due else None,
    }


def _line(row: Mapping[str, Any]) -> str:
    error = f"{row['ErrorCode']}: {row.get('Advice', '')}" if row.get("ErrorCode") else ""
    return for_terminal(f"{row['Name']:<40}  {row['Status']:<10}  {error}".rstrip())

"""list: files, their status, and what to do about those that failed."""

import argparse
from typing import Any

from cli.connection import App
from cli.output import one_line, print_json
from shared.entries import Summary


def main(arguments: argparse.Namespace, app: App) -> int:
    """List files in the order of their keys. Those in flight or failed are found by their worklist entries."""
    for file in app.library.each_document(arguments.prefix, arguments.status):
        if arguments.json:
            print_json(_json(file))
        else:
            print(_line(file))
    return 0


def _json(file: Summary) -> dict[str, Any]:
    return {
        "name": file.name,
        "status": file.status,
        "errorCode": file.error_code,
        "advice": file.advice,
        "dueAt": file.due_at.isoformat() if file.due_at else None,
    }


def _line(file: Summary) -> str:
    error = f"{file.error_code}: {file.advice or ''}" if file.error_code else ""
    return f"{one_line(file.name):<40}  {one_line(file.status):<10}  {one_line(error)}".rstrip()

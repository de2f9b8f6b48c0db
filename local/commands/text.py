"""dev.py text: print a file's text."""

import argparse
import sys

from local.commands.output import document_json, for_terminal, print_json
from local.commands.store import stored
from shared.document import Status


def main(arguments: argparse.Namespace) -> int:
    """Print the text blob if the file was read: as it is, but for what would command a terminal."""
    with stored("text", arguments.storage) as store:
        document = store.document(arguments.name)
        if document is None:
            print(f"There is no file {arguments.name!r}: `dev.py list` shows what there is.", file=sys.stderr)
            return 1
        if arguments.json:
            print_json(document_json(store, document))
        elif document.status is Status.SUCCEEDED:
            text = store.text(document)
            print(for_terminal(text) if sys.stdout.isatty() else text, end="")
        else:
            why = f" ({document.error_code}: {document.advice})" if document.error_code else ""
            print(f"{arguments.name} is {document.status}{why}.", file=sys.stderr)
    return 0 if document.status is Status.SUCCEEDED else 1

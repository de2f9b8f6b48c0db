"""text: print a file's text."""

import argparse
import sys
from collections.abc import Iterator

from cli.connection import App
from cli.output import document_json, for_terminal, one_line, print_json
from shared.document import Document, Status
from shared.entries import Trouble
from shared.library import OutputMissing


def main(arguments: argparse.Namespace, app: App) -> int:
    """Print the text if the file was read; on a terminal, control characters are escaped."""
    library, name, page = app.library, arguments.name, arguments.page
    document = library.document(name)
    if document is None:
        return _without(name, f"there is no such file. `{app.program} list` shows all files.")
    if isinstance(document, Trouble):
        return _without(name, f"trouble ({document.error_code}): {document.error_message} {document.advice}")
    read = document.status is Status.SUCCEEDED
    try:
        if read and page is not None and not library.has_page(document, page):
            return _without(name, f"has no page {page}; it has {document.page_count or 0:,}.")
        if arguments.json:
            print_json(document_json(library, document, page))
        elif read:
            _print(library.text(document) if page is None else library.page_text(document, page))
    except OutputMissing as error:
        return _without(name, str(error))
    if not read and not arguments.json:
        return _without(name, _standing(document))
    return 0 if read else 1


def _print(text: Iterator[str]) -> None:
    shown = for_terminal if sys.stdout.isatty() else str
    for piece in text:
        sys.stdout.write(shown(piece))


def _standing(document: Document) -> str:
    why = f" ({document.error_code}: {document.advice})" if document.error_code else ""
    return f"is {document.status}{why}."


def _without(name: str, why: str) -> int:
    print(f"{one_line(name)}: {one_line(why)}", file=sys.stderr)
    return 1

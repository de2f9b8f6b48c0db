"""again: read files again."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

from cli.connection import App
from cli.names import NotDone, for_each, is_there
from cli.output import amount, one_line, size
from shared.document import Document
from shared.entries import Summary
from shared.tasks import again


def main(arguments: argparse.Namespace, app: App) -> int:
    """Returns 1 if one of the names is not that of a file."""
    chosen: list[str] = arguments.names
    if arguments.status is not None:
        files = list(_standing_so(arguments, app))
        print(_bill(files, arguments, app), file=sys.stdout if arguments.dry_run else sys.stderr)
        if arguments.dry_run:
            return 0
        chosen = [file.name for file in files]

    def task(name: str) -> str:
        if not is_there(app.services, name):
            raise NotDone(f"there is no such file in the container {app.settings.input_container}.")
        return "will be read again." if again(app.services, name) else "is being read now."

    status = for_each(chosen, task, app.settings)
    if chosen and not app.runs:
        print("The app is not running, so nothing is read yet: start it with `dev.py up`.", file=sys.stderr)
    return status


def _standing_so(arguments: argparse.Namespace, app: App) -> Iterator[Summary]:
    prefix = arguments.names[0] if arguments.names else ""
    for file in app.library.each_document(prefix, arguments.status):
        if arguments.code is None or (file.error_code or "").casefold() == arguments.code.casefold():
            yield file


def _bill(files: list[Summary], arguments: argparse.Namespace, app: App) -> str:
    """How many files there are, why they have this status, and what reading them again costs."""
    codes = Counter(file.error_code for file in files if file.error_code)
    why = ", ".join(f"{number:,} {one_line(code)}" for code, number in codes.most_common())
    what = f"{amount(len(files), 'file')}{f' ({why})' if why else ''} {_stand(arguments.status, len(files))}"
    if not files:
        return f"{what}."
    pages = sum(file.page_count or 0 for file in files)
    known = f": at least {amount(pages, 'page')}" if pages else ""
    bytes_ = free = 0
    if arguments.dry_run:
        for file in files:
            document = app.library.document(file.name)
            if isinstance(document, Document):
                bytes_ += document.content_length or 0
                free += may_be_free(document, app)
    large = f", {size(bytes_)}" if bytes_ else ""
    paid = (
        f" For {amount(free, 'file')}, Read may still have a result that was paid for, and is asked first."
        if free
        else ""
    )
    return f"{what}{large}. Read bills each page of them{known}.{paid}"


def may_be_free(document: Document, app: App) -> bool:
    """Whether reading a document again first tries to fetch a result that is already paid for."""
    from shared.decide import requested_again

    row = requested_again(document, document.name, app.services.now(), app.settings)
    return row is not None and row.operation_url is not None


def _stand(status: str, number: int) -> str:
    one = number == 1
    match status:
        case "failed":
            return "has failed" if one else "have failed"
        case "succeeded":
            return "was read" if one else "were read"
        case other:
            return f"is {other}" if one else f"are {other}"

"""forget: delete files and everything stored about them."""

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta

from cli.connection import App
from cli.names import NotDone, for_each, is_there
from cli.output import clock
from shared.assembly import Services
from shared.document import Document
from shared.read.generations import generation_or
from shared.tasks import forget

_READ_KEEPS_RESULTS = timedelta(hours=48)
"""At most (Microsoft, "Data and privacy for Read")."""


def main(arguments: argparse.Namespace, app: App) -> int:
    """Returns 1 if one of the names has neither a file nor a row."""
    services = app.services

    def task(name: str) -> str:
        there, document = is_there(services, name), services.documents.get(name)
        if not there and document is None:
            raise NotDone("there is no such file, and nothing is stored about it.")
        missing = list(_not_found(app, document)) if document else []
        forget(services, name, keep_file=arguments.keep_file)
        return " ".join([*_outcome(services, document, kept=there and arguments.keep_file), *missing])

    return for_each(arguments.names, task, app.settings)


def _not_found(app: App, document: Document) -> Iterator[str]:
    """A warning for each output that is not where the row says it is. If it was moved, it stays where it is."""
    for place in app.library.missing_outputs(document):
        yield f"Its {place} was not found. If it was moved or renamed, delete it by hand."


def _outcome(services: Services, before: Document | None, *, kept: bool) -> list[str]:
    now = services.now().astimezone()
    said = ["forgotten; the file is kept, and read again only if you ask for it." if kept else "forgotten and deleted."]
    if (until := _read_keeps_until(services, before)) and until > now:
        said.append(f"Read itself keeps the result until {clock(until, now)} at the latest.")
    return said


def _read_keeps_until(services: Services, before: Document | None) -> datetime | None:
    """When Read will have deleted its copy of the result, unless it was asked to delete it now."""
    if before is None or not before.operation_url or not before.submitted_at:
        return None
    asked = generation_or(before.api_version, services.settings.generation).deletes
    if asked and before.operation_url.startswith(f"{services.settings.read_endpoint}/"):
        return None
    return before.submitted_at + _READ_KEEPS_RESULTS

"""dev.py forget: delete files and all that is known of them."""

import argparse
from datetime import datetime, timedelta

from local.commands.names import NotDone, for_each, is_there
from local.commands.output import clock
from local.commands.store import services
from shared.assembly import Services
from shared.document import Document
from shared.read.generations import generation_or
from shared.tasks import forget

_READ_KEEPS_RESULTS = timedelta(hours=48)
"""At most (Microsoft, "Data and privacy for Read")."""


def main(arguments: argparse.Namespace) -> int:
    """Returns 1 if one of the names is not known at all."""
    with services("forget", arguments.storage) as (app, _):

        def task(name: str) -> str:
            there, document = is_there(app, name), app.documents.get(name)
            if not there and document is None:
                raise NotDone("nothing is known of it, and there is no such file.")
            forget(app, name, keep_file=arguments.keep_file)
            return " ".join(_outcome(app, document, kept=there and arguments.keep_file))

        return for_each(arguments.names, task)


def _outcome(app: Services, before: Document | None, *, kept: bool) -> list[str]:
    now = app.now().astimezone()
    said = ["forgotten; the file is kept, and read again only if you ask for it." if kept else "forgotten and deleted."]
    if (until := _read_keeps_until(app, before)) and until > now:
        said.append(f"Read itself keeps the result until {clock(until, now)} at the latest.")
    return said


def _read_keeps_until(app: Services, before: Document | None) -> datetime | None:
    """When Read will have deleted its copy of the result, if it was not asked to do so now."""
    if before is None or not before.operation_url or not before.submitted_at:
        return None
    asked = generation_or(before.api_version, app.settings.generation).deletes
    if asked and before.operation_url.startswith(f"{app.settings.read_endpoint}/"):
        return None
    return before.submitted_at + _READ_KEEPS_RESULTS

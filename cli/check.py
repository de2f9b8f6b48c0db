"""check: check that everything is set up."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, replace

from cli.connection import NO_READ_ENDPOINT, App
from cli.output import one_line, print_json
from cli.settings import host_json
from shared.check import Finding, check_read, check_settings, check_storage


def main(arguments: argparse.Namespace, app: App) -> int:
    """Returns 1 if something is not right."""
    status = 0
    for finding in _findings(app):
        status |= not finding.ok
        if arguments.json:
            print_json(asdict(finding))
        else:
            print(shown(finding), flush=True)
    return status


def _findings(app: App) -> Iterator[Finding]:
    settings, finding = check_settings(app.environ, host_json())
    has_endpoint = bool(app.environ.get("READ_ENDPOINT"))
    missing = finding
    if settings is None and not has_endpoint:
        # READ_ENDPOINT is missing. A second check with a placeholder says whether anything else is wrong.
        settings, finding = check_settings({**app.environ, "READ_ENDPOINT": NO_READ_ENDPOINT}, host_json())
    if settings is None:
        yield finding
        return
    if has_endpoint:
        yield finding
        yield from check_read(app.services)
    elif app.runs:
        advice = "To check Read too, set it as in the app, in the environment or in local.settings.json."
        yield replace(missing, advice=advice)
    else:
        yield finding
        yield Finding("Read", True, "The local stack starts an emulator: `dev.py run FILE`, or `dev.py up`.")
    yield from check_storage(app.services)


def shown(finding: Finding) -> str:
    """A finding for people: with a second line if there is something to do."""
    advice = f"\n{'':<7}{one_line(finding.advice)}" if finding.advice else ""
    return f"{'ok' if finding.ok else 'WRONG':<7}{one_line(finding.name)}: {one_line(finding.message)}{advice}"

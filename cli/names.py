"""Carry out a request for each of several names, and print one line for each: what was done, or why not."""

import sys
from collections.abc import Callable, Iterable

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from cli.connection import first_line
from cli.output import one_line
from shared.assembly import Services
from shared.keys import is_unsafe
from shared.settings import Settings
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded
from shared.storage.trouble import storage_trouble


class NotDone(Exception):
    """The request cannot be carried out for this name. The text says why."""


def for_each(names: Iterable[str], task: Callable[[str], str], settings: Settings) -> int:
    """Run ``task`` for each name, even if it fails for others; returns the exit status, 1 if it failed for one.

    ``task`` returns what was done. It raises NotDone; Conflict or Superseded if the app keeps changing the document;
    or storage's error about this one file. Raises AzureError only if storage cannot be reached at all.
    """
    status = 0
    for name in dict.fromkeys(names):
        try:
            print(f"{one_line(name)}: {one_line(task(name))}", flush=True)
            continue
        except NotDone as error:
            why = str(error)
        except (Conflict, Superseded):
            why = "the app is working on it now. Try again in a moment."
        except AzureError as error:
            if isinstance(error, ClientAuthenticationError) or not isinstance(error, HttpResponseError):
                raise
            why = _refusal(error, settings)
        except ValueError as error:  # a name that no blob can have, or a row that cannot be read
            why = f"{error}."
        print(f"{one_line(name)}: {one_line(why)}", file=sys.stderr, flush=True)
        status = 1
    return status


def is_there(app: Services, name: str) -> bool:
    """Whether there is a file of this name. Raises NotDone if the app would not read it."""
    settings = app.settings
    if not settings.reads(settings.input_container, name):
        raise NotDone(f"the app reads only what is in the folder {settings.input_prefix} (INPUT_PREFIX).")
    return not is_unsafe(name) and app.inbox.etag(name) is not None


def _refusal(error: HttpResponseError, settings: Settings) -> str:
    """What storage said about one file; if access is missing, with the place and the role that it takes."""
    trouble = storage_trouble(error, settings) if error.status_code in (401, 403) else None
    return trouble[1] if trouble else f"storage refused: {first_line(error)} Correct that, and try again."

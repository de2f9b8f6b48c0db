"""A request for each of some names: what was done, or why not, in one line for each name."""

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
    """There was nothing to do it to. The text says why."""


def for_each(names: Iterable[str], task: Callable[[str], str], settings: Settings) -> int:
    """Do it for each name, whatever becomes of the others; returns the exit status, 1 if one was not done.

    ``task`` returns what was done. It raises NotDone; or Conflict or Superseded if the app is quicker all the time; or
    what storage says about this one file. Raises AzureError only where storage can be reached for no file at all.
    """
    status = 0
    for name in dict.fromkeys(names):
        try:
            print(f"{one_line(name)}: {one_line(task(name))}", flush=True)
            continue
        except NotDone as error:
            why = str(error)
        except (Conflict, Superseded):
            why = "the app is at work on it just now. Ask again in a moment."
        except AzureError as error:
            if isinstance(error, ClientAuthenticationError) or not isinstance(error, HttpResponseError):
                raise
            why = _refusal(error, settings)
        except ValueError as error:  # of a name that no blob can have, or a row that nobody can read
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
    """What storage said about one file: with the place and the role where access is what is missing."""
    trouble = storage_trouble(error, settings) if error.status_code in (401, 403) else None
    return trouble[1] if trouble else f"storage refused: {first_line(error)} Correct that, and ask again."

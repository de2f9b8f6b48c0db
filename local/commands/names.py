"""A task for each of some names: what was done, or why not, in one line a name."""

import sys
from collections.abc import Callable, Iterable

from local.commands.output import for_terminal
from shared.assembly import Services
from shared.keys import is_unsafe
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded


class NotDone(Exception):
    """There was nothing to do it to. The text says why."""


def for_each(names: Iterable[str], task: Callable[[str], str]) -> int:
    """Do it for each name, whatever became of the others; returns the exit status.

    ``task`` returns what was done; it raises NotDone, or Conflict or Superseded if the app is quicker all the time.
    """
    status = 0
    for name in dict.fromkeys(names):
        try:
            print(for_terminal(f"{name}: {task(name)}"), flush=True)
            continue
        except NotDone as error:
            why = str(error)
        except (Conflict, Superseded):
            why = "the app is at work on it just now. Ask again in a moment."
        print(for_terminal(f"{name}: {why}"), file=sys.stderr, flush=True)
        status = 1
    return status


def is_there(app: Services, name: str) -> bool:
    """Whether there is a file of this name. Raises NotDone if it would be none of the app's."""
    settings = app.settings
    if not settings.reads(settings.input_container, name):
        raise NotDone(f"the app reads only what is in the folder {settings.input_prefix} (INPUT_PREFIX).")
    return not is_unsafe(name) and app.inbox.etag(name) is not None

"""blob-ocr's functions: decode the trigger, call shared/, nothing else."""

import logging
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import azure.functions as func

from blob_binding import BlobReference
from shared import settings
from web.triggers import blueprint

if TYPE_CHECKING:
    from shared.assembly import Services

SETTINGS = settings.from_environment(os.environ, Path(__file__).with_name("host.json").read_bytes())

for notice in filter(None, (SETTINGS.generation.notice, SETTINGS.notice)):
    logging.getLogger(__name__).warning(notice)

app = func.FunctionApp()


_building = Lock()


def _services() -> "Services":
    with _building:  # the threads of a burst ask at the same time, and must share one rate limiter
        return _build()


@cache
def _build() -> "Services":
    # The storage SDKs are imported at the first event: a start that only indexes the functions does not need them.
    from shared.assembly import build

    return build(SETTINGS)


@app.blob_trigger(
    arg_name="blob",
    path=SETTINGS.trigger_path,
    connection="DocumentStorage",
    source=func.BlobSource(SETTINGS.blob_trigger_source),
)
def submit_document(blob: BlobReference) -> None:
    """A file was dropped, or has changed."""
    from shared.advance import advance

    if SETTINGS.reads(blob.container, blob.name):
        advance(_services(), blob.name)


@app.queue_trigger(arg_name="message", queue_name=SETTINGS.read_queue, connection="DocumentStorage")
def poll_operation(message: func.QueueMessage) -> None:
    """A document's next step is due."""
    from shared.advance import advance_message

    advance_message(_services(), message.get_body())


@app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
def recover_stalled(timer: func.TimerRequest) -> None:
    """Requeue documents whose message was lost."""
    from shared.missed import find_missed as resume
    from shared.recover import recover_stalled as recover

    services, until = _services(), _run_until()
    recover(services, until)
    resume(services, until, resume_only=True)


if SETTINGS.find_missed_schedule:

    @app.timer_trigger(arg_name="timer", schedule=SETTINGS.find_missed_schedule)
    def find_missed(timer: func.TimerRequest) -> None:
        """Enqueue files that no trigger reported."""
        from shared.missed import find_missed as find

        find(_services(), _run_until())


app.register_functions(blueprint(SETTINGS, os.environ, _services))


def _run_until() -> datetime:
    """When a sweep stops by itself: after about half of the function's timeout."""
    return datetime.now(UTC) + SETTINGS.claim_length / 2

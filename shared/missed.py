"""Compare container and table, and enqueue the files that no event reported: no more than the quota reads in a day."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from azure.core.exceptions import HttpResponseError

from shared import log
from shared.assembly import Services
from shared.keys import is_junk
from shared.message import Message
from shared.storage.codes import error_code
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded
from shared.storage.inbox import Listed
from shared.tasks import forget_gone

SLICE = 500_000
"""Documents whose hashes are held in memory at once: some 40 MB."""

RUN_EVERY = timedelta(days=1)
SETTLED_AFTER = timedelta(minutes=15)
"""The event of a younger file is probably still on its way."""

_HEADROOM = 0.9
"""The rest is for files that the trigger reports in the meantime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a comparison has come. It is stored, so that the next run continues where one ran out of time."""

    key: str
    """The key of the hashes, random for each comparison: nobody can make a name with another's hash."""
    slices: int = 1
    slice: int = 0
    page: str | None = None
    """The continuation token of the listing within the slice."""
    enqueued: int = 0
    read_by: str | None = None
    """When the quota should have read all that was enqueued; no other comparison enqueues before."""
    done: bool = False

    def digest(self, *parts: str) -> int:
        """A 64-bit hash."""
        joined = "\0".join(part.strip('"') for part in parts).encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(joined, digest_size=8, key=self.key.encode()).digest(), "big")

    def holds(self, name: str) -> bool:
        """Whether a name belongs to the slice that is being compared."""
        return self.digest(name) % self.slices == self.slice


def find_missed(
    services: Services, until: datetime, *, resume_only: bool = False, settled_after: timedelta = SETTLED_AFTER
) -> int:
    """Enqueue the files that the table does not know in their present version. Returns how many this run did.

    A run ends at ``until``; the next continues where it stopped (``resume_only`` never begins a new comparison). Each
    file is a message, delayed so that the quota is spread over the day and polls of running operations go first.
    Files younger than ``settled_after`` are left to their events.
    """
    now, rate = services.now(), services.settings.read_rate.documents
    limit = max(1, int(rate * RUN_EVERY.total_seconds() * _HEADROOM))
    progress = last_comparison(services)
    if progress is None or progress.done:
        if resume_only:
            return 0
        if progress and progress.read_by and datetime.fromisoformat(progress.read_by) > now:
            log.comparison(enqueued=progress.enqueued, read_by=progress.read_by, complete=True)
            return 0
        progress = _begin()
    before = progress.enqueued
    for files, after in _missed(services, progress):
        enqueued = progress.enqueued
        for file in files[: limit - enqueued]:
            if now - file.uploaded_at >= settled_after:
                services.queue.send(Message(file.name, f'"{file.etag}"').to_json(), enqueued / rate)
                enqueued += 1
        read_by = (services.now() + timedelta(seconds=enqueued / rate)).isoformat()
        progress = replace(after, enqueued=enqueued, read_by=read_by, done=after.done or enqueued >= limit)
        services.comparisons.save(json.dumps(asdict(progress)))
        if progress.done or services.now() > until:
            break
    if progress.done and services.settings.delete_with_source:
        _forget_gone(services, progress.slices)
    log.comparison(enqueued=progress.enqueued, read_by=progress.read_by, complete=progress.done)
    return progress.enqueued - before


def count_missed(services: Services) -> tuple[int, int]:
    """How many files the table does not know in their present version, and their bytes. Enqueues nothing."""
    files = bytes_ = 0
    for missed, _ in _missed(services, _begin()):
        files += len(missed)
        bytes_ += sum(file.length for file in missed)
    return files, bytes_


def _missed(services: Services, progress: Progress) -> Iterator[tuple[list[Listed], Progress]]:
    """Missed files, a page of the listing at a time, with the progress after it."""
    settings = services.settings
    while not progress.done:
        known, progress = _known(services, progress)
        for files, next_page in _listing(services, progress.page):
            missed = [
                file
                for file in files
                if progress.holds(file.name)
                and progress.digest(file.name, file.etag) not in known
                and not is_junk(file.name)
                and not (settings.read_files_from and file.uploaded_at < settings.read_files_from)
            ]
            if next_page:
                progress = replace(progress, page=next_page)
            else:
                last = progress.slice + 1 >= progress.slices
                progress = replace(progress, page=None, slice=progress.slice + 1, done=last)
            yield missed, progress


def _listing(services: Services, start: str | None) -> Iterator[tuple[list[Listed], str | None]]:
    """Pages of the input container from a kept place on; from its beginning where storage refuses that place.

    A continuation token is good for as long as storage accepts it, and storage promises no time.
    """
    prefix = services.settings.input_prefix
    if start is not None:
        listing = services.inbox.pages(prefix, start)
        try:
            first = next(listing)
        except StopIteration:
            return
        except HttpResponseError as error:
            if error.status_code != HTTPStatus.BAD_REQUEST:
                raise
            log.trouble("Storage does not continue the listing, so it begins anew.", code=error_code(error))
        else:
            yield first
            yield from listing
            return
    yield from services.inbox.pages(prefix, None)


def _known(services: Services, progress: Progress) -> tuple[set[int], Progress]:
    """Hashes of what the table knows, of one slice. The first slice finds out how many slices are needed."""
    known: set[int] = set()
    for name, etag in services.documents.versions():
        if progress.holds(name):
            known.add(progress.digest(name, etag))
        if len(known) > SLICE and progress.slice == 0:
            progress = replace(progress, slices=progress.slices * 2)
            known = set()
            return _known(services, progress)
    return known, progress


def _forget_gone(services: Services, slices: int) -> None:
    """Forget the documents whose files are gone."""
    progress = replace(_begin(), slices=slices)
    for number in range(slices):
        progress = replace(progress, slice=number)
        there = {
            progress.digest(file.name)
            for files, _ in services.inbox.pages(services.settings.input_prefix, None)
            for file in files
            if progress.holds(file.name)
        }
        for name, _ in services.documents.versions():
            if (
                name.startswith(services.settings.input_prefix)
                and progress.holds(name)
                and progress.digest(name) not in there
            ):
                with suppress(Conflict, Superseded):  # somebody has just dropped it again
                    forget_gone(services, name)


def _begin() -> Progress:
    return Progress(key=secrets.token_hex(16))


def last_comparison(services: Services) -> Progress | None:
    """How far the last comparison has come, None before the first, and where what was kept cannot be read."""
    try:
        progress = Progress(**json.loads(services.comparisons.progress() or "null"))
        datetime.fromisoformat(progress.read_by or "2000-01-01")
    except (TypeError, ValueError):
        return None
    numbers = (progress.slices - 1, progress.slice, progress.enqueued) if _are_ints(progress) else (-1,)
    is_ours = isinstance(progress.key, str) and isinstance(progress.page, str | None) and min(numbers) >= 0
    return progress if is_ours else None


def _are_ints(progress: Progress) -> bool:
    return all(type(number) is int for number in (progress.slices, progress.slice, progress.enqueued))

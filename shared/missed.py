"""Compare container and table, and enqueue files that no event reported: as many as the quota reads in a day."""

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
"""A younger file is left to its event, which is probably still on its way."""

_HEADROOM = 0.9
"""The share of the quota that one comparison may use. The rest is for files that the trigger reports meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a comparison has come. It is stored: if a run is out of time, the next one continues from there."""

    key: str
    """The key of the hashes, random for each comparison, so that nobody can make up two names with the same hash."""
    slices: int = 1
    slice: int = 0
    page: str | None = None
    """The continuation token of the container's listing, within the slice."""
    enqueued: int = 0
    read_by: str | None = None
    """When the quota should have read all files that were enqueued. The next comparison begins after that time."""
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
    """Enqueue the files that the table does not know in their present version. Returns how many this run enqueued.

    A run ends at ``until``, and the next one continues where it stopped; with ``resume_only``, no new comparison is
    begun. Each file gets a message. The messages are delayed, so that they spread over the day and leave enough quota
    for polls. Files younger than ``settled_after`` are left to their events.
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
    """How many files the table does not know in their present version, and their bytes. Nothing is enqueued."""
    files = bytes_ = 0
    for missed, _ in _missed(services, _begin()):
        files += len(missed)
        bytes_ += sum(file.length for file in missed)
    return files, bytes_


def _missed(services: Services, progress: Progress) -> Iterator[tuple[list[Listed], Progress]]:
    """Missed files, one page of the listing at a time, each with the progress after it."""
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
    """Pages of the input container's listing, from ``start`` on, or from the beginning if storage refuses ``start``.

    Storage does not promise for how long it accepts a continuation token.
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
    """Hashes of the versions that the table knows, for one slice. The first slice decides how many slices there are."""
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
                with suppress(Conflict, Superseded):  # a file of this name has just been dropped again
                    forget_gone(services, name)


def _begin() -> Progress:
    return Progress(key=secrets.token_hex(16))


def last_comparison(services: Services) -> Progress | None:
    """How far the last comparison has come. None before the first one, and if its row cannot be read."""
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

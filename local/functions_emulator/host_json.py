"""`host.json`: the options of the triggers, as the real host reads and refuses them."""

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from local.functions_emulator.settings import HostError, read_json

LEVELS = {
    "trace": 5,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}
MINIMUM_POLLING_SECONDS = 0.1  # azure-sdk-for-net QueuePollingIntervals.cs
DEVELOPMENT_POLLING_SECONDS = 2.0  # azure-sdk-for-net StorageQueuesWebJobsBuilderExtensions.cs


@dataclass(frozen=True)
class QueueOptions:
    """`extensions.queues`, as QueuesOptions.cs has it. Times are in seconds."""

    batch_size: int
    new_batch_threshold: int
    max_polling_interval: float
    visibility_timeout: int = 0
    max_dequeue_count: int = 5
    message_encoding: Literal["base64", "none"] = "base64"


@dataclass(frozen=True)
class BlobOptions:
    """`extensions.blobs`, as BlobsOptions.cs has it."""

    max_degree_of_parallelism: int
    poison_blob_threshold: int = 5

    def queue_options(self, queues: QueueOptions) -> QueueOptions:
        """How the blob trigger's internal queue is read (SharedBlobQueueListenerFactory.cs)."""
        batch_size = min(32, self.max_degree_of_parallelism // 2 + 1)
        return QueueOptions(
            batch_size=batch_size,
            new_batch_threshold=max(0, self.max_degree_of_parallelism - batch_size),
            max_polling_interval=queues.max_polling_interval,
            max_dequeue_count=self.poison_blob_threshold,
        )


@dataclass(frozen=True)
class HttpOptions:
    """`extensions.http`, as HttpOptions.cs has it; 0 is no limit. ``largest_body`` is in bytes."""

    route_prefix: str = "api"
    max_outstanding_requests: int = 0
    max_concurrent_requests: int = 0
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    largest_body: int = 104_857_600


@dataclass(frozen=True)
class HostOptions:
    """What `host.json` and the environment say of this host. `function_timeout` is None for no limit."""

    queues: QueueOptions
    blobs: BlobOptions
    function_timeout: timedelta | None
    log_levels: Mapping[str, int] = field(default_factory=dict)
    http: HttpOptions = field(default_factory=HttpOptions)


def load_host_options(app: Path, environ: Mapping[str, str], processors: int | None = None) -> HostOptions:
    """Read `host.json`, with overrides such as AzureFunctionsJobHost__extensions__queues__batchSize.

    Raises HostError for a value that the real host refuses.
    """
    path = app / "host.json"
    if not path.is_file():
        raise HostError(f"{app} has no host.json: name the folder of a function app with --app.")
    document = _lower_keys(read_json(path))
    if document.get("version") != "2.0":
        raise HostError(f'{path}: "version" must be "2.0".')
    _override(document, environ)
    read = _Reader(document)
    processors = processors or os.cpu_count() or 1
    batch_size = read.integer("extensions.queues.batchSize", 16, 1, 32)
    development = environ.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"
    encoding = str(read.value("extensions.queues.messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise HostError(f'host.json: extensions.queues.messageEncoding is {encoding!r}; use "base64" or "none".')
    polling = read.duration(
        "extensions.queues.maxPollingInterval",
        timedelta(seconds=DEVELOPMENT_POLLING_SECONDS if development else 60),
        timedelta(seconds=MINIMUM_POLLING_SECONDS),
    )
    return HostOptions(
        queues=QueueOptions(
            batch_size=batch_size,
            new_batch_threshold=read.integer("extensions.queues.newBatchThreshold", batch_size // 2 * processors, 0),
            max_polling_interval=polling.total_seconds(),
            visibility_timeout=int(read.duration("extensions.queues.visibilityTimeout", timedelta(0)).total_seconds()),
            max_dequeue_count=read.integer("extensions.queues.maxDequeueCount", 5, 1),
            message_encoding="none" if encoding == "none" else "base64",
        ),
        blobs=BlobOptions(
            max_degree_of_parallelism=read.integer("extensions.blobs.maxDegreeOfParallelism", 8 * processors, 1),
            poison_blob_threshold=read.integer("extensions.blobs.poisonBlobThreshold", 5, 1),
        ),
        function_timeout=read.timeout("functionTimeout", timedelta(minutes=30)),
        log_levels=read.levels("logging.logLevel"),
        http=HttpOptions(
            route_prefix=str(read.value("extensions.http.routePrefix", "api")),
            max_outstanding_requests=max(0, read.integer("extensions.http.maxOutstandingRequests", -1, -1)),
            max_concurrent_requests=max(0, read.integer("extensions.http.maxConcurrentRequests", -1, -1)),
            custom_headers={name: str(text) for name, text in read.section("extensions.http.customHeaders").items()},
            largest_body=_body_limit(environ),
        ),
    )


def _body_limit(environ: Mapping[str, str]) -> int:
    given = environ.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "")
    return int(given) if given.isdecimal() else HttpOptions.largest_body


def parse_duration(text: str) -> timedelta:
    """Read a TimeSpan of .NET: `HH:MM`, `HH:MM:SS`, `D.HH:MM:SS`, or with a fraction. Raises ValueError."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,7})?))?", text)
    if not match or int(match[2]) > 23 or int(match[3]) > 59 or float(match[4] or 0) >= 60:
        raise ValueError(text)
    days, hours, minutes, seconds = match.groups()
    return timedelta(days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=float(seconds or 0))


class _Reader:
    """Typed values of a document whose keys are in lower case."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def value(self, name: str, default: object) -> Any:
        section: Any = self._document
        for key in name.lower().split("."):
            if not isinstance(section, dict) or key not in section:
                return default
            section = section[key]
        return default if section is None else section

    def integer(self, name: str, default: int, lowest: int, highest: int | None = None) -> int:
        given = self.value(name, default)
        try:
            number = int(str(given))
        except ValueError:
            number = lowest - 1
        if number < lowest or (highest is not None and number > highest):
            span = f"from {lowest} to {highest}" if highest is not None else f"{lowest} or more"
            raise HostError(f"host.json: {name} is {given!r}; it must be a whole number, {span}.")
        return number

    def duration(self, name: str, default: timedelta, lowest: timedelta = timedelta(0)) -> timedelta:
        given = self.value(name, None)
        if given is None:
            return default
        try:
            duration = parse_duration(str(given))
        except ValueError:
            raise HostError(f"host.json: {name} is {given!r}; write it as HH:MM:SS.") from None
        if duration < lowest:
            raise HostError(f"host.json: {name} is {given!r}; it must not be less than {lowest}.")
        return duration

    def timeout(self, name: str, default: timedelta) -> timedelta | None:
        if str(self.value(name, "")) == "-1":
            return None
        return self.duration(name, default, timedelta(seconds=1))

    def section(self, name: str) -> dict[str, Any]:
        section = self.value(name, {})
        if not isinstance(section, dict):
            raise HostError(f"host.json: {name} must be an object of names and values.")
        return section

    def levels(self, name: str) -> dict[str, int]:
        levels = self.section(name)
        for category, level in levels.items():
            if str(level).lower() not in LEVELS:
                raise HostError(f"host.json: {name}.{category} is {level!r}; use one of {', '.join(LEVELS)}.")
        return {category: LEVELS[str(level).lower()] for category, level in levels.items()}


def _lower_keys(value: Any) -> Any:
    """.NET's configuration does not tell `batchSize` from `BatchSize`."""
    if isinstance(value, dict):
        return {key.lower(): _lower_keys(item) for key, item in value.items()}
    return value


def _override(document: dict[str, Any], environ: Mapping[str, str]) -> None:
    for path, value in _overrides(environ):
        section = document
        for key in path[:-1]:
            if not isinstance(section.get(key), dict):
                section[key] = {}
            section = section[key]
        section[path[-1]] = value


def _overrides(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    for name, value in environ.items():
        first, *path = name.lower().split("__")
        if first == "azurefunctionsjobhost" and path:
            yield path, value

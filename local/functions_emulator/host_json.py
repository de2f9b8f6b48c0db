"""`host.json`: the options of the triggers, read and validated as in the real host."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from local.functions_emulator.settings import HostError
from shared.host_json import HostJson, HostJsonError, read

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
    """`extensions.queues`, as in QueuesOptions.cs. Times are in seconds."""

    batch_size: int
    new_batch_threshold: int
    max_polling_interval: float
    visibility_timeout: int = 0
    max_dequeue_count: int = 5
    message_encoding: Literal["base64", "none"] = "base64"


@dataclass(frozen=True)
class BlobOptions:
    """`extensions.blobs`, as in BlobsOptions.cs."""

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
    """`extensions.http`, as in HttpOptions.cs; 0 is no limit. ``largest_body`` is in bytes."""

    route_prefix: str = "api"
    max_outstanding_requests: int = 0
    max_concurrent_requests: int = 0
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    largest_body: int = 104_857_600


@dataclass(frozen=True)
class HostOptions:
    """The options of this host from `host.json` and the environment. `function_timeout` is None for no limit."""

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
    try:
        return _options(read(path.read_bytes(), environ), environ, processors or os.cpu_count() or 1)
    except HostJsonError as error:
        raise HostError(f"{app}: {error}") from None


def _options(given: HostJson, environ: Mapping[str, str], processors: int) -> HostOptions:
    if given.text("version") != "2.0":
        raise HostJsonError('"version" must be "2.0".')
    batch_size = given.integer("extensions.queues.batchSize", 16, 1, 32)
    development = environ.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"
    polling = given.duration(
        "extensions.queues.maxPollingInterval",
        timedelta(seconds=DEVELOPMENT_POLLING_SECONDS if development else 60),
        timedelta(seconds=MINIMUM_POLLING_SECONDS),
        timedelta(days=1),  # this emulator's own limit: 250 would mean 250 days, which nobody intends
    )
    visibility = given.duration("extensions.queues.visibilityTimeout", timedelta(0), highest=timedelta(days=7))
    return HostOptions(
        queues=QueueOptions(
            batch_size=batch_size,
            new_batch_threshold=given.integer("extensions.queues.newBatchThreshold", batch_size // 2 * processors, 0),
            max_polling_interval=polling.total_seconds(),
            visibility_timeout=int(visibility.total_seconds()),
            max_dequeue_count=given.integer("extensions.queues.maxDequeueCount", 5, 1),
            message_encoding="none" if given.message_encoding() == "none" else "base64",
        ),
        blobs=BlobOptions(
            max_degree_of_parallelism=given.integer("extensions.blobs.maxDegreeOfParallelism", 8 * processors, 1),
            poison_blob_threshold=given.integer("extensions.blobs.poisonBlobThreshold", 5, 1),
        ),
        function_timeout=given.function_timeout(timedelta(minutes=30)),
        log_levels=_levels(given),
        http=HttpOptions(
            # An empty prefix means no prefix; elsewhere an empty value means the default.
            route_prefix=given.values.get("extensions:http:routeprefix", "api"),
            max_outstanding_requests=max(0, given.integer("extensions.http.maxOutstandingRequests", -1, -1)),
            max_concurrent_requests=max(0, given.integer("extensions.http.maxConcurrentRequests", -1, -1)),
            custom_headers=given.section("extensions.http.customHeaders"),
            largest_body=_body_limit(environ),
        ),
    )


def _levels(given: HostJson) -> dict[str, int]:
    levels = given.section("logging.logLevel")
    for category, level in levels.items():
        if level.lower() not in LEVELS:
            raise HostJsonError(f"logging.logLevel.{category} is {level!r}; use one of {', '.join(LEVELS)}.")
    return {category: LEVELS[level.lower()] for category, level in levels.items()}


def _body_limit(environ: Mapping[str, str]) -> int:
    given = environ.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "")
    return int(given) if given.isdecimal() else HttpOptions.largest_body

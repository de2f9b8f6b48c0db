"""The app between a user who drops files and a host that delivers events and messages, without any waiting."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from shared import settings
from shared.advance import advance, advance_message
from shared.assembly import Services, build
from shared.document import Document
from shared.keys import lines_key
from shared.quota.limiter import RateLimiter
from shared.quota.row import QuotaRow
from shared.settings import Settings
from shared.storage.connection import table_service

MOST_STEPS = 60
"""A document that is not final after this many messages never will be."""


class Clock:
    """The time, which passes only while the app waits for a delayed message."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Sent:
    """The queue of next steps. It records what is sent and passes it on to the real queue."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self.messages: deque[tuple[str, float]] = deque()

    def send(self, text: str, delay: float) -> None:
        self._queue.send(text, delay)
        self.messages.append((text, delay))


class App:
    """The real app with these settings. Only its clock is replaced, and its queue is recorded."""

    def __init__(self, app_settings: Settings, clock: Clock, sent: Sent | None = None) -> None:
        self.settings = app_settings
        self.clock = clock
        built = build(app_settings)
        self.sent = sent or Sent(built.queue)
        overheard: Any = self.sent
        connection = app_settings.storage.connection_string or ""
        documents = table_service(app_settings.storage).get_table_client(app_settings.documents_table)
        row = QuotaRow(documents, app_settings.read_endpoint)
        limiter = RateLimiter(app_settings.read_rate, row, clock, clock.passes, built.random)
        self.services: Services = replace(built, now=clock, queue=overheard, limiter=limiter)
        self._blobs = BlobServiceClient.from_connection_string(connection)
        self._lines = table_service(app_settings.storage).get_table_client(app_settings.lines_table)

    def twin(self) -> "App":
        """Another worker of the same app; both send to the same queue."""
        return App(self.settings, self.clock, self.sent)

    # A user

    def drop(self, name: str, content: str | bytes, **options: Any) -> None:
        """Upload a file, replacing an older one of that name. Its event has not come yet."""
        data = content.encode() if isinstance(content, str) else content
        self.inbox.upload_blob(name, data, overwrite=True, **options)

    def create_inbox(self) -> None:
        self.inbox.create_container()

    @property
    def inbox(self) -> Any:
        return self._blobs.get_container_client(self.settings.input_container)

    @property
    def results(self) -> Any:
        return self._blobs.get_container_client(self.settings.output_container)

    @property
    def queue(self) -> QueueClient:
        connection = self.settings.storage.connection_string or ""
        return QueueClient.from_connection_string(connection, self.settings.read_queue)

    @property
    def queues(self) -> QueueServiceClient:
        return QueueServiceClient.from_connection_string(self.settings.storage.connection_string or "")

    # The host

    def event(self, name: str) -> None:
        """The blob trigger fires."""
        advance(self.services, name)

    def step(self) -> float:
        """The queue trigger fires for the oldest message, as soon as it is visible. Returns how long that took."""
        text, delay = self.sent.messages.popleft()
        self.clock.passes(delay)
        advance_message(self.services, text.encode())
        return delay

    def run(self) -> None:
        """Deliver messages until there are none."""
        for _ in range(MOST_STEPS):
            if not self.sent.messages:
                return
            self.step()
        raise AssertionError(f"still at work after {MOST_STEPS} messages")

    def read(self, name: str, content: str | bytes | None = None) -> Document:
        """Drop a file, unless it exists, and take all its steps. Returns its row."""
        if content is not None:
            self.drop(name, content)
        self.event(name)
        self.run()
        return self.document(name)

    # Results

    def document(self, name: str) -> Document:
        """The document's row, which must be there."""
        found = self.services.documents.get(name)
        assert found is not None, f"no row for {name!r}"
        return found

    def lines(self, name: str) -> list[str]:
        """The texts of the rows of lines, in order."""
        return [row["Text"] for row in self.line_rows(name)]

    def line_rows(self, name: str) -> list[Mapping[str, Any]]:
        key = lines_key(self.settings.input_container, name)
        found = self._lines.query_entities("PartitionKey eq @key and Line ge 1", parameters={"key": key})
        return list(found)

    def output(self, name: str) -> bytes | None:
        """An output blob's content, or None if there is none."""
        blob = self.results.get_blob_client(name)
        return bytes(blob.download_blob().readall()) if blob.exists() else None


def settings_for(storage: str, endpoint: str, **others: str) -> Settings:
    """Settings with their own containers, queues and tables, so that tests share only an account."""
    own = uuid4().hex[:12]
    environment = {
        "DocumentStorage": storage,
        "READ_ENDPOINT": endpoint,
        "INPUT_CONTAINER": f"in-{own}",
        "OUTPUT_CONTAINER": f"out-{own}",
        "READ_QUEUE": f"q-{own}",
        "DOCUMENTS_TABLE": f"d{own}",
        "LINES_TABLE": f"l{own}",
        **others,
    }
    return settings.from_environment(environment, '{"functionTimeout": "00:10:00"}')


def environment_of(chosen: Settings) -> dict[str, str]:
    """The app settings with which a separate host runs the app of ``settings_for``."""
    storage = chosen.storage.connection_string or ""
    return {
        "AzureWebJobsStorage": storage,
        "DocumentStorage": storage,
        "READ_ENDPOINT": chosen.read_endpoint,
        "INPUT_CONTAINER": chosen.input_container,
        "OUTPUT_CONTAINER": chosen.output_container,
        "READ_QUEUE": chosen.read_queue,
        "DOCUMENTS_TABLE": chosen.documents_table,
        "LINES_TABLE": chosen.lines_table,
    }

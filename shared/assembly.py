"""Everything that the functions work with, made in one place. Tests and simulations make it from other parts."""

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from azure.storage.queue import TextBase64EncodePolicy

from shared.clouds import cloud_of_read
from shared.document import Document
from shared.identity import credential
from shared.library import Library
from shared.loopback import is_loopback
from shared.quota.limiter import RateLimiter
from shared.quota.row import QuotaRow
from shared.read.client import CredentialsUnavailable, ReadClient
from shared.settings import Settings
from shared.storage.comparisons import Comparisons
from shared.storage.connection import OUTPUT_RANGE_BYTES, blob_service, queue_service, table_service
from shared.storage.documents import Documents
from shared.storage.inbox import Inbox
from shared.storage.lines import Lines
from shared.storage.links import Links
from shared.storage.outputs import Outputs
from shared.storage.queues import Queue, RawQueue


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, storage, Read, the clock and the source of random numbers."""

    settings: Settings
    documents: Documents
    comparisons: Comparisons
    lines: Lines
    inbox: Inbox
    outputs: Outputs
    queue: Queue
    done: Queue | None
    """DONE_QUEUE, if it is set."""
    poison: RawQueue
    """Messages of READ_QUEUE that failed five times; some may be from other programs."""
    unreadable: RawQueue
    blob_poison: RawQueue
    """The host's queue for blob events that failed five times, of every function in the account."""
    read: ReadClient
    limiter: RateLimiter
    now: Callable[[], datetime]
    random: Random
    links: Links | None = None
    """Makes links with which Read fetches files itself. None unless SUBMIT_BY=url and Read can reach storage."""
    outputs_in: Callable[[str], Outputs] | None = None
    lines_in: Callable[[str], Lines] | None = None
    """Open another output container, or another lines table, which earlier settings may have named."""

    def places_of(self, document: Document) -> tuple[Outputs, Lines]:
        """The output container and the lines table that a document's row names."""
        outputs, lines, settings = self.outputs, self.lines, self.settings
        if self.outputs_in and document.output_container not in (None, settings.output_container):
            outputs = self.outputs_in(str(document.output_container))
        if self.lines_in and document.lines_table not in (None, settings.lines_table):
            lines = self.lines_in(str(document.lines_table))
        return outputs, lines


def build(settings: Settings) -> Services:
    """The real services. Clients are made once in a process and shared by its threads. Nothing is called yet."""
    # At INFO, the SDKs log 18 requests for each document, with its name.
    logging.getLogger("azure").setLevel(logging.WARNING)
    blobs, tables = blob_service(settings.storage), table_service(settings.storage)
    queues = queue_service(settings.storage)

    def queue(name: str) -> Queue:
        return Queue(queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy()))

    def raw_queue(name: str) -> RawQueue:
        return RawQueue(queues.get_queue_client(name))

    outputs = blob_service(settings.storage, OUTPUT_RANGE_BYTES)

    def outputs_in(container: str) -> Outputs:
        return Outputs(outputs.get_container_client(container))

    def now() -> datetime:
        return datetime.now(UTC)

    random = Random()  # noqa: S311 - jitter, not a secret
    documents = tables.get_table_client(settings.documents_table)
    return Services(
        settings=settings,
        documents=Documents(
            documents,
            settings.input_container,
            lambda: uuid.uuid4().hex,
        ),
        comparisons=Comparisons(documents, settings.input_container, settings.input_prefix),
        lines=Lines(tables.get_table_client(settings.lines_table)),
        inbox=Inbox(blobs.get_container_client(settings.input_container)),
        outputs=outputs_in(settings.output_container),
        outputs_in=outputs_in,
        lines_in=lambda name: Lines(tables.get_table_client(name)),
        queue=queue(settings.read_queue),
        done=queue(settings.done_queue) if settings.done_queue else None,
        poison=raw_queue(f"{settings.read_queue}-poison"),
        unreadable=raw_queue(f"{settings.read_queue}-unreadable"),
        blob_poison=raw_queue("webjobs-blobtrigger-poison"),
        read=ReadClient(
            settings.read_endpoint,
            settings.generation,
            key=settings.read_key,
            token=None if settings.read_key else _entra_token(settings),
            now=now,
        ),
        limiter=RateLimiter(settings.read_rate, QuotaRow(documents, settings.read_endpoint), now, time.sleep, random),
        now=now,
        random=random,
        links=Links(blobs, settings.input_container, now) if _fetches(settings, blobs.url) else None,
    )


def build_library(settings: Settings) -> Library:
    """The read side alone, for callers that only read. Nothing is called yet."""
    return Library(settings, blob_service(settings.storage), table_service(settings.storage))


def _fetches(settings: Settings, storage_url: str) -> bool:
    """Whether Read fetches files itself. Storage on this machine can be reached only from this machine."""
    if settings.submit_by != "url":
        return False
    return is_loopback(settings.read_endpoint) or not is_loopback(storage_url)


def _entra_token(settings: Settings) -> Callable[[], str] | None:
    """A source of Microsoft Entra tokens, if the endpoint takes them. The credential caches its tokens."""
    cloud = cloud_of_read(settings.read_endpoint)
    if cloud is None:
        return None
    from azure.core.exceptions import AzureError

    signs_in = credential(settings.storage.client_id, cloud)

    def token() -> str:
        try:
            return str(signs_in.get_token(cloud.scope).token)
        except AzureError as error:
            raise CredentialsUnavailable(f"No token from Microsoft Entra ID ({type(error).__name__}).") from None

    return token

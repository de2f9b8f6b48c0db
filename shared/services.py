"""What the functions work with, made in one place. A test, or a simulation, makes it of other parts."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from azure.storage.queue import TextBase64EncodePolicy

from shared.read.client import CredentialsUnavailable, ReadClient, takes_entra_tokens
from shared.settings import Settings
from shared.storage.blobs import Inbox, Outputs
from shared.storage.connection import blob_service, queue_service, table_service
from shared.storage.queue import ReadQueue
from shared.storage.tables import Documents, Lines


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, storage, Read, the clock and chance."""

    settings: Settings
    documents: Documents
    lines: Lines
    inbox: Inbox
    outputs: Outputs
    queue: ReadQueue
    read: ReadClient
    now: Callable[[], datetime]
    random: Random


def build(settings: Settings) -> Services:
    """The real ones. Clients are made once a process and shared by its threads; nothing is called yet."""
    blobs, tables = blob_service(settings.storage), table_service(settings.storage)
    queue = queue_service(settings.storage).get_queue_client(
        settings.read_queue, message_encode_policy=TextBase64EncodePolicy()
    )

    def now() -> datetime:
        return datetime.now(UTC)

    return Services(
        settings=settings,
        documents=Documents(
            tables.get_table_client(settings.documents_table),
            settings.input_container,
            lambda: uuid.uuid4().hex,
        ),
        lines=Lines(tables.get_table_client(settings.lines_table)),
        inbox=Inbox(blobs.get_container_client(settings.input_container)),
        outputs=Outputs(blobs.get_container_client(settings.output_container)),
        queue=ReadQueue(queue),
        read=ReadClient(
            settings.read_endpoint,
            settings.generation,
            key=settings.read_key,
            token=None if settings.read_key else _entra_token(settings),
            now=now,
        ),
        now=now,
        random=Random(),  # noqa: S311 - jitter, not a secret
    )


def _entra_token(settings: Settings) -> Callable[[], str] | None:
    """A source of Microsoft Entra tokens, for an endpoint that takes them. The credential caches what it gets."""
    if not takes_entra_tokens(settings.read_endpoint):
        return None
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import DefaultAzureCredential

    credential = DefaultAzureCredential(managed_identity_client_id=settings.storage.client_id)

    def token() -> str:
        try:
            return str(credential.get_token("https://cognitiveservices.azure.com/.default").token)
        except ClientAuthenticationError as error:
            raise CredentialsUnavailable(f"No token from Microsoft Entra ID ({type(error).__name__}).") from None

    return token

"""The clients of a connection, by its name, resolved as in the real host."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import requests
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient, LinearRetry
from azure.storage.queue import LinearRetry as QueueLinearRetry
from azure.storage.queue import QueueServiceClient
from requests.adapters import HTTPAdapter

from local.functions_emulator import receipts
from local.functions_emulator.settings import HostError
from shared.connection_string import endpoints
from shared.loopback import without_proxy

DEFAULT_CONNECTION = "AzureWebJobsStorage"
_ANSWER_SECONDS = 5


class Connection:
    """The blob and queue clients of one connection name, created at first use.

    `<C>` is a connection string; else `<C>__blobServiceUri` and `<C>__queueServiceUri`, or `<C>__serviceUri`,
    or `<C>__accountName` name the services, and `<C>__credential` and `<C>__clientId` the identity.
    """

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._environ = environ
        # The host looks for "AzureWebJobs" + name first (azure-sdk-for-net StorageClientProvider.cs).
        names = [prefix + name for prefix in ("AzureWebJobs", "")]
        self.name = next((known for known in names if self._is_set(known)), name)
        if not self._is_set(self.name):
            raise HostError(
                f"Storage connection '{name}' is not set: put a connection string in {name}, or the "
                f"account's name in {name}__accountName, as an app setting."
            )

    @cached_property
    def blobs(self) -> BlobServiceClient:
        """Its blob service."""
        client: BlobServiceClient = self._client(BlobServiceClient, "blob", LinearRetry)
        return client

    @cached_property
    def queues(self) -> QueueServiceClient:
        """Its queue service. Bodies are neither encoded nor decoded: see delivery.py."""
        client: QueueServiceClient = self._client(QueueServiceClient, "queue", QueueLinearRetry)
        return client

    def require(self, *services: Literal["blob", "queue"]) -> None:
        """Raise HostError unless each service answers within some seconds."""
        limits: dict[str, Any] = {
            "connection_timeout": _ANSWER_SECONDS,
            "read_timeout": _ANSWER_SECONDS,
            "retry_total": 0,
        }
        for service in services:
            try:
                if service == "blob":
                    self.blobs.get_container_client(receipts.CONTAINER).get_container_properties(**limits)
                else:
                    self.queues.get_queue_client(receipts.CONTAINER).get_queue_properties(**limits)
            except ResourceNotFoundError:
                pass
            except HttpResponseError as error:
                old = " Start Azurite with --skipApiVersionCheck." if "InvalidHeaderValue" in brief(error) else ""
                raise HostError(
                    f"The {service} service of '{self.name}' refuses this host: {brief(error)}.{old}"
                ) from error
            except AzureError as error:
                raise HostError(
                    f"The {service} service of '{self.name}' does not answer. Is Azurite running, with its blob "
                    "and queue services?"
                ) from error

    def _client(self, kind: Any, service: Literal["blob", "queue"], retry: Any) -> Any:
        # The SDK would wait for about 18 s before its first retry.
        options = {"retry_policy": retry(backoff=1, retry_total=2, random_jitter_range=0), "transport": _transport()}
        if connection_string := self._environ.get(self.name):
            try:
                options |= without_proxy(next(endpoints(connection_string), None))
                return kind.from_connection_string(connection_string, **options)
            except ValueError:
                raise HostError(f"{self.name} is not a connection string with a {service} service.") from None
        url = self._url(service)
        return kind(url, self._credential(), **options, **without_proxy(url))

    def _is_set(self, name: str) -> bool:
        suffixes = ("", "__accountName", "__blobServiceUri", "__queueServiceUri", "__serviceUri")
        return any(self._environ.get(name + suffix) for suffix in suffixes)

    def _url(self, service: Literal["blob", "queue"]) -> str:
        for suffix in (f"__{service}ServiceUri", "__serviceUri"):
            if url := self._environ.get(self.name + suffix):
                return url
        if account := self._environ.get(f"{self.name}__accountName"):
            return f"https://{account}.{service}.core.windows.net"
        raise HostError(f"Set {self.name}__{service}ServiceUri: this host needs that account's {service} service.")

    def _credential(self) -> Any:
        client_id = self._environ.get(f"{self.name}__clientId")
        if self._environ.get(f"{self.name}__credential", "").lower() == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id)
        return DefaultAzureCredential(managed_identity_client_id=client_id)


class Connections:
    """One Connection for each name."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: dict[str, Connection] = {}

    def __getitem__(self, name: str) -> Connection:
        name = name or DEFAULT_CONNECTION
        if name not in self._known:
            self._known[name] = Connection(name, self._environ)
        return self._known[name]


def brief(error: Exception) -> str:
    """Storage's error in a few words. A failed request's own text contains its URL, which may contain a SAS."""
    if isinstance(error, HttpResponseError):
        parts = (error.status_code, getattr(error, "error_code", None) or error.reason)
        return " ".join(str(part) for part in parts if part) or type(error).__name__
    return f"no answer ({type(error).__name__})" if isinstance(error, AzureError) else repr(error)


def _transport() -> Any:
    """Requests keeps ten connections by default; every invocation in flight talks to storage on its own."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=64))
    session.mount("https://", HTTPAdapter(pool_maxsize=64))
    return RequestsTransport(session=session, session_owner=False)

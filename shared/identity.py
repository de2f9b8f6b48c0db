"""Credentials: one for each identity and cloud, since each caches its own tokens."""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from shared.clouds import Cloud

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_lock = Lock()


def credential(client_id: str | None, cloud: Cloud | None = None) -> "TokenCredential":
    """The managed identity that ``client_id`` names. Without one, the system-assigned one or a developer's sign-in.

    If the cloud is not known, it is the one of AZURE_AUTHORITY_HOST, or else the public cloud.
    """
    with _lock:
        return _made(client_id, cloud.authority if cloud else None)


@cache
def _made(client_id: str | None, authority: str | None) -> "TokenCredential":
    # Imported here: a start has no use for it, and would take half as long again.
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential(authority=authority)

"""Who signs in: one credential for each identity and cloud, since each keeps its own tokens and asks for them anew."""

from threading import Lock
from typing import TYPE_CHECKING

from shared.clouds import Cloud

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_credentials: dict[tuple[str | None, str | None], "TokenCredential"] = {}
_lock = Lock()


def credential(client_id: str | None, cloud: Cloud | None = None) -> "TokenCredential":
    """The managed identity that ``client_id`` names; else the system's own, or a developer's sign-in.

    Where the cloud is not known, AZURE_AUTHORITY_HOST says whom to sign in to, and else it is the public cloud.
    """
    # costs a third of a start that has no use for it
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    authority = cloud.authority if cloud else None
    with _lock:
        if (client_id, authority) not in _credentials:
            _credentials[client_id, authority] = (
                ManagedIdentityCredential(client_id=client_id)
                if client_id
                else DefaultAzureCredential(authority=authority)
            )
        return _credentials[client_id, authority]

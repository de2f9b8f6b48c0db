"""Who signs in: one credential for each identity and cloud, since each keeps its own tokens and asks for them anew."""

from threading import Lock
from typing import TYPE_CHECKING

from shared.clouds import Cloud

if TYPE_CHECKING:
    from azure.identity import DefaultAzureCredential

_credentials: dict[tuple[str | None, str | None], "DefaultAzureCredential"] = {}
_lock = Lock()


def credential(client_id: str | None, cloud: Cloud | None) -> "DefaultAzureCredential":
    """Managed identity in Azure, a developer's own sign-in elsewhere.

    ``client_id`` names one of several managed identities. Where the cloud is not known, AZURE_AUTHORITY_HOST says
    whom to sign in to, and else it is the public cloud.
    """
    from azure.identity import DefaultAzureCredential  # costs a third of a start that has no use for it

    authority = cloud.authority if cloud else None
    with _lock:
        if (client_id, authority) not in _credentials:
            _credentials[client_id, authority] = DefaultAzureCredential(
                managed_identity_client_id=client_id, authority=authority
            )
        return _credentials[client_id, authority]

"""Who the app is towards storage and Read where no key is given."""

from functools import cache
from typing import Any


@cache
def credential(client_id: str | None, authority: str | None = None) -> Any:
    """A user-assigned managed identity by its client id; else a system-assigned one, or a developer's own sign-in.

    One for all clients, since each keeps tokens of its own: a cold start asks for one token and not for one a client.
    """
    from azure.identity import (
        DefaultAzureCredential,
        ManagedIdentityCredential,
    )  # a third of a start without use for it

    if client_id:
        return ManagedIdentityCredential(client_id=client_id)
    return DefaultAzureCredential(authority=authority) if authority else DefaultAzureCredential()

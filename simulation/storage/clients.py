"""How an SDK client is connected to the in-memory account."""

from typing import Any, Self, TypeVar

Client = TypeVar("Client")


def derived(kind: type[Client], parent: object, **attributes: Any) -> Client:
    """A client of class `kind` with the attributes of `parent` (account, endpoint, sizes) and its own.

    This has the effect of the SDK's `get_..._client` methods, without the HTTP pipeline that they build
    for each client, which would take most of a simulation's time.
    """
    client = kind.__new__(kind)
    client.__dict__.update(parent.__dict__, **attributes)
    return client


class Unconnected:
    """A context manager, as all clients are, with no connection to close."""

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class GeneratedLayer(Unconnected):
    """Replaces an SDK client's generated HTTP client: groups of operations."""

    def __init__(self, **groups: object) -> None:
        self.__dict__.update(groups)

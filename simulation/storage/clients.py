"""How an SDK client comes to speak to the in-memory account."""

from typing import Any, Self, TypeVar

Client = TypeVar("Client")


def derived(kind: type[Client], parent: object, **attributes: Any) -> Client:
    """A client of class `kind` with the attributes of `parent` (account, endpoint, sizes) and its own.

    This is what the SDK's `get_..._client` methods come to, without the HTTP pipeline that they build anew
    for each client, in which a simulation would spend most of its time.
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
    """Stands where an SDK client keeps its generated HTTP client: groups of operations."""

    def __init__(self, **groups: object) -> None:
        self.__dict__.update(groups)

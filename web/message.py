"""A request and a response, independent of azure.functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller sent. Header names are in lower case."""

    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: str = ""
    """The rest of the path below ``static/``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the caller gets."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    media_type: str = "application/json"

"""A wire without a network: mounted on a session, it takes requests as a socket would and answers from a script."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from shared.read.client import new_session

_BLOCK = 16 * 1024
"""What http.client reads of a body at a time."""


@dataclass
class Wire(BaseAdapter):
    """Answers every request in the same way, or fails it.

    ``takes`` is how much of a body goes out before ``error`` breaks the connection; None is all of it.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: Exception | None = None
    takes: int | None = None
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        self.sent.append(request)
        self.options.append(options)
        self.bodies.append(self._take(request.body))
        if self.error:
            raise self.error
        response = requests.Response()
        response.status_code = self.status
        response.headers.update(self.headers)
        response.raw = HTTPResponse(BytesIO(self.body), headers=self.headers, status=self.status, preload_content=False)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing to close."""

    def session(self) -> requests.Session:
        """The client's own session, with this wire in place of every socket."""
        session = new_session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, self)
        return session

    def _take(self, body: Any) -> bytes:
        if body is None:
            return b""
        taken = b""
        read: Callable[[int], bytes] = body.read
        while self.takes is None or len(taken) < self.takes:
            block = read(_BLOCK if self.takes is None else min(_BLOCK, self.takes - len(taken)))
            if not block:
                break
            taken += block
        return taken

"""One-page documents, read one by one on the local stack, with a Read service whose times are known."""

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from cli.settings import without_app_settings
from local.processes import ServiceError
from local.read_emulator.script import Latency, Script
from local.read_emulator.serving import serving
from local.read_emulator.stage import Stage
from local.stack import Ports, own_stack

MOST_SECONDS = 60
"""For one document."""


class Added(NamedTuple):
    """What one document cost: calls of Read, and seconds from the answer being ready to the row that says so."""

    calls: int
    seconds: float


@dataclass(frozen=True)
class _Known(Latency):
    """The given latencies, one after another. ``ready_at`` records when each answer is ready, in seconds UTC."""

    seconds: Sequence[float] = ()
    ready_at: list[float] = field(default_factory=list)

    @override
    def draw(self, chance: Random) -> float:
        seconds = self.seconds[len(self.ready_at)]
        self.ready_at.append(time.time() + seconds)
        return seconds


def read_one_page_documents(seconds: Sequence[float], get_seconds: tuple[float, float]) -> list[Added]:
    """Read documents, each when the previous one is done. The first only warms up.

    ``seconds`` is what Read takes for each, ``get_seconds`` the range of seconds that a poll's answer takes on its way.
    Raises ServiceError.
    """
    random = Random(1)  # noqa: S311 - spreads documents over the host's polls, repeatably
    known = _Known(seconds=seconds)
    stage = Stage(Script(seed=1, latency=known), lambda: datetime.now(UTC))
    read = serving(_far_away(stage, get_seconds, random))
    with TemporaryDirectory() as logs, read as endpoint:
        settings = {**without_app_settings(os.environ), "READ_ENDPOINT": endpoint}
        with own_stack("bench", settings, Ports(), logs=Path(logs)) as stack:
            connection, host = stack.connection_string, stack.description.host_url
            inbox = BlobServiceClient.from_connection_string(connection).create_container("inbox")
            rows = TableServiceClient.from_connection_string(connection).get_table_client("documents")
            results = []
            for number in range(len(seconds)):
                time.sleep(random.uniform(0.5, 1.0))
                calls = sum(stage.counters()[each] for each in ("posts", "gets"))
                name = f"{number}.png"
                inbox.upload_blob(name, f"document {number}".encode())
                _deliver_event(host or "", name)
                ended_at = _succeeded_at(rows, name)
                calls = sum(stage.counters()[each] for each in ("posts", "gets")) - calls
                results.append(Added(calls, ended_at - known.ready_at[number]))
    return results[1:]


def _far_away(app: ASGIApp, get_seconds: tuple[float, float], random: Random) -> ASGIApp:
    """Read, as seen from an Azure region: an answer takes time."""

    async def later(scope: Scope, receive: Receive, send: Send) -> None:
        async def slowly(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] == "GET":
                await asyncio.sleep(random.uniform(*get_seconds))
            await send(message)

        await app(scope, receive, slowly)

    return later


def _deliver_event(host: str, name: str) -> None:
    """The event, at once: a scan's own time is not what is measured."""
    request = urllib.request.Request(  # noqa: S310 - http, on this machine
        f"{host}/admin/functions/submit_document",
        data=json.dumps({"input": f"inbox/{name}"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - as above


def _succeeded_at(rows: TableClient, name: str) -> float:
    """When storage had the final row, by storage's clock, which is this machine's."""
    give_up_at = time.monotonic() + MOST_SECONDS
    while time.monotonic() < give_up_at:
        time.sleep(0.2)
        try:
            row = rows.get_entity("inbox", name)
        except ResourceNotFoundError:
            continue
        written_at = row.metadata["timestamp"]
        if row["Status"] == "succeeded" and written_at:
            return written_at.timestamp()
        if row["Status"] == "failed":
            raise ServiceError(f"A document failed: {row['ErrorMessage']}")
    raise ServiceError(f"A document was not read within {MOST_SECONDS} s.")

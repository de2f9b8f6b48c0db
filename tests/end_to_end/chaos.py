"""The app with people, hosts that are killed, and a Read service that throttles, breaks off and loses answers.

Leases and claims are a thirtieth of their real length: 20 and 22 s. What happens is drawn from a seed; the exact order
depends on the machine.
"""

# ruff: noqa: S603 - starts this very Python

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64DecodePolicy
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.paths import ROOT
from local.read_emulator.script import Script
from local.read_emulator.serving import serving
from local.read_emulator.stage import Stage
from shared.assembly import Services, build
from shared.document import Document, Status
from shared.keys import lines_key
from shared.settings import from_environment
from shared.storage.connection import table_service

LEASE = 20
RUN = 20.0
"""functionTimeout, in seconds: a run that began earlier has ended. On a busy machine a run may take half as long."""
SWEEP_EVERY = 3.0


@dataclass(frozen=True)
class Plan:
    """The plan of a run: ``seconds`` of trouble, then rest."""

    seed: int
    seconds: float
    documents: int
    rests_within: float = 600.0

    def script(self) -> Script:
        """How Read behaves during trouble and rest."""
        # A POST without an answer is retried after a minute, so the short run has its few at the beginning.
        lost, broken = (
            ({"probability": 0.03}, {"probability": 0.03})
            if self.seconds > 60
            else ({"calls": [2, 6]}, {"calls": [4, 5]})
        )
        return Script.parse(
            {
                "seed": self.seed,
                "latency": {"median": 1.2, "sigma": 0.5},
                "result": {"pages": 2, "lines": 60},  # more lines than a batch of the table service can hold
                "faults": [
                    {"on": "POST", "do": "reset after", **lost},
                    {"on": "POST", "probability": 0.06, "do": "status", "status": 429},
                    {"on": "POST", "probability": 0.03, "do": "status", "status": 500},
                    {"on": "POST", "do": "reset before", **broken},
                    {"on": "GET", "probability": 0.05, "do": "status", "status": 429},
                    {"on": "GET", "probability": 0.03, "do": "status", "status": 500},
                    {"on": "GET", "probability": 0.03, "do": "reset after"},
                    {"on": "GET", "probability": 0.03, "do": "truncate"},
                    {"on": "GET", "probability": 0.005 if self.seconds > 60 else 0.0, "do": "expire"},
                ],
            }
        )


@dataclass
class Post:
    """A POST that Read received in full."""

    content: str
    """Its SHA-256."""
    at: float
    status: int | None = None
    """None if the answer was lost."""
    operation: str | None = None


class Witness:
    """A proxy before Read that records requests and answers.

    ``accepted`` is called with the SHA-256 of a content after Read has accepted it and before the answer is sent.
    """

    def __init__(self, app: ASGIApp, accepted: Callable[[str], None]) -> None:
        self._app = app
        self._accepted = accepted
        self.posts: list[Post] = []
        self.expired: set[str] = set()
        """Operations that Read answered with 404."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one call."""
        digest, post = hashlib.sha256(), Post("", 0.0)

        async def overheard() -> Message:
            message = await receive()
            digest.update(message.get("body", b""))
            if scope["method"] == "POST" and message["type"] == "http.request" and not message.get("more_body"):
                post.content, post.at = digest.hexdigest(), time.monotonic()
                self.posts.append(post)
            return message

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                post.status = message["status"]
                if post.status == 202:
                    headers = dict(message["headers"])
                    post.operation = headers[b"operation-location"].decode().rpartition("/")[2]
                    await asyncio.to_thread(self._accepted, post.content)
                elif post.status == 404:
                    self.expired.add(scope["path"].rpartition("/")[2])
            await send(message)

        await self._app(scope, overheard, answered)


class Host:
    """A process of the Functions emulator that is restarted whenever it has ended."""

    def __init__(self, number: int, environment: Mapping[str, str], host_id: str, log: Path) -> None:
        self.number = number
        self._environment = environment
        self._host_id = host_id
        self._log = log.open("ab")
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self.port = _free_port()
        self.deaths: list[float] = []

    def start(self) -> None:
        """Start it unless it is running. It needs a second or two to get to work."""
        with self._changing:
            if self._process is not None:
                if self._process.poll() is None:
                    return
                self._bury(self._process)  # it was stopped by a function that ran too long
            command = [sys.executable, "-m", "local.until_stdin_closes", "local.functions_emulator", "--app", str(ROOT)]
            command += ["--port", str(self.port), "--host-id", self._host_id]
            command += ["--lease-seconds", str(LEASE), "--scan-seconds", "0.5"]
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(self._environment),
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it, as a system that runs out of memory does."""
        with self._changing:
            if self._process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._bury(self._process)
                self._process = None

    def call(self, function: str) -> None:
        """Run a function through the admin endpoint if the host is up."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/admin/functions/{function}",
            data=b'{"input": ""}',
            headers={"Content-Type": "application/json"},
        )
        with suppress(OSError):
            urllib.request.urlopen(request, timeout=2).close()  # noqa: S310 - on this machine

    def close(self) -> None:
        """Kill it for good."""
        self.kill()
        self._log.close()

    def _bury(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        if process.stdin:
            process.stdin.close()
        self.deaths.append(time.monotonic())


class Chaos:
    """One run: ``live`` plays it, then ``check`` checks the promises."""

    def __init__(self, plan: Plan, storage: str, environment: Mapping[str, str], folder: Path) -> None:
        self.plan = plan
        self.random = Random(plan.seed)  # noqa: S311 - a schedule must be repeatable
        self._storage = storage
        self._environment = environment
        self._folder = folder
        self.versions: dict[str, list[str]] = {}
        """SHA-256 of what was uploaded, by name, the newest last."""
        self.killed_at_submit = 0
        self._victims: set[str] = set()
        """Contents whose submitters are killed after Read has accepted them and before it answers."""
        self._troubled = True
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []

    # ---- State

    def __enter__(self) -> Self:
        self._resources = ExitStack()
        self.stage = Stage(self.plan.script(), lambda: datetime.now(UTC))
        self.witness = Witness(self.stage, self._read_accepts)
        endpoint = self._resources.enter_context(serving(self.witness))
        settings = {
            **self._environment,
            "AzureWebJobsStorage": self._storage,
            "DocumentStorage": self._storage,
            "READ_ENDPOINT": endpoint,
            "DONE_QUEUE": "done",
            "AzureFunctionsJobHost__functionTimeout": f"00:00:{RUN:02.0f}",
        }
        self.services: Services = build(from_environment(settings, (ROOT / "host.json").read_text(encoding="utf-8")))
        self.host_id = f"chaos-{uuid4().hex[:12]}"
        self._blobs = BlobServiceClient.from_connection_string(self._storage)
        self._queues = QueueServiceClient.from_connection_string(self._storage)
        self.inbox = self._blobs.get_container_client("inbox")
        self.inbox.create_container()
        self.hosts = [Host(n, settings, self.host_id, self._folder / f"host-{n}.log") for n in (1, 2)]
        for host in self.hosts:
            self._resources.callback(host.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    # ---- Events

    def live(self) -> None:
        """Trouble, then rest. Raises AssertionError if it never comes to rest."""
        self._began = time.monotonic()
        self._plan_uploads()
        for host in self.hosts:
            self._at(0, host.start)
            self._at(4 + self.random.uniform(0, 4), partial(self._kill_again_and_again, host))
        self._sweep_again_and_again()
        self._follow_until(lambda: time.monotonic() - self._began > self.plan.seconds)
        self._troubled = False
        rest = time.monotonic()
        left: list[str] = []

        def at_rest() -> bool:
            left[:] = self._left()
            return not left or time.monotonic() - rest > self.plan.rests_within

        self._follow_until(at_rest, every=1.0)
        self.rested = time.monotonic() - rest
        assert not left, f"{len(left)} things are not done after {self.plan.rests_within:.0f} s: {'; '.join(left[:10])}"

    def _plan_uploads(self) -> None:
        uploads_until = 0.8 * self.plan.seconds
        for number in range(self.plan.documents):
            name = f"folder/file-{number:03}.pdf"
            begin = self.random.uniform(0, uploads_until)
            versions = self.random.choice([1, 1, 1, 1, 2, 3])
            for version in range(versions):
                content = f"{name} version {version}".encode()
                if self.random.random() < 0.05:
                    content += self.random.randbytes(5_000_000)  # two ranges, so that the submit takes a while
                self._at(begin, partial(self._upload, name, content))
                begin += self.random.uniform(0, 6)
            if versions > 1 and self.random.random() < 0.25:
                self._at(begin, partial(self.inbox.delete_blob, name))
            elif versions == 1 and (number % 20 == 0 or self.random.random() < 0.04):
                self._victims.add(hashlib.sha256(content).hexdigest())

    def _upload(self, name: str, content: bytes) -> None:
        self.versions.setdefault(name, []).append(hashlib.sha256(content).hexdigest())
        self.inbox.upload_blob(name, content, overwrite=True)

    def _kill_again_and_again(self, host: Host) -> None:
        if self._troubled:
            host.kill()
            self._at(self.random.uniform(0, 1), host.start)
            self._at(self.random.uniform(4, 12), partial(self._kill_again_and_again, host))

    def _read_accepts(self, content: str) -> None:
        """Called when Read has accepted a content and is about to answer."""
        if not self._troubled:
            return
        if content in self._victims:
            self._victims.discard(content)
            self._kill_all()
        elif self.random.random() < 0.04:
            threading.Timer(self.random.uniform(0, 0.05), self._kill_all).start()

    def _kill_all(self) -> None:
        self.killed_at_submit += 1
        for host in self.hosts:
            host.kill()

    def _sweep_again_and_again(self) -> None:
        for host in self.hosts:
            host.start()
        self.random.choice(self.hosts).call("recover_stalled")
        self._at(SWEEP_EVERY, self._sweep_again_and_again)

    def _at(self, seconds: float, action: Callable[[], None]) -> None:
        heappush(self._agenda, (time.monotonic() + seconds, len(self._agenda) + self.random.getrandbits(32), action))

    def _follow_until(self, done: Callable[[], bool], every: float = 0.05) -> None:
        """Do what is due until ``done`` is true."""
        while not done():
            while self._agenda and self._agenda[0][0] <= time.monotonic():
                heappop(self._agenda)[2]()
            time.sleep(every)

    # ---- Promises

    def _left(self) -> list[str]:
        """What is not done yet. Files are listed only if nothing else is left."""
        left = [f"not finished: {entry['Name']} ({entry['Status']})" for entry in self._worklist() if "DueAt" in entry]
        for queue in self._work_queues():
            with suppress(ResourceNotFoundError):
                if count := queue.get_queue_properties().approximate_message_count:
                    left.append(f"{count} messages in {queue.queue_name}")
        return left or [name for name in self.versions if not self._has_ended(name)]

    def _has_ended(self, name: str) -> bool:
        etag, document = self.services.inbox.etag(name), self.services.documents.get(name)
        if document is None:
            return etag is None
        return document.status.final and etag in (None, document.source_etag)

    def _work_queues(self) -> Iterator[QueueClient]:
        ours = self.services.settings.read_queue
        for name in (
            ours,
            f"{ours}-poison",
            f"{ours}-unreadable",
            "webjobs-blobtrigger-poison",
            f"azure-webjobs-blobtrigger-{self.host_id}",
        ):
            yield self._queues.get_queue_client(name)

    def check(self) -> Counter[str]:
        """Raise AssertionError if a promise was broken. Returns a summary of the run."""
        seen: Counter[str] = Counter(deaths=sum(len(host.deaths) for host in self.hosts))
        paid: dict[str, int] = self.stage.counters()["documents"]
        done = self._done_messages()
        for name, contents in self.versions.items():
            for content in contents:
                if times := paid.get(content, 0):
                    self._check_windows(name, content, times)
            document = self.services.documents.get(name)
            if document is None:
                seen["deleted before anything"] += 1
                continue
            seen[f"{document.status} {document.error_code or ''}".strip()] += 1
            if self.services.inbox.etag(name):
                times = paid.get(contents[-1], 0)
                assert document.submits >= times, f"{name} counts {document.submits} submits, and Read {times}"
                seen["paid again"] += max(times - 1, 0)
            self._check_ending(name, document)
            self._check_outputs(name, document)
            assert (name, document.status) in done, f"no notification that {name} is {document.status}"
        seen["killed at submit"] = self.killed_at_submit
        seen.update({f"Read {outcome}": number for outcome, number in self.stage.counters()["outcomes"].items()})
        return seen

    def _check_windows(self, name: str, content: str, paid: int) -> None:
        """Each payment after the first has a reason: a lost answer, or a run that died with it."""
        *earlier, _ = [post for post in self.witness.posts if post.content == content and post.status in (202, None)]
        lost = [post for post in earlier if post.status is None or post.operation in self.witness.expired]
        deaths = [death for host in self.hosts for death in host.deaths]
        windows = [
            post for post in earlier if post not in lost and any(0 <= death - post.at <= RUN for death in deaths)
        ]
        assert paid - 1 <= len(lost) + len(windows), (
            f"{name} was paid {paid} times, with {len(lost)} answers lost and {len(windows)} runs that died"
        )

    def _check_ending(self, name: str, document: Document) -> None:
        if document.status is Status.FAILED:
            possible = {"SubmitCrashed", "ProcessingFailed", "OperationExpired"}
            if not self.services.inbox.etag(name):
                possible.add("SourceDeleted")
            assert document.error_code in possible, f"{name} failed for nothing: {document.error_code}"
            assert document.advice, f"{name} failed without advice"
        else:
            assert document.status is Status.SUCCEEDED, f"{name} is {document.status}"

    def _check_outputs(self, name: str, document: Document) -> None:
        results = self._blobs.get_container_client("results")
        rows = {row["RowKey"]: row for row in self._rows("lines", lines_key("inbox", name))}
        head = rows.pop("!head", None)
        if document.status is not Status.SUCCEEDED:
            assert not rows, f"{name} is {document.status} and has lines"
            for extension in (".json", ".txt", ".jsonl"):
                exists = results.get_blob_client(name + extension).exists()
                assert not exists, f"{name} is {document.status} and has {extension}"
            return
        operation = document.operation_id
        post = next(post for post in self.witness.posts if post.operation == operation)
        newest = self.versions[name][-1:] if self.services.inbox.etag(name) else self.versions[name]
        assert post.content in newest, f"{name} shows the text of an older version"
        pages = [rows.pop(key) for key in sorted(rows) if key.endswith("-00000")]
        assert len(pages) == document.page_count == 2, (
            f"{name} has {len(pages)} pages, and counts {document.page_count}"
        )
        assert len(rows) == document.line_count == 120, (
            f"{name} has {len(rows)} lines, and counts {document.line_count}"
        )
        assert document.text == "\n\n".join(
            "\n".join(row["Text"] for key, row in sorted(rows.items()) if row["Page"] == page) for page in (1, 2)
        ), f"{name}'s text is not its lines"
        assert head is not None
        owner = (document.source_etag, operation)
        assert (head["SourceETag"], head["Operation"]) == owner, f"{name}'s lines are another version's"
        for blob in (document.result_blob, document.text_blob, document.pages_blob):
            stored = results.get_blob_client(blob or "").get_blob_properties().metadata
            assert (stored["source_etag"], stored["operation_id"]) == owner, f"{blob} is another version's"

    def _worklist(self) -> list[Mapping[str, Any]]:
        return [row for row in self._rows("documents", "inbox") if row["RowKey"].startswith("!")]

    def _rows(self, table: str, partition: str) -> list[Mapping[str, Any]]:
        client = table_service(self.services.settings.storage).get_table_client(table)
        with client, suppress(ResourceNotFoundError):
            return list(client.query_entities("PartitionKey eq @key", parameters={"key": partition}))
        return []

    def _done_messages(self) -> set[tuple[str, str]]:
        client = self._queues.get_queue_client("done", message_decode_policy=TextBase64DecodePolicy())
        messages = [json.loads(message.content) for message in client.receive_messages(messages_per_page=32)]
        return {(message["name"], message["status"]) for message in messages}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])

"""A world for the app: a virtual clock, storage in memory, a scripted Read, a host, and people.

Everything is drawn from one seed, in one thread. What runs at the same time is simulated by running one invocation
inside another's storage calls: the outer one is then a slow worker, however long the inner ones take. A crash is an
exception that no handler catches, raised before or after any call.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from operator import itemgetter
from random import Random
from typing import Any

import requests
from azure.core.exceptions import AzureError, ServiceResponseError
from azure.storage.queue import TextBase64EncodePolicy

from shared.advance import advance, advance_message
from shared.assembly import Services
from shared.document import Document
from shared.keys import lines_key, output_name
from shared.missed import find_missed
from shared.quota.limiter import RateLimiter
from shared.quota.row import QuotaRow
from shared.read.client import MOST_IN_MEMORY, ReadClient
from shared.recover import recover_stalled
from shared.settings import Settings, from_environment
from shared.storage.comparisons import Comparisons
from shared.storage.documents import Conflict, Documents
from shared.storage.fence import Superseded
from shared.storage.inbox import Inbox
from shared.storage.lines import Lines
from shared.storage.outputs import Outputs
from shared.storage.queues import Queue, RawQueue
from shared.tasks import again, forget
from simulation.read import START, Operation, ScriptedRead, Troubles, result_body, result_lines
from simulation.storage import MemoryStorage, SentAgain, refused
from simulation.storage.account import Operation as StorageCall

LEASE = timedelta(minutes=10)
TRIES = 5
SWEEP_EVERY = timedelta(minutes=5)
MOST_PAID = 12
"""For one version: five attempts without an answer and one with, and the same again for a lost operation."""
MOST_CALLS = 500
"""Calls of Read about one operation or content: an operation of some hours is polled each minute."""


class Crash(BaseException):
    """The process dies: the app must not catch this."""


@dataclass(frozen=True)
class Plan:
    """What may happen in one schedule: probabilities from 0 to 1, a storage or network call unless said otherwise."""

    files: int = 2
    versions: int = 2
    """Uploads a file, at most."""
    same: float = 0.0
    """An upload with the same content as the previous one."""
    uploads_within: int = 60
    """Seconds."""
    empty: float = 0.0
    """An upload that broke off: a file without content."""
    deletes: float = 0.1
    """A file, at last."""
    forgets: float = 0.0
    """A person, of a file, at last."""
    asks_again: float = 0.0
    """A person, for a file, up to three times."""
    crash: float = 0.0
    storage_error: float = 0.0
    storage_answer_lost: float = 0.0
    storage_sent_again: float = 0.0
    interleave: float = 0.0
    events_dropped: float = 0.0
    """An upload."""
    events_doubled: float = 0.0
    messages_lost: float = 0.0
    """A message, at its delivery."""
    messages_doubled: float = 0.0
    most_in_memory: int = MOST_IN_MEMORY
    """Bytes; a larger answer streams."""
    block_bytes: int = 4096
    read: Troubles = field(default_factory=Troubles)
    crash_at_call: int | None = None
    """Crash once, at exactly this call."""
    troubled_for: timedelta = timedelta(hours=1)
    done_queue: bool = False
    rate: str = "30/s"
    """READ_RATE."""


class World:
    """One schedule. ``run`` plays it and checks the invariants."""

    def __init__(self, seed: int, plan: Plan, settings: dict[str, str] | None = None) -> None:
        self.random = Random(seed)  # noqa: S311 - a schedule must be repeatable
        self.plan = plan
        self.time = START
        self.storage = MemoryStorage(lambda: self.time)
        self.storage.fault = self._around_storage_call
        environment = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://read"}
        environment["READ_RATE"] = plan.rate
        if plan.done_queue:
            environment["DONE_QUEUE"] = "done"
        self.settings: Settings = from_environment(environment | (settings or {}), '{"functionTimeout": "00:10:00"}')
        self.read = ScriptedRead(lambda: self.time, Random(self.random.random()), plan.read, self._around_read_call)  # noqa: S311
        self.services = self._services()
        self.inbox = self.storage.blobs().get_container_client("inbox")
        self.agenda: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self.log: list[str] = []
        self.calls = 0
        self.faults = 0
        """The storage calls that failed so far. The app may survive each, and say so in a row."""
        self.running: list[datetime] = []
        """When each running invocation began, the innermost last."""
        self.versions: dict[str, list[bytes]] = {}
        self.payable: Counter[bytes] = Counter()
        """By content: how often it may be paid if nothing goes wrong."""
        self.forgotten: dict[str, tuple[int, bool]] = {}
        """By name: the number of versions when a person forgot it, and whether the file was kept."""
        self.exceptions: list[str] = []
        """Of functions that ended by anything but trouble with storage."""
        self.windows: Counter[bytes] = Counter()
        """By content: runs that broke off between Read's 202 and the row that keeps it."""
        self.posted: list[bytes] = []
        self._number = 0
        self.calm = False
        self.stalled = 0
        """Documents that a sweep found overdue."""
        with_no_faults, self.storage.fault = self.storage.fault, None
        self.inbox.create_container()
        self.storage.fault = with_no_faults

    def _services(self) -> Services:
        blobs, tables, queues = self.storage.blobs(), self.storage.tables(), self.storage.queues()

        def queue(name: str) -> Queue:
            return Queue(queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy()))

        def raw(name: str) -> RawQueue:
            return RawQueue(queues.get_queue_client(name))

        session = requests.Session()
        session.mount("http://", self.read)
        session.trust_env = False
        return Services(
            settings=self.settings,
            documents=Documents(tables.get_table_client("documents"), "inbox", self._write_id),
            comparisons=Comparisons(tables.get_table_client("documents"), "inbox", ""),
            lines=Lines(tables.get_table_client("lines")),
            inbox=Inbox(blobs.get_container_client("inbox")),
            outputs=Outputs(blobs.get_container_client("results"), self.plan.block_bytes),
            queue=queue("read-operations"),
            done=queue("done") if self.settings.done_queue else None,
            poison=raw("read-operations-poison"),
            unreadable=raw("read-operations-unreadable"),
            blob_poison=raw("webjobs-blobtrigger-poison"),
            read=ReadClient(
                "http://read",
                self.settings.generation,
                key=None,
                token=None,
                now=lambda: self.time,
                session=session,
                most_in_memory=self.plan.most_in_memory,
            ),
            limiter=RateLimiter(
                self.settings.read_rate,
                QuotaRow(tables.get_table_client("documents"), self.settings.read_endpoint),
                lambda: self.time,
                self._sleep,
                self.random,
            ),
            now=lambda: self.time,
            random=self.random,
        )

    def _write_id(self) -> str:
        self._number += 1
        return f"write-{self._number}"

    # ---- Events at any call

    def _around_storage_call(self, call: StorageCall) -> None:
        self._interrupt(str(call), call.when)
        if not self.running or self.calm:
            return
        draw = self.random.random
        if call.when == "before" and draw() < self.plan.storage_error:
            self.log.append(f"{self.time:%H:%M:%S} storage refuses {call}")
            self.faults += 1
            raise refused("ServerBusy", 503)
        if call.when == "after" and draw() < self.plan.storage_answer_lost:
            self.log.append(f"{self.time:%H:%M:%S} storage's answer is lost to {call}")
            self.faults += 1
            raise ServiceResponseError("lost")
        if call.when == "after" and draw() < self.plan.storage_sent_again:
            self.log.append(f"{self.time:%H:%M:%S} sent again: {call}")
            raise SentAgain

    def _around_read_call(self, call: str, when: str) -> None:
        self._interrupt(call, when)

    def _interrupt(self, call: str, when: str) -> None:
        """Let time pass and others run; this process may die."""
        if not self.running:
            return
        self.calls += 1
        if self.plan.crash_at_call == self.calls:
            self._die(f"{when} {call}")
        if self.calm:
            return
        if self.random.random() < self.plan.crash:
            self._die(f"{when} {call}")
        if len(self.running) < 3 and self.random.random() < self.plan.interleave:
            self._let_others_run(self.random.choice([1, 2, 8, 16]))
        if self.time - self.running[-1] > timedelta(minutes=10):
            self._die(f"of its timeout {when} {call}")

    def _die(self, where: str) -> None:
        self.log.append(f"{self.time:%H:%M:%S} crash {where}")
        raise Crash

    # ---- People and events

    def upload(self, name: str) -> None:
        """Somebody drops a file, or overwrites it."""
        number = len(self.versions.setdefault(name, [])) + 1
        content = b"" if self.random.random() < self.plan.empty else f"{name} version {number}".encode()
        if number > 1 and self.random.random() < self.plan.same:
            content = self.versions[name][-1]
        if not self._is_read(name, content):
            self.payable[content] += 1
        self.versions[name].append(content)
        self._outside(lambda: self.inbox.get_blob_client(name).upload_blob(content, overwrite=True))
        self.log.append(f"{self.time:%H:%M:%S} upload {name} version {number}")
        events = 0 if self.random.random() < self.plan.events_dropped else 1
        if events and self.random.random() < self.plan.events_doubled:
            events = self.random.randint(2, 4)
        for _ in range(events):
            self.at(self.random.uniform(0, 20), f"event {name}", lambda: self._event(name))

    def delete(self, name: str) -> None:
        """Somebody deletes a file."""
        self.log.append(f"{self.time:%H:%M:%S} delete {name}")
        self._outside(lambda: self.inbox.get_blob_client(name).delete_blob())

    def _is_read(self, name: str, content: bytes) -> bool:
        """Whether the row says so about the previous version, which has the same content."""
        known: list[Document | None] = []
        self._outside(lambda: known.append(self.services.documents.get(name)))
        document = known[0]
        return (
            document is not None
            and document.status == "succeeded"
            and self.read.operations[document.operation_id].content == content
            and self._etag(name) == document.source_etag
        )

    def _ask_again(self, name: str) -> None:
        """Somebody wants a file read again, and insists."""
        if not self._exists(name):
            return
        newest = len(self.versions[name]) - 1
        if not self._invoke(f"again {name}", partial(self._repeatable, again, name)):
            self.at(60, f"again {name}", partial(self._ask_again, name))
        # It takes effect on a version that was the newest at some time while it ran.
        self.payable.update(self.versions[name][newest:])

    def _forget(self, name: str, *, keep_file: bool) -> None:
        """Somebody wants a file forgotten, and insists."""
        if name not in self.versions:
            return
        self.forgotten[name] = len(self.versions[name]), keep_file and self._exists(name)
        if not self._invoke(f"forget {name}", partial(self._repeatable, forget, name, keep_file=keep_file)):
            self.at(60, f"forget {name}", partial(self._forget, name, keep_file=keep_file))

    def _repeatable(self, task: Callable[..., object], name: str, **options: bool) -> None:
        try:
            task(self.services, name, **options)
        except (Conflict, Superseded) as error:
            raise AzureError("the app was at work on it all the time") from error

    def _outside(self, action: Callable[[], object]) -> None:
        """What people do meets none of the app's troubles."""
        fault, self.storage.fault = self.storage.fault, None
        try:
            action()
        finally:
            self.storage.fault = fault

    # ---- The host

    def at(self, seconds: float, what: str, action: Callable[[], None]) -> None:
        """Add an event to the agenda."""
        self._number += 1
        heappush(self.agenda, (self.time + timedelta(seconds=seconds), self._number, what, action))

    def _event(self, name: str, tries: int = 1) -> None:
        if self._exists(name) and not self._invoke(f"submit {name}", lambda: advance(self.services, name)):
            if tries < TRIES:
                self.at(self.random.choice([0, 600]), f"event {name} again", lambda: self._event(name, tries + 1))
            else:
                event = {"FunctionId": "Host.Functions.submit_document", "ContainerName": "inbox", "BlobName": name}
                text = base64.b64encode(json.dumps(event).encode()).decode()
                self._outside(lambda: self.services.blob_poison.send(text, 0))

    def _exists(self, name: str) -> bool:
        return self._etag(name) is not None

    def _etag(self, name: str) -> str | None:
        found: list[str | None] = []
        self._outside(lambda: found.append(self.services.inbox.etag(name)))
        return found[0]

    def _invoke(self, what: str, action: Callable[[], None], *, quietly: bool = False) -> bool:
        """Run a function as the host does. Returns whether it succeeded."""
        if not quietly:
            self.log.append(f"{self.time:%H:%M:%S} {'  ' * len(self.running)}{what}")
        self.running.append(self.time)
        operations, lost, faults = len(self.read.operations), self.read.lost.copy(), self.faults
        depth = len(self.running)
        try:
            action()
        except (Exception, Crash) as error:  # noqa: BLE001 - the host survives whatever a function does
            if not isinstance(error, AzureError | Crash):
                self.exceptions.append(f"{what} ended by {error!r}")
            self.log.append(f"{self.time:%H:%M:%S} {'  ' * len(self.running)}ended by {type(error).__name__}")
            self._count_windows(operations, lost)
            return False
        finally:
            del self.running[depth - 1 :]
        if self.faults > faults:
            self._count_windows(operations, lost)
        return True

    def _count_windows(self, operations: int, lost: Counter[bytes]) -> None:
        """Count the 202s of a run that broke off before the row kept them."""
        kept = {
            str(row.get("OperationUrl", "")).rsplit("/", 1)[-1] for row in self._rows("documents", "RowKey ge '\"'")
        }
        new = list(self.read.operations.items())[operations:]
        dropped = Counter(operation.content for id_, operation in new if id_ not in kept)
        self.windows.update(dropped - (self.read.lost - lost))

    def _deliver(self) -> bool:
        """Deliver one visible queue message, if there is one."""
        received: list[tuple[str, str, str, int]] = []
        client = self.storage.queues().get_queue_client("read-operations")

        def receive() -> None:
            with suppress(AzureError):
                for each in client.receive_messages(max_messages=1, visibility_timeout=int(LEASE.total_seconds())):
                    received.append((each.id, each.pop_receipt or "", each.content, each.dequeue_count or 0))  # noqa: PERF401 - it may break off

        self._outside(receive)
        if not received:
            return False
        id_, receipt, content, count = received[0]

        def settle(ended_well: bool) -> None:
            if ended_well or count >= TRIES:
                if not ended_well:
                    self.services.poison.send(content, 0)
                try:
                    client.delete_message(id_, receipt)
                except AzureError:
                    return
            elif self.random.random() < 0.5:  # a function that failed, else a host that died with its lease
                try:
                    client.update_message(id_, receipt, visibility_timeout=30)
                except AzureError:
                    return

        if not self.calm and self.random.random() < self.plan.messages_lost:
            self.log.append(f"{self.time:%H:%M:%S} message lost")
            self._outside(lambda: settle(True))
            return True
        if not self.calm and self.random.random() < self.plan.messages_doubled:
            self._outside(lambda: client.send_message(content))
        name = json.loads(base64.b64decode(content))["name"]
        body = base64.b64decode(content)
        ended_well = self._invoke(f"poll {name}", lambda: advance_message(self.services, body))
        self._outside(lambda: settle(ended_well))
        return True

    def _sweep(self) -> None:
        self.exceptions += [
            f"{row['Name']} met an error" for row in self._worklist() if row.get("ErrorCode") == "ProcessingFailed"
        ]
        until = self.time + timedelta(minutes=5)
        overdue = self.time - self.settings.claim_length
        self.stalled += sum(
            row["Status"] not in ("failed", "ignored", "succeeded") and row["DueAt"] < overdue
            for row in self._worklist()
        )

        def sweep() -> None:
            recover_stalled(self.services, until)
            find_missed(self.services, until, resume_only=True)

        self._invoke("recover_stalled", sweep, quietly=True)

    def _compare(self) -> None:
        self._invoke("find_missed", self._find_missed)

    def _find_missed(self) -> None:
        find_missed(self.services, self.time + timedelta(minutes=5))

    def _sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def _let_others_run(self, most: int) -> None:
        """Run what is due, and perhaps what is due later, which makes the current run a slow one."""
        until = self.time + timedelta(seconds=self.random.choice([0, 0, 3, 40, 400, 700]))
        for _ in range(most):
            if self.agenda and self.agenda[0][0] <= self.time:
                heappop(self.agenda)[3]()
            elif not self._deliver():
                due = min(self.agenda[0][0] if self.agenda else until, self._next_visible() or until)
                if due >= until:
                    break
                self.time = max(self.time, due)
        if self.random.random() < 0.2:
            self.time = max(self.time, until)

    # ---- Running a schedule

    def run(self) -> None:
        """Run the schedule, then check it."""
        plan = self.plan
        for index in range(plan.files):
            name = f"file.pdf-{index}" if index else "file.pdf"  # which every other name begins with
            for _ in range(self.random.randint(1, plan.versions)):
                self.at(self.random.uniform(0, plan.uploads_within), f"upload {name}", partial(self.upload, name))
            if self.random.random() < plan.deletes:
                self.at(self.random.uniform(60, 90), f"delete {name}", partial(self._delete_if_there, name))
            if self.random.random() < plan.forgets:
                forgetting = partial(self._forget, name, keep_file=self.random.random() < 0.4)
                self.at(self.random.uniform(60, 90), f"forget {name}", forgetting)
            for _ in range(self.random.randint(1, 3) if self.random.random() < plan.asks_again else 0):
                self.at(self.random.uniform(5, 120), f"again {name}", partial(self._ask_again, name))
        troubled_until = START + self.plan.troubled_for
        next_sweep, next_compare = START + SWEEP_EVERY, START + timedelta(days=1)
        idle_days = steps = 0
        while idle_days < 2:
            steps += 1
            assert steps < 2_000 * (1 + self.plan.files), "it never comes to rest"
            if self.time >= troubled_until and not self.calm:
                self.calm, self.read.troubles = True, Troubles()
            if self.agenda and self.agenda[0][0] <= self.time:
                heappop(self.agenda)[3]()
                continue
            if self._deliver():
                continue
            if self.time >= next_sweep:
                next_sweep = self.time + SWEEP_EVERY
                self._sweep()
                continue
            if self.time >= next_compare:
                next_compare = self.time + timedelta(days=1)
                self._compare()
                idle_days += self.calm
                continue
            due = min(
                self.agenda[0][0] if self.agenda else next_compare, self._next_visible() or next_compare, next_compare
            )
            self.time = next_sweep if next_sweep < due and self._is_something_open() else due
        self.check()

    def _delete_if_there(self, name: str) -> None:
        if self._exists(name):
            self.delete(name)

    def _next_visible(self) -> datetime | None:
        queue = self.storage._queues._queues.get("read-operations")  # the double's own, to skip idle time
        return max(queue.order[0][0], self.time) if queue and queue.order else None

    def _is_something_open(self) -> bool:
        return any("DueAt" in row for row in self._worklist()) or any(
            (queue := self.storage._queues._queues.get(name)) and queue.order
            for name in ("read-operations-poison", "webjobs-blobtrigger-poison")
        )

    def _worklist(self) -> list[dict[str, Any]]:
        return self._rows("documents", "RowKey ge '!' and RowKey lt '\"'")

    def _rows(self, table: str, query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []

        def collect() -> None:
            try:
                rows.extend(dict(row) for row in self.storage.tables().get_table_client(table).query_entities(query))
            except AzureError:
                return

        self._outside(collect)
        return rows

    # ---- Promises

    def check(self) -> None:
        """Raises AssertionError that names the broken invariant."""
        self.storage.fault = None
        for name, contents in self.versions.items():
            document = self.services.documents.get(name)
            self._check_paid(name, contents, document)
            exists = self._exists(name)
            if self.forgotten.get(name, (0, False))[0] == len(contents):
                self._check_forgotten(name, document, kept=self.forgotten[name][1] and exists)
                continue
            if document is None:
                assert not exists, f"{name} was dropped and has no row"
                continue
            assert document.status.final, f"{name} has not ended: {document.status}, due {document.due_at}"
            if exists:
                properties = self.inbox.get_blob_client(name).get_blob_properties()
                assert document.source_etag == properties.etag, f"{name} ended as an older version"
            self._check_failure(name, document)
            self._check_outputs(name, document)
            if self.settings.done_queue:
                assert (name, document.status) in self._notified(), f"no notification that {name} is {document.status}"
        if not self._loses_messages():
            assert not self.stalled, "a document stalled, though no message was lost"
            assert self.plan.asks_again or not self.read.too_early, f"too early: {self.read.too_early[0]}"
        assert not self.exceptions, self.exceptions[0]
        about, calls = max(self.read.calls.items(), key=itemgetter(1), default=(None, 0))
        assert calls <= MOST_CALLS, f"Read was called {calls:,} times about {about!r}"
        for row in self._worklist():
            assert row["Status"] == "failed", f"a worklist entry is left: {row}"
            assert "DueAt" not in row, f"something is still to be done: {row}"
        for queue_name in ("read-operations", "read-operations-poison", "webjobs-blobtrigger-poison"):
            assert not self.storage.messages_in(queue_name), f"messages are left in {queue_name}"

    def _notified(self) -> set[tuple[str, str]]:
        """Names and statuses in the messages of the notification queue."""
        messages = [json.loads(base64.b64decode(message.text)) for message in self.storage.messages_in("done")]
        return {(message["name"], message["status"]) for message in messages}

    def _check_paid(self, name: str, contents: list[bytes], document: Document | None) -> None:
        for content in contents:
            paid = self.read.accepted[content]
            windows = self.windows[content] + self.read.lost[content]
            assert paid <= self.payable[content] + windows, f"{content!r} was paid {paid} times, with {windows} windows"
            assert paid <= MOST_PAID * self.payable[content], f"{content!r} was paid {paid} times"
        if document is not None and document.status == "succeeded" and contents.count(contents[-1]) == 1:
            assert document.submits >= self.read.accepted[contents[-1]] or not self._exists(name), (
                f"{name} counts {document.submits} submits, and Read {self.read.accepted[contents[-1]]}"
            )

    def _check_forgotten(self, name: str, document: Document | None, *, kept: bool) -> None:
        if kept:
            assert document is not None, f"{name} was forgotten and kept, and has no row that keeps it from being read"
            assert document.status == "ignored", f"{name} was forgotten, and is {document.status}"
            assert document.text is None, f"{name} was forgotten, and its row has text"
        else:
            assert not self._exists(name), f"{name} was forgotten, and its file is there"
            assert document is None or self.forgotten[name][1], f"{name} was forgotten, and has a row: {document}"
        self._check_no_outputs(name, "forgotten")

    def _loses_messages(self) -> bool:
        """Whether this plan has trouble that only a sweep can repair."""
        plan = self.plan
        faults = (plan.crash, plan.storage_error, plan.storage_answer_lost, plan.interleave, plan.messages_lost)
        return any(faults) or plan.crash_at_call is not None

    def _check_failure(self, name: str, document: Document) -> None:
        """A document may fail only for a trouble that it had."""
        if document.status != "failed":
            return
        plan, breaks_off = self.plan, self._loses_messages()
        possible = {
            "2003": plan.read.fails,
            "OperationExpired": plan.read.expires,
            "ReadServerError": plan.read.unavailable,
            "SubmitCrashed": plan.read.answer_lost or breaks_off,
            "ProcessingFailed": breaks_off,
            "EmptyFile": plan.empty,
            "SourceDeleted": not self._exists(name),
            "OperationTimedOut": plan.read.never,
        }
        assert possible.get(document.error_code or ""), f"{name} failed for nothing: {document.error_code}"

    def _check_no_outputs(self, name: str, status: str) -> None:
        rows = self._rows("lines", f"PartitionKey eq '{lines_key('inbox', name)}' and RowKey gt '!head'")
        assert not rows, f"{name} is {status} and has lines"
        outputs = self.storage.blobs_in("results")
        for extension in (".json", ".txt", ".jsonl"):
            assert output_name(name, extension) not in outputs, f"{name} is {status} and has an output"

    def _check_outputs(self, name: str, document: Document) -> None:
        results = self.storage.blobs().get_container_client("results")
        key = lines_key("inbox", name)
        rows = {str(row["RowKey"]): row for row in self._rows("lines", f"PartitionKey eq '{key}'")}
        head = rows.pop("!head", None)
        if document.status != "succeeded":
            self._check_no_outputs(name, document.status)
            return
        operation: Operation = self.read.operations[document.operation_id]
        expected = result_lines(operation)
        lines = [row["Text"] for key, row in sorted(rows.items()) if not key.endswith("-00000")]
        assert lines == expected, f"{name}'s lines are not its operation's"
        pages = results.get_blob_client(document.pages_blob or "").download_blob().readall()
        for row in (row for key, row in sorted(rows.items()) if key.endswith("-00000")):
            try:
                page = json.loads(pages[row["Offset"] : row["Offset"] + row["Length"]])
            except ValueError:
                raise AssertionError(f"{name}'s page row leads to no page, so its JSON is another's") from None
            assert page["page"] == row["Page"], f"{name}'s page row does not lead to its page"
            expected = expected[len(page["lines"]) :] if expected[: len(page["lines"])] == _texts(page) else ["wrong"]
        assert not expected, f"{name}'s pages are not its operation's"
        expected = result_lines(operation)
        assert document.text == "\n".join(expected), f"{name}'s text is not its operation's"
        assert head is not None, f"{name}'s lines have no head"
        assert head["Operation"] == document.operation_id, f"{name}'s lines are another operation's"
        if self._exists(name):
            assert head["SourceETag"] == document.source_etag, f"{name}'s lines are another version's"
        stored = results.get_blob_client(document.result_blob or "").download_blob()
        assert stored.readall() == result_body(operation), f"{name}'s JSON is not its operation's"
        marks = stored.properties.metadata
        assert marks["operation_id"] == document.operation_id, f"{name}'s JSON is another operation's"
        if self._exists(name):  # else a version of the same content may have been deleted while it was adopted
            assert marks["source_etag"] == document.source_etag, f"{name}'s JSON is another version's"
        digest = hashlib.sha256(operation.content).hexdigest()
        if self._exists(name):
            current = self.inbox.get_blob_client(name).download_blob().readall()
            assert digest == hashlib.sha256(current).hexdigest(), f"{name} shows another version's text"


def _texts(page: Mapping[str, Any]) -> list[str]:
    return [line["text"] for line in page["lines"]]


def short_plan(random: Random) -> Plan:
    """A plan of a few documents with a few kinds of trouble, so that each is seen alone and with others."""

    def some(most: float) -> float:
        return random.choice([0, 0, 0, random.random() * most])

    if random.random() < 0.3:  # slow workers, and a file that is overwritten while they work
        return Plan(
            files=1,
            versions=3,
            uploads_within=random.choice([15, 40]),
            same=some(0.5),
            empty=some(0.9),
            deletes=some(0.5),
            asks_again=some(0.5),
            interleave=random.choice([0.1, 0.4]),
            most_in_memory=random.choice([MOST_IN_MEMORY, 300]),
            rate=random.choice(["30/s", "2/min"]),
        )
    if random.random() < 0.1:
        return Plan(
            versions=3,
            uploads_within=90,
            forgets=0.8,
            interleave=some(0.4),
            crash=some(0.05),
            storage_error=some(0.1),
            events_dropped=some(0.5),
            messages_lost=some(0.3),
            read=Troubles(throttled=some(0.5), slow=some(0.5)),
        )
    return Plan(
        files=random.randint(1, 2),
        versions=random.randint(1, 3),
        same=some(0.3),
        empty=some(0.3),
        deletes=some(0.5),
        asks_again=some(0.3),
        crash=some(0.05),
        storage_error=some(0.1),
        storage_answer_lost=some(0.1),
        storage_sent_again=some(0.1),
        interleave=some(0.5),
        events_dropped=some(0.5),
        events_doubled=some(0.9),
        messages_lost=some(0.3),
        messages_doubled=some(0.5),
        most_in_memory=random.choice([MOST_IN_MEMORY, 300]),
        rate=random.choice(["30/s", "30/s", "2/min", "1/min,2/min"]),
        read=Troubles(
            throttled=some(0.5),
            unavailable=some(0.3),
            reset_before=some(0.3),
            answer_lost=some(0.3),
            foreign_body=some(0.2),
            truncated=some(0.3),
            expires=some(0.3),
            fails=some(0.2),
            slow=some(0.3),
            never=some(0.2),
            unknown_at_first=some(0.3),
        ),
        done_queue=random.random() < 0.2,
    )


def live(seed: int, plan: Plan | None = None) -> None:
    """Run one schedule. A failure names the seed, which repeats it, and what happened."""
    world = World(seed, plan or short_plan(Random(seed)))  # noqa: S311
    try:
        world.run()
    except AssertionError as error:
        story = "\n".join(world.log[-80:])
        raise AssertionError(f"seed {seed}: {error}\n{replace(world.plan)}\n{story}") from None

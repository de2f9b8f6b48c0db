"""During an outage of storage or a lasting refusal, nothing fails, nothing is paid twice, and rows say why."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError

from simulation.read import START
from simulation.storage import refused
from simulation.storage.account import Operation as StorageCall
from simulation.world import Plan, World

DOCUMENTS = "PartitionKey eq 'inbox' and RowKey ge '\"'"
ONE_FILE = Plan(files=1, versions=1, deletes=0, done_queue=True, uploads_within=1)

ERRORS: dict[str, Callable[[], AzureError]] = {
    "busy": partial(refused, "ServerBusy", 503),
    "throttled": partial(refused, "OperationTimedOut", 500),
    "no role": partial(refused, "AuthorizationPermissionMismatch", 403),
    "account full": partial(refused, "AccountIsDisabled", 409),
    "unreachable": partial(ServiceRequestError, "no route"),
    "answer lost": partial(ServiceResponseError, "lost"),
    "no credential": partial(ClientAuthenticationError, "no token"),
}
OF_BLOBS_ALONE: dict[str, Callable[[], AzureError]] = {
    "leased": partial(refused, "LeaseIdMissing", 412),
    "immutable": partial(refused, "BlobImmutableDueToPolicy", 409),
}


class Outage(World):
    """A world in which some calls of storage are refused for a time from the start."""

    def __init__(self, call: str, error: Callable[[], AzureError], lasts: timedelta = timedelta(hours=3)) -> None:
        super().__init__(1, ONE_FILE)
        self._call = call
        self._error = error
        self._ends_at = START + lasts
        self.statuses: list[str] = []
        self.codes: set[str] = set()

    def _around_storage_call(self, call: StorageCall) -> None:
        if self.running and call.when == "before" and kind_of(call) == self._call and self.time < self._ends_at:
            self.faults += 1
            raise self._error()
        super()._around_storage_call(call)

    def _loses_messages(self) -> bool:
        return True

    def _sweep(self) -> None:
        super()._sweep()
        for row in self._rows("documents", DOCUMENTS):
            self.statuses.append(str(row["Status"]))
            if self.time < self._ends_at and row.get("ErrorCode"):
                self.codes.add(str(row["ErrorCode"]))
                assert row["Advice"]


def kind_of(call: StorageCall) -> str:
    """The call without the names of blobs and rows: ``blob put_blob results``."""
    return f"{call.service} {call.verb} {call.target.split('/')[0]}"


def calls_of_a_document() -> list[str]:
    seen: list[str] = []

    class Listening(World):
        def _around_storage_call(self, call: StorageCall) -> None:
            if self.running and kind_of(call) not in seen:
                seen.append(kind_of(call))
            super()._around_storage_call(call)

    Listening(1, ONE_FILE).run()
    return seen


CALLS = calls_of_a_document()


def outages() -> Iterator[tuple[str, str]]:
    for call in CALLS:
        for error in ERRORS | (OF_BLOBS_ALONE if call.startswith("blob") else {}):
            yield call, error


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_the_calls_of_a_document_reach_all_three_services() -> None:
    assert {call.split()[0] for call in CALLS} == {"blob", "queue", "table"}
    assert len(CALLS) > 10


@pytest.mark.parametrize(("call", "error"), tuple(outages()))
def test_files_are_read_once_storage_stops_refusing_after_hours(call: str, error: str) -> None:
    world = Outage(call, (ERRORS | OF_BLOBS_ALONE)[error])
    world.run()  # checks lines, outputs, payments and leftovers in queues
    document = world.services.documents.get("file.pdf")
    assert document is not None
    assert document.status == "succeeded"
    assert "failed" not in world.statuses
    assert world.codes <= {"StorageUnavailable", "StorageRefused"}

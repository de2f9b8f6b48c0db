"""The in-memory storage and Azurite, given the same operations at random, answer alike.

What is known to differ is left out here; the other tests of this folder name it.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from azure.core.exceptions import AzureError
from azure.data.tables import TableEntity, UpdateMode
from azure.storage.blob import BlobBlock, BlobClient, BlobProperties
from azure.storage.queue import QueueClient, QueueMessage
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from .support import IF_MISSING, Storage, entity, if_still, in_azurite, in_memory, new_name

A_FEW_SECONDS = settings(
    max_examples=8,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


class HasConnectionString(Protocol):
    @property
    def connection_string(self) -> str: ...


class Alike(RuleBasedStateMachine):
    """A machine that does everything in both storages."""

    storages: ClassVar[tuple[Storage, Storage]]

    @classmethod
    def run(cls, azurite: HasConnectionString) -> None:
        cls.storages = in_memory(), in_azurite(azurite.connection_string)
        run_state_machine_as_test(cls, settings=A_FEW_SECONDS)


def test_both_storages_answer_the_same_about_tables(azurite: HasConnectionString) -> None:
    Tables.run(azurite)


def test_both_storages_answer_the_same_about_blobs(azurite: HasConnectionString) -> None:
    Blobs.run(azurite)


def test_both_storages_answer_the_same_about_queues(azurite: HasConnectionString) -> None:
    Queues.run(azurite)


Both = tuple[Any, Any]
"""The same thing in memory and in Azurite: a client, an ETag, a message."""


def alike(operation: Callable[[int], Any], shown: Callable[[Any], Any] = lambda answer: answer) -> Both | None:
    """Carry out `operation` on each storage, and compare what is shown of the answers, or else the errors.

    Returns the answers, None if both failed.
    """
    answers, seen = [], []
    for which in (0, 1):
        try:
            answers.append(operation(which))
            seen.append(shown(answers[-1]))
        except (AzureError, ValueError, TypeError) as error:
            known = [getattr(error, name, None) for name in ("status_code", "error_code", "index")]
            seen.append((type(error).__name__, *known))
    assert seen[0] == seen[1]
    return (answers[0], answers[1]) if len(answers) == 2 else None


def unshown(_: Any) -> None:
    """Of an answer that is each storage's own: an ETag, an id."""


ROW_KEYS = st.sampled_from(["a", "b", "!a", "a:b", "\ufb01", "😀"])
COLUMNS = st.fixed_dictionaries(
    {},
    optional={"Number": st.integers(-5, 5), "Text": st.sampled_from(["", "x", "it's", "😀"]), "Yes": st.booleans()},
)
MODES = st.sampled_from(list(UpdateMode))
UNCONDITIONAL = st.tuples(ROW_KEYS, st.none())


class Tables(Alike):
    """A table of a few rows in one partition."""

    rows = Bundle("rows")
    """Row keys, each with an ETag that the row had. Rows written together may have one ETag: it is no use elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = [storage.tables.get_table_client(new_name()) for storage in self.storages]
        for table in self.tables:
            table.create_table()

    def written(self, row_key: str, operation: Callable[[int], dict[str, Any]]) -> Any:
        answers = alike(operation, unshown)
        return (row_key, (answers[0]["etag"], answers[1]["etag"])) if answers else multiple()

    @rule(target=rows, row_key=ROW_KEYS, columns=COLUMNS)
    def create(self, row_key: str, columns: dict[str, Any]) -> Any:
        return self.written(row_key, lambda which: self.tables[which].create_entity(entity(row_key, **columns)))

    @rule(target=rows, row_key=ROW_KEYS, columns=COLUMNS, mode=MODES)
    def upsert(self, row_key: str, columns: dict[str, Any], mode: UpdateMode) -> Any:
        return self.written(row_key, lambda which: self.tables[which].upsert_entity(entity(row_key, **columns), mode))

    @rule(target=rows, row=UNCONDITIONAL | rows, columns=COLUMNS, mode=MODES)
    def update(self, row: tuple[str, Both | None], columns: dict[str, Any], mode: UpdateMode) -> Any:
        row_key, etag = row
        return self.written(
            row_key,
            lambda which: self.tables[which].update_entity(entity(row_key, **columns), mode, **_if(etag, which)),
        )

    @rule(row=UNCONDITIONAL | rows)
    def delete(self, row: tuple[str, Both | None]) -> None:
        row_key, etag = row
        alike(lambda which: self.tables[which].delete_entity("p", row_key, **_if(etag, which)))

    @rule(
        target=rows,
        operations=st.lists(
            st.tuples(st.sampled_from(["create", "update", "upsert", "delete"]), UNCONDITIONAL | rows, COLUMNS),
            min_size=1,
            max_size=4,
        ),
    )
    def submit(self, operations: list[tuple[str, tuple[str, Both | None], dict[str, Any]]]) -> Any:
        def submit(which: int) -> Any:
            return self.tables[which].submit_transaction(
                [
                    (kind, entity(row_key, **columns), _if(etag, which) if kind in ("update", "delete") else {})
                    for kind, (row_key, etag), columns in operations
                ]
            )

        answers = alike(submit, lambda answer: [sorted(part) for part in answer])
        written = zip(operations, *answers, strict=True) if answers else ()
        return multiple(*((row[0], (a["etag"], b["etag"])) for (_, row, _), a, b in written if a))

    @rule(row_key=ROW_KEYS)
    def get(self, row_key: str) -> None:
        alike(lambda which: self.tables[which].get_entity("p", row_key))

    @rule(
        low=ROW_KEYS,
        verbs=st.tuples(st.sampled_from(["ge", "gt", "eq"]), st.sampled_from(["lt", "le"])),
        high=ROW_KEYS,
        number=st.none() | st.integers(-5, 5),
        size=st.integers(1, 3),
    )
    def query(self, low: str, verbs: tuple[str, str], high: str, number: int | None, size: int) -> None:
        query = f"PartitionKey eq 'p' and RowKey {verbs[0]} @low and RowKey {verbs[1]} @high"
        query += "" if number is None else " and Number ge @number"
        parameters = {"low": low, "high": high, "number": number}

        def pages(which: int) -> list[list[TableEntity]]:
            found = self.tables[which].query_entities(query, parameters=parameters, results_per_page=size)
            return [list(page) for page in found.by_page()]

        alike(pages)

    @invariant()
    def all_rows_are_alike(self) -> None:
        alike(lambda which: list(self.tables[which].list_entities()))


def _if(etag: Both | None, which: int) -> dict[str, Any]:
    return if_still(etag[which]) if etag else {}


BLOB_NAMES = st.sampled_from(["a", "a/b", "😀 #%"])
CONTENTS = st.sampled_from([b"", b"short", b"0123456789abcdefghij"])
BLOCK_IDS = st.sampled_from(["1", "2", "3"])


class Blobs(Alike):
    """A container of a few blobs, which are put whole up to 8 bytes and read by 8 bytes, then by 4."""

    etags = Bundle("etags")
    downloads = Bundle("downloads")

    def __init__(self) -> None:
        super().__init__()
        sizes = {"max_single_put_size": 8, "max_block_size": 4, "max_single_get_size": 8, "max_chunk_get_size": 4}
        self.containers = [storage.blobs(**sizes).get_container_client(new_name()) for storage in self.storages]
        for container in self.containers:
            container.create_container()
        self.staged: set[str] = set()

    def written(self, operation: Callable[[int], dict[str, Any]]) -> Any:
        answers = alike(operation, unshown)
        return (answers[0]["etag"], answers[1]["etag"]) if answers else multiple()

    def blob(self, which: int, name: str) -> BlobClient:
        return self.containers[which].get_blob_client(name)

    @rule(
        target=etags,
        name=BLOB_NAMES,
        content=CONTENTS,
        overwrite=st.booleans(),
        condition=st.none() | st.just("missing") | etags,
        metadata=st.sampled_from([{}, {"a": "1"}]),
    )
    def upload(self, name: str, content: bytes, overwrite: bool, condition: Any, metadata: dict[str, str]) -> Any:
        if name in self.staged:  # which Azurite keeps, and takes for a blob that exists
            return multiple()

        def upload(which: int) -> Any:
            options = IF_MISSING if condition == "missing" else _if(condition, which)
            return self.blob(which, name).upload_blob(content, overwrite=overwrite, metadata=metadata, **options)

        etags = self.written(upload)
        if not isinstance(etags, tuple) and len(content) > 8:
            self.staged.add(name)  # of an upload in blocks, it is the last request that fails
        return etags

    @rule(name=BLOB_NAMES, block_id=BLOCK_IDS, content=CONTENTS)
    def stage(self, name: str, block_id: str, content: bytes) -> None:
        if content:  # a block cannot be empty
            alike(lambda which: self.blob(which, name).stage_block(block_id, content), unshown)
            self.staged.add(name)

    @rule(
        target=etags,
        name=BLOB_NAMES,
        block_ids=st.lists(BLOCK_IDS, max_size=3),
        condition=st.none() | st.just("missing") | etags,
    )
    def commit(self, name: str, block_ids: list[str], condition: Any) -> Any:
        def commit(which: int) -> Any:
            options = IF_MISSING if condition == "missing" else _if(condition, which)
            return self.blob(which, name).commit_block_list([BlobBlock(block_id) for block_id in block_ids], **options)

        etags = self.written(commit)
        if isinstance(etags, tuple):
            self.staged.discard(name)
        return etags

    @rule(target=etags, name=BLOB_NAMES, condition=st.none() | etags)
    def set_metadata(self, name: str, condition: Both | None) -> Any:
        return self.written(lambda which: self.blob(which, name).set_blob_metadata({"b": "2"}, **_if(condition, which)))

    @rule(name=BLOB_NAMES, condition=st.none() | etags)
    def delete(self, name: str, condition: Both | None) -> None:
        if name not in self.staged:  # Azurite deletes what is only staged
            alike(lambda which: self.blob(which, name).delete_blob(**_if(condition, which)))

    @rule(target=downloads, name=BLOB_NAMES)
    def open(self, name: str) -> Any:
        answers = alike(lambda which: self.blob(which, name).download_blob(), lambda opened: opened.size)
        return answers or multiple()

    @rule(opened=consumes(downloads))
    def read_on(self, opened: Both) -> None:
        if self.containers[0].get_blob_client(opened[0].name).exists():  # Azurite says 412 of one that is gone
            alike(lambda which: opened[which].readall())

    @rule(name=BLOB_NAMES, offset=st.integers(0, 4), length=st.none() | st.integers(1, 30))
    def read_range(self, name: str, offset: int, length: int | None) -> None:
        client = self.containers[0].get_blob_client(name)
        if client.exists() and client.get_blob_properties().size > offset:  # Azurite reads nothing from the end on
            alike(lambda which: self.blob(which, name).download_blob(offset, length).readall())

    @rule(prefix=st.sampled_from(["", "a", "a/", "😀"]), size=st.integers(1, 3))
    def list_pages(self, prefix: str, size: int) -> None:
        def pages(which: int) -> list[list[str]]:
            found = self.containers[which].list_blobs(name_starts_with=prefix, results_per_page=size)
            return [[blob.name for blob in page] for page in found.by_page()]

        alike(pages)

    @invariant()
    def all_blobs_are_alike(self) -> None:
        alike(lambda which: [_shown(blob) for blob in self.containers[which].list_blobs(include=["metadata"])])


def _shown(blob: BlobProperties) -> tuple[Any, ...]:
    return blob.name, blob.size, blob.metadata, blob.content_settings.content_md5, blob.content_settings.content_type


TEXTS = st.sampled_from(["", "hello", "Grüße 😀", "<&>", "x" * 65_537])
HIDDEN = st.sampled_from([0, 3600, 604_801])


class Queues(Alike):
    """A queue in which messages are hidden for no time at all, or for longer than the test takes."""

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.queues = [storage.queues.get_queue_client(new_name()) for storage in self.storages]
        for queue in self.queues:
            queue.create_queue()

    def passing(self, operation: Callable[[QueueClient], Any]) -> Callable[[int], Any]:
        """Time passes in Azurite; the order of messages depends on it."""
        self.storages[0].wait(0.01)
        return lambda which: operation(self.queues[which])

    @rule(target=messages, text=TEXTS, hidden=HIDDEN, lives=st.sampled_from([None, -1, 0, 3600, 7200]))
    def send(self, text: str, hidden: int, lives: int | None) -> Any:
        send = self.passing(lambda queue: queue.send_message(text, visibility_timeout=hidden, time_to_live=lives))
        return alike(send, _message) or multiple()

    @rule(target=messages, most=st.integers(1, 3), hidden=st.sampled_from([3600, 0]))
    def receive(self, most: int, hidden: int) -> Any:
        receive = self.passing(
            lambda queue: list(
                queue.receive_messages(messages_per_page=most, max_messages=most, visibility_timeout=hidden)
            )
        )
        answers = alike(receive, lambda messages: [_message(message) for message in messages])
        return multiple(*zip(*answers, strict=True)) if answers else multiple()

    @rule(target=messages, message=messages, hidden=HIDDEN, text=st.none() | TEXTS)
    def update(self, message: Both, hidden: int, text: str | None) -> Any:
        self.storages[0].wait(0.01)
        answers = alike(
            lambda which: self.queues[which].update_message(
                message[which].id, message[which].pop_receipt, content=text, visibility_timeout=hidden
            ),
            _message,
        )
        return answers or multiple()

    @rule(message=messages)
    def delete(self, message: Both) -> None:
        alike(lambda which: self.queues[which].delete_message(message[which].id, message[which].pop_receipt))

    @rule()
    def clear(self) -> None:
        alike(lambda which: self.queues[which].clear_messages())

    @invariant()
    def all_messages_are_alike(self) -> None:
        self.storages[0].wait(0.01)
        alike(lambda which: [_message(seen) for seen in self.queues[which].peek_messages(max_messages=32)])
        alike(lambda which: self.queues[which].get_queue_properties().approximate_message_count)


def _message(message: QueueMessage) -> tuple[Any, ...]:
    return message.content, message.dequeue_count

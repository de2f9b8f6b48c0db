"""The table service: `azure.data.tables` over dictionaries.

The clients are written anew, unlike those of blobs and queues: the SDK's own `submit_transaction` builds a
MIME body and parses another, milliseconds that a simulation of thousands of schedules has not got.
"""

import re
from base64 import b64decode, b64encode
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeVar, cast

from azure.core import MatchConditions
from azure.core.paging import ItemPaged, PageIterator
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables._deserialize import TablesEntityDatetime
from azure.data.tables._models import TableItem
from azure.data.tables._serialize import _get_match_condition, _parameter_filter_substitution

from .account import Account, code_units, refuse_unknown
from .entities import check_batch_size, check_size, stored, stored_datetime
from .errors import Refusal, refused, refused_by_table, refused_in_batch
from .filters import Comparison, parse

T = TypeVar("T")

MAX_BATCH = 100
MAX_PAGE = 1000
MAX_KEY_UNITS = 512
"""Azurite's; Azure's is 1 KiB, which is the same in UTF-16."""
_FORBIDDEN_IN_KEYS = re.compile(r"[\x00-\x1f\x7f-\x9f/\\#?]")


@dataclass(slots=True, frozen=True)
class Row:
    """An entity as it is stored."""

    properties: dict[str, Any]
    etag: str
    timestamp: TablesEntityDatetime

    def value(self, column: str) -> Any:
        """The column's value; None if the row has not got it."""
        return self.timestamp if column == "Timestamp" else self.properties.get(column)

    def entity(self, select: list[str] | None) -> TableEntity:
        """The row as the SDK returns it, all of it or the columns of `select`.

        A selected column that the row has not got is None, as in Azure; Azurite leaves it out
        (github.com/Azure/Azurite/issues/2535).
        """
        if select is None:
            entity = TableEntity(self.properties)
            timestamp: TablesEntityDatetime | None = self.timestamp
        else:
            entity = TableEntity({name: self.properties.get(name) for name in select if name != "Timestamp"})
            timestamp = self.timestamp if "Timestamp" in select else None
        entity._metadata = {"etag": self.etag, "timestamp": timestamp}
        return entity


@dataclass(slots=True)
class Partition:
    """The rows of one partition: by key, and their keys in the service's order."""

    rows: dict[str, Row] = field(default_factory=dict)
    order: list[tuple[bytes, str]] = field(default_factory=list)

    def put(self, row_key: str, row: Row | None) -> None:
        """Store `row`, or, if it is None, remove what is stored."""
        place = (code_units(row_key), row_key)
        if row is not None:
            if row_key not in self.rows:
                insort(self.order, place)
            self.rows[row_key] = row
        elif self.rows.pop(row_key, None) is not None:
            del self.order[bisect_left(self.order, place)]


class Change(NamedTuple):
    """One write. A deletion's `properties` are empty."""

    kind: Literal["create", "update", "upsert", "delete"]
    partition_key: str
    row_key: str
    properties: dict[str, Any]
    replace: bool = False
    etag: str | None = None
    """What the row's ETag must be; None for any."""

    def result(self, row: Row | None) -> dict[str, Any] | None:
        """The properties that `row` has after the change; None if the change removes it.

        Raises:
            Refusal: the row, or its absence, does not allow the change.
        """
        if self.kind == "create" and row is not None:
            raise Refusal("EntityAlreadyExists")
        if self.kind in ("update", "delete"):
            if self.etag is not None and not self.etag.startswith('W/"'):
                raise Refusal("InvalidInput")
            if row is None:
                raise Refusal("ResourceNotFound")
            if self.etag not in (None, row.etag):
                raise Refusal("UpdateConditionNotSatisfied")
        if self.kind == "delete":
            return None
        if row is None or self.replace:
            return self.properties
        return {**row.properties, **self.properties}


class TableService:
    """The tables of an account, and what the service does to them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._tables: dict[str, dict[str, Partition]] = {}  # by name in lower case, then by PartitionKey

    def request(self, verb: str, target: str, effect: Callable[[], T]) -> T:
        return self.account.request("table", verb, target, effect)

    def create(self, name: str) -> None:
        if name.lower() in self._tables:
            raise Refusal("TableAlreadyExists")
        self._tables[name.lower()] = {}

    def partitions(self, table: str) -> dict[str, Partition]:
        try:
            return self._tables[table.lower()]
        except KeyError:
            raise Refusal("TableNotFound") from None

    def apply(self, table: str, changes: list[Change]) -> list[Row | None]:
        """Carry out `changes`, all of one partition: all of them, or none.

        Raises:
            Refusal: with the index of the change that is refused.
        """
        results: dict[str, Row | None] = {}
        for index, change in enumerate(changes):
            try:
                if index == MAX_BATCH:
                    raise Refusal("InvalidInput")
                results[change.row_key] = self._result(table, change, taken=change.row_key in results)
            except Refusal as refusal:
                # The service counts 101 changes as a fault of the hundredth: "99:The batch request operation
                # exceeds the maximum 100 changes per change set" (github.com/microsoft/AzureStorageExplorer
                # /issues/5585). Azurite's answer to them is no HTTP.
                refusal.index = min(index, MAX_BATCH - 1)
                raise
        partitions = self.partitions(table)
        partition = partitions.setdefault(changes[0].partition_key, Partition())
        for row_key, row in results.items():
            partition.put(row_key, row)
        if not partition.rows:
            del partitions[changes[0].partition_key]
        return list(results.values())

    def _result(self, table: str, change: Change, *, taken: bool) -> Row | None:
        """The row as `change` leaves it; None if it removes it."""
        if taken:
            raise Refusal("InvalidDuplicateRow")
        if change.kind != "delete":
            _check_key(change.partition_key)
            _check_key(change.row_key)
            check_size(change.properties)
        partition = self.partitions(table).get(change.partition_key)
        properties = change.result(partition.rows.get(change.row_key) if partition else None)
        if properties is None:
            return None
        check_size(properties)
        # A real ETag is the row's timestamp. This one is new at each write, however still the clock stands.
        etag = f"W/\"datetime'{self.account.next_number():016}'\""
        return Row(properties, etag, stored_datetime(self.account.now()))

    def get(self, table: str, partition_key: str, row_key: str) -> Row:
        partition = self.partitions(table).get(partition_key)
        if partition is None or row_key not in partition.rows:
            raise Refusal("ResourceNotFound")
        return partition.rows[row_key]

    def query(self, table: str, comparisons: list[Comparison], start: tuple[str, str]) -> Iterator[Row]:
        """The rows of which all `comparisons` hold, in the order of their keys, from the key `start` on."""
        partitions = self.partitions(table)
        wanted = [cast(str, c.literal) for c in comparisons if c.column == "PartitionKey" and c.verb == "eq"]
        lower, upper = _row_key_bounds(comparisons)
        for key in wanted[:1] or sorted(partitions, key=code_units):
            if key not in partitions or code_units(key) < code_units(start[0]):
                continue
            rows, order = partitions[key].rows, partitions[key].order
            first = max(lower, code_units(start[1])) if key == start[0] else lower
            for place, row_key in islice(order, bisect_left(order, (first, "")), None):
                if upper is not None and place > upper:
                    break
                row = rows[row_key]
                if all(c.holds(row.value(c.column)) for c in comparisons):
                    yield row


def _row_key_bounds(comparisons: list[Comparison]) -> tuple[bytes, bytes | None]:
    """Between which places the wanted row keys lie, both included; no more than a hint where to look."""
    lower, upper = b"", None
    for column, verb, literal in comparisons:
        if column == "RowKey" and isinstance(literal, str):
            if verb in ("eq", "ge", "gt"):
                lower = max(lower, code_units(literal))
            if verb in ("eq", "le", "lt"):
                upper = min(upper or code_units(literal), code_units(literal))
    return lower, upper


def _check_key(key: str) -> None:
    if len(code_units(key)) > 2 * MAX_KEY_UNITS or _FORBIDDEN_IN_KEYS.search(key):
        raise Refusal("InvalidInput")


class MemoryTableServiceClient:
    """As `azure.data.tables.TableServiceClient`."""

    def __init__(self, service: TableService) -> None:
        self._service = service

    def get_table_client(self, table_name: str) -> "MemoryTableClient":
        return MemoryTableClient(self._service, table_name)

    def create_table(self, table_name: str) -> "MemoryTableClient":
        client = self.get_table_client(table_name)
        client.create_table()
        return client


class MemoryTableClient:
    """As `azure.data.tables.TableClient`: the same answers, and the same exceptions."""

    def __init__(self, service: TableService, table_name: str) -> None:
        self.table_name = table_name
        self._service = service

    def create_table(self, **options: Any) -> TableItem:
        refuse_unknown(options)
        self._single("create_table", self.table_name, lambda: self._service.create(self.table_name))
        return TableItem(name=self.table_name)

    def create_entity(self, entity: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        refuse_unknown(options)
        for key in ("PartitionKey", "RowKey"):
            if entity.get(key) is None:
                raise ValueError(f"{key} must be present in an entity")
        # Alone among the operations, it raises what the generated layer raised: without an error_code.
        return self._write("insert_entity", _change("create", entity), refused)

    def update_entity(
        self, entity: Mapping[str, Any], mode: UpdateMode = UpdateMode.MERGE, **options: Any
    ) -> dict[str, Any]:
        return self._write("update_entity", _change("update", entity, mode, **_with_own_etag(entity, options)))

    def upsert_entity(
        self, entity: Mapping[str, Any], mode: UpdateMode = UpdateMode.MERGE, **options: Any
    ) -> dict[str, Any]:
        return self._write("upsert_entity", _change("upsert", entity, mode, **options))

    def delete_entity(self, *keys_or_entity: Any, **options: Any) -> None:
        """Called with both keys or with the entity; what is not there counts as deleted."""
        named = [options.pop(name) for name in ("entity", "partition_key", "row_key") if name in options]
        entity = [*keys_or_entity, *named]
        if len(entity) > 1:
            entity = [{"PartitionKey": entity[0], "RowKey": entity[1]}]
        change = _change("delete", entity[0], **_with_own_etag(entity[0], options))

        def delete() -> None:
            try:
                self._service.apply(self.table_name, [change])
            except Refusal as refusal:
                if refusal.code not in ("ResourceNotFound", "TableNotFound"):
                    raise

        self._single("delete_entity", self._target(change), delete)

    def get_entity(
        self, partition_key: str, row_key: str, *, select: str | list[str] | None = None, **options: Any
    ) -> TableEntity:
        refuse_unknown(options)
        _check_type(partition_key, row_key)
        target = f"{self.table_name}/{partition_key}/{row_key}"
        get = self._service.get
        row = self._single("get_entity", target, lambda: get(self.table_name, partition_key, row_key))
        return row.entity(_selected(select))

    def query_entities(
        self,
        query_filter: str | None,
        *,
        results_per_page: int | None = None,
        select: str | list[str] | None = None,
        parameters: dict[str, Any] | None = None,
        **options: Any,
    ) -> ItemPaged[TableEntity]:
        refuse_unknown(options)
        # The SDK's own substitution, for its quirks: the numbers 0 and 1 become `false` and `true`.
        text = _parameter_filter_substitution(parameters, query_filter) if query_filter else None
        comparisons = parse(text)
        columns = _selected(select)

        def read(token: dict[str, str] | None) -> tuple[Any, list[TableEntity]]:
            start = _decoded(token)
            rows = list(islice(self._service.query(self.table_name, comparisons, start), page_size + 1))
            entities = [row.entity(columns) for row in rows[:page_size]]
            return (_encoded(rows[page_size]) if len(rows) > page_size else None), entities

        page_size = min(results_per_page or MAX_PAGE, MAX_PAGE)
        target = f"{self.table_name} {text or 'all'}"
        return ItemPaged(
            lambda token: self._single("query_entities", target, lambda: read(token)),
            lambda page: page,
            page_iterator_class=PageIterator,
        )

    def list_entities(self, **options: Any) -> ItemPaged[TableEntity]:
        return self.query_entities(None, **options)

    def submit_transaction(self, operations: Iterable[Any], **options: Any) -> list[dict[str, Any]]:
        refuse_unknown(options)
        sent = list(operations)
        changes = [_operation(operation) for operation in sent]
        if len({change.partition_key for change in changes}) > 1:
            raise ValueError("Partition Keys in the batch must all be the same.")

        def commit() -> list[Row | None]:
            check_batch_size(self.table_name, sent)
            return self._service.apply(self.table_name, changes) if changes else []

        def translated() -> list[Row | None]:
            try:
                return commit()
            except Refusal as refusal:
                raise refused_in_batch(refusal.code, refusal.index) from None

        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        target = f"{self._target(changes[0])}{more}" if changes else self.table_name
        rows = self._service.request("submit_transaction", target, translated)
        return [{"etag": row.etag} if row else {} for row in rows]

    def _write(self, verb: str, change: Change, error: Callable[[str], Exception] = refused_by_table) -> dict[str, Any]:
        """Carry out one change; what the SDK makes of the answer's headers."""
        apply = self._service.apply
        (row,) = self._single(verb, self._target(change), lambda: apply(self.table_name, [change]), error)
        account = self._service.account
        return {"date": account.now_on_the_wire(), "etag": row.etag if row else None, "version": "2019-02-02"}

    def _single(
        self,
        verb: str,
        target: str,
        effect: Callable[[], T],
        error: Callable[[str], Exception] = refused_by_table,
    ) -> T:
        """Send a request that is no transaction."""

        def translated() -> T:
            try:
                return effect()
            except Refusal as refusal:
                raise error(refusal.code) from None

        return self._service.request(verb, target, translated)

    def _target(self, change: Change) -> str:
        return f"{self.table_name}/{change.partition_key}/{change.row_key}"


def _operation(operation: tuple[Any, ...]) -> Change:
    """The change that one element of a transaction asks for, checked as the SDK does before it sends."""
    kind, entity, options = operation if len(operation) == 3 else (*operation, {})
    if kind.lower() not in ("create", "update", "upsert", "delete"):
        raise ValueError(f"Unrecognized operation: {kind}")
    if "PartitionKey" not in entity or "RowKey" not in entity:
        raise ValueError("PartitionKey and/or RowKey were not provided in entity")
    # Of the entity's own ETag, which an update outside a transaction uses, only a deletion knows in one.
    own = _with_own_etag(entity, options) if kind.lower() == "delete" else options
    return _change(kind.lower(), entity, **own)


def _change(
    kind: Literal["create", "update", "upsert", "delete"],
    entity: Mapping[str, Any],
    mode: UpdateMode | str = UpdateMode.MERGE,
    *,
    etag: str | None = None,
    match_condition: MatchConditions | None = None,
    **options: Any,
) -> Change:
    refuse_unknown(options)
    if mode not in (UpdateMode.MERGE, UpdateMode.REPLACE):
        raise ValueError(f"Mode type '{mode}' is not supported.")
    if kind in ("create", "upsert"):
        if etag or match_condition:
            raise NotImplementedError(f"the in-memory table imitates no condition on {kind}")
    else:
        _get_match_condition(etag, match_condition or MatchConditions.Unconditionally)  # type: ignore[no-untyped-call]
    partition_key, row_key = entity["PartitionKey"], entity["RowKey"]
    _check_type(partition_key, row_key)
    properties = {} if kind == "delete" else stored(entity)
    return Change(kind, partition_key, row_key, properties, mode == UpdateMode.REPLACE, etag)


def _check_type(*keys: Any) -> None:
    if not all(isinstance(key, str) for key in keys):
        raise TypeError("PartitionKey or RowKey must be of type string.")


def _with_own_etag(entity: Any, options: dict[str, Any]) -> dict[str, Any]:
    """`options`, where a condition without an ETag means that of the entity, if it was read from the table."""
    if options.get("match_condition") and not options.get("etag") and isinstance(entity, TableEntity):
        return {**options, "etag": entity.metadata.get("etag")}
    return options


def _selected(select: str | list[str] | None) -> list[str] | None:
    """The columns' names, in the order in which the service lists them: keys first."""
    names = [name.strip() for name in select.split(",")] if isinstance(select, str) else list(select or [])
    return sorted(names, key=lambda name: name not in ("PartitionKey", "RowKey")) or None


def _encoded(row: Row) -> dict[str, str]:
    """A continuation token: the keys of the next row, in base64 as Azurite's."""
    return {key: b64encode(row.properties[key].encode()).decode() for key in ("PartitionKey", "RowKey")}


def _decoded(token: dict[str, str] | None) -> tuple[str, str]:
    if not token:
        return "", ""
    return b64decode(token["PartitionKey"]).decode(), b64decode(token["RowKey"]).decode()

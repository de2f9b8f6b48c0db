"""The table service: partitions, conditional writes, transactions, queries."""

import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

from azure.data.tables import TableEntity
from azure.data.tables._deserialize import TablesEntityDatetime

from .account import Account, code_units
from .entities import check_size, stored_datetime
from .errors import Refusal
from .filters import Comparison

MAX_BATCH = 100
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
        """The column's value; None if the row does not have it."""
        return self.timestamp if column == "Timestamp" else self.properties.get(column)

    def entity(self, select: list[str] | None) -> TableEntity:
        """The row as the SDK returns it, all of it or the columns of `select`.

        A selected column that the row does not have is None, as in Azure; Azurite omits it
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
        """Store `row`, or remove the stored one if it is None."""
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
        if properties is not change.properties:
            check_size(properties)
        # A real ETag is the row's timestamp. This one is new at each write, however still the clock stands.
        etag = f"W/\"datetime'{self.account.next_number():016}'\""
        return Row(properties, etag, stored_datetime(self.account.now()))

    def rows_in(self, table: str) -> list[TableEntity]:
        return [row.entity(None) for row in self.query(table, [], ("", ""))] if table.lower() in self._tables else []

    def get(self, table: str, partition_key: str, row_key: str) -> Row:
        partition = self.partitions(table).get(partition_key)
        if partition is None or row_key not in partition.rows:
            raise Refusal("ResourceNotFound")
        return partition.rows[row_key]

    def query(self, table: str, comparisons: list[Comparison], start: tuple[str, str]) -> Iterator[Row]:
        """The rows for which all `comparisons` are true, sorted by key, from the key `start` on."""
        partitions = self.partitions(table)
        wanted = [cast(str, c.literal) for c in comparisons if c.column == "PartitionKey" and c.verb == "eq"]
        lower, upper = _row_key_bounds(comparisons)
        for key in wanted[:1] or sorted(partitions, key=code_units):
            if key not in partitions or code_units(key) < code_units(start[0]):
                continue
            rows, order = partitions[key].rows, partitions[key].order
            first = max(lower, code_units(start[1])) if key == start[0] else lower
            for at in range(bisect_left(order, (first, "")), len(order)):
                place, row_key = order[at]
                if upper is not None and place > upper:
                    break
                row = rows[row_key]
                if all(c.holds(row.value(c.column)) for c in comparisons):
                    yield row


def _row_key_bounds(comparisons: list[Comparison]) -> tuple[bytes, bytes | None]:
    """The lowest and highest possible row key, both included; only a hint to narrow the search."""
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

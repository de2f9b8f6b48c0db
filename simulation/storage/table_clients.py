"""Clients of the table service, with the methods, answers and exceptions of `azure.data.tables`.

Unlike those of blobs and queues, they do not use the SDK's code: its `submit_transaction` builds one MIME body and
parses another, which takes milliseconds, too long for a simulation of thousands of schedules.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Literal, TypeVar

from azure.core import MatchConditions
from azure.core.paging import ItemPaged
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables._models import TableItem
from azure.data.tables._serialize import _get_match_condition, _parameter_filter_substitution

from .account import refuse_unknown
from .clients import Unconnected
from .entities import check_batch_size, stored
from .errors import Refusal, as_generated, as_table_error, as_transaction_error
from .filters import parse
from .tables import Change, Row, TableService

T = TypeVar("T")
Kind = Literal["create", "update", "upsert", "delete"]

MAX_PAGE = 1000


class MemoryTableServiceClient(Unconnected):
    """As `azure.data.tables.TableServiceClient`."""

    def __init__(self, service: TableService) -> None:
        self._service = service

    def get_table_client(self, table_name: str) -> "MemoryTableClient":
        return MemoryTableClient(self._service, table_name)

    def create_table(self, table_name: str) -> "MemoryTableClient":
        client = self.get_table_client(table_name)
        client.create_table()
        return client


class MemoryTableClient(Unconnected):
    """As `azure.data.tables.TableClient`: the same answers, and the same exceptions."""

    def __init__(self, service: TableService, table_name: str) -> None:
        self.table_name = table_name
        self._service = service

    def create_table(self, **options: Any) -> TableItem:
        refuse_unknown(options)
        self._request("create_table", "", lambda: self._service.create(self.table_name))
        return TableItem(name=self.table_name)

    def create_entity(self, entity: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        refuse_unknown(options)
        for key in ("PartitionKey", "RowKey"):
            if entity.get(key) is None:
                raise ValueError(f"{key} must be present in an entity")
        # Unlike all other operations, it raises the generated layer's error, without an error_code.
        return self._write("insert_entity", _change("create", entity), as_generated)

    def update_entity(
        self, entity: Mapping[str, Any], mode: UpdateMode = UpdateMode.MERGE, **options: Any
    ) -> dict[str, Any]:
        return self._write("update_entity", _change("update", entity, mode, **_with_own_etag(entity, options)))

    def upsert_entity(
        self, entity: Mapping[str, Any], mode: UpdateMode = UpdateMode.MERGE, **options: Any
    ) -> dict[str, Any]:
        return self._write("upsert_entity", _change("upsert", entity, mode, **options))

    def delete_entity(self, *keys_or_entity: Any, **options: Any) -> None:
        """Call it with both keys or with the entity. A missing row counts as deleted."""
        named = [options.pop(name) for name in ("entity", "partition_key", "row_key") if name in options]
        given = [*keys_or_entity, *named]
        entity = given[0] if len(given) == 1 else {"PartitionKey": given[0], "RowKey": given[1]}
        change = _change("delete", entity, **_with_own_etag(entity, options))

        def delete() -> None:
            try:
                self._service.apply(self.table_name, [change])
            except Refusal as refusal:
                if refusal.code not in ("ResourceNotFound", "TableNotFound"):
                    raise

        self._request("delete_entity", "/".join(change[1:3]), delete)

    def get_entity(
        self, partition_key: str, row_key: str, *, select: str | list[str] | None = None, **options: Any
    ) -> TableEntity:
        refuse_unknown(options)
        _check_type(partition_key, row_key)
        get = self._service.get
        row = self._request(
            "get_entity", f"{partition_key}/{row_key}", lambda: get(self.table_name, partition_key, row_key)
        )
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
        text = _parameter_filter_substitution(parameters, query_filter) if query_filter else None
        comparisons, columns = parse(text), _selected(select)
        size = min(results_per_page or MAX_PAGE, MAX_PAGE)

        def page(token: dict[str, str] | None) -> tuple[Any, list[TableEntity]]:
            rows = list(islice(self._service.query(self.table_name, comparisons, _decoded(token)), size + 1))
            return (_encoded(rows[size]) if len(rows) > size else None), [row.entity(columns) for row in rows[:size]]

        return ItemPaged(
            lambda token: self._request("query_entities", text or "", lambda: page(token)), lambda answer: answer
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

        target = "/".join(changes[0][1:3]) if changes else ""
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        rows = self._request("submit_transaction", target + more, commit, as_transaction_error)
        return [{"etag": row.etag} if row else {} for row in rows]

    def _write(
        self, verb: str, change: Change, error: Callable[[Refusal], Exception] = as_table_error
    ) -> dict[str, Any]:
        """Carry out one change; what the SDK makes of the headers of the answer."""
        (row,) = self._request(
            verb, "/".join(change[1:3]), lambda: self._service.apply(self.table_name, [change]), error
        )
        return {
            "date": self._service.account.now_on_the_wire(),
            "etag": row.etag if row else None,
            "version": "2019-02-02",
        }

    def _request(
        self,
        verb: str,
        within: str,
        effect: Callable[[], T],
        error: Callable[[Refusal], Exception] = as_table_error,
    ) -> T:
        return self._service.account.request("table", verb, f"{self.table_name}/{within}", effect, error)


def _operation(operation: tuple[Any, ...]) -> Change:
    """The change that one element of a transaction asks for, checked as the SDK does before it sends."""
    kind, entity, options = operation if len(operation) == 3 else (*operation, {})
    if kind.lower() not in ("create", "update", "upsert", "delete"):
        raise ValueError(f"Unrecognized operation: {kind}")
    if "PartitionKey" not in entity or "RowKey" not in entity:
        raise ValueError("PartitionKey and/or RowKey were not provided in entity")
    # An update uses the ETag of the entity that it is given outside a transaction only; a deletion, always.
    own = _with_own_etag(entity, options) if kind.lower() == "delete" else options
    return _change(kind.lower(), entity, **own)


def _change(
    kind: Kind,
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
    """`options`; a condition without an ETag gets the entity's, if the entity was read from the table."""
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

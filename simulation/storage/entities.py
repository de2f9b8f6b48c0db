"""Table entities: their values as the service returns them, and how large they may be."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from azure.core.rest import HttpRequest
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables._deserialize import TablesEntityDatetime, _convert_to_entity
from azure.data.tables._serialize import _add_entity_properties
from azure.data.tables._table_batch import TableBatchOperations

from .errors import Refusal

MAX_VALUE_BYTES = 64 * 1024
MAX_ENTITY_BYTES = 1024 * 1024
MAX_BATCH_BYTES = 4 * 1024 * 1024


def stored(entity: Mapping[str, Any]) -> dict[str, Any]:
    """The entity's properties as a later read returns them; those that are None are not stored at all.

    Types that rows seldom hold go through the SDK's own serialization and back, which is exact and slow.

    Raises:
        TypeError: the SDK cannot send a value of that type or size.
    """
    properties = {}
    for name, value in entity.items():
        kind = type(value)
        if kind is str or kind is bool or (kind is int and -(2**31) <= value < 2**31):
            properties[name] = value
        elif kind is datetime:
            properties[name] = stored_datetime(value)
        elif kind is EntityProperty and value[1] == EdmType.INT64 and -(2**63) <= value[0] < 2**63:
            properties[name] = value
        elif value is not None:
            properties |= _convert_to_entity(_add_entity_properties({name: value}))  # type: ignore[no-untyped-call]
    return properties


@lru_cache(maxsize=256)
def stored_datetime(moment: datetime) -> TablesEntityDatetime:
    """`moment` in the SDK's subclass of datetime, which keeps the service's text."""
    utc = moment.astimezone(UTC)
    result = TablesEntityDatetime(
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC
    )
    result._service_value = utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # type: ignore[attr-defined]
    return result


def check_size(properties: Mapping[str, Any]) -> None:
    """Refuse a string or binary of more than 64 KiB, strings counted in UTF-16, and an entity of more than 1 MiB.

    An entity is counted as Azure stores it: 4 bytes, 2 for each UTF-16 unit of its keys and, for each other
    property, 8, 2 for each unit of its name and the size of its value, a string's or binary's with 4 for its
    length (learn.microsoft.com, "Understanding the Table service data model"; its authors' "Understanding
    Windows Azure Storage Billing"). Azurite counts the bytes of the request, and an insert's not at all.
    """
    if _length(properties) <= MAX_VALUE_BYTES // 4:  # even if all of it were beyond the BMP
        return
    entity_size = 4
    for name, value in properties.items():
        size = _size(value)
        if size > MAX_VALUE_BYTES:
            raise Refusal("PropertyValueTooLarge")
        is_key = name in ("PartitionKey", "RowKey")
        entity_size += size if is_key else 8 + 2 * len(name) + size + 4 * isinstance(value, str | bytes)
    if entity_size > MAX_ENTITY_BYTES:
        raise Refusal("EntityTooLarge")


def _length(entity: Mapping[str, Any]) -> int:
    """The size of its strings and binaries together."""
    return sum([len(value) for value in entity.values() if type(value) is str or type(value) is bytes])


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-16-le", "surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    return 1 if isinstance(value, bool) else 4 if isinstance(value, int) else 8


def check_batch_size(table: str, operations: Sequence[Any]) -> None:
    """Refuse a transaction whose request body, as the SDK would write it, is over 4 MiB."""
    # JSON takes up to twelve bytes for a character, and the headers of a part are well under 1,500.
    if sum([12 * _length(operation[1]) + 1500 for operation in operations]) < MAX_BATCH_BYTES:
        return
    batch = TableBatchOperations(
        config=SimpleNamespace(version="2019-02-02"),  # type: ignore[arg-type]
        endpoint="https://account.table.core.windows.net",
        table_name=table,
    )
    for operation in operations:
        batch.add_operation(operation)
    changes, request = HttpRequest("POST", ""), HttpRequest("POST", "")
    changes.set_multipart_mixed(*batch.requests, boundary=f"changeset_{'-' * 36}")
    request.set_multipart_mixed(changes, boundary=f"batch_{'-' * 36}")
    request.prepare_multipart_body()
    if len(request.content) > MAX_BATCH_BYTES:
        raise Refusal("RequestBodyTooLarge")

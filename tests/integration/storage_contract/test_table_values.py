"""What entities hold: values, sizes, keys."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableClient,
    TableTransactionError,
)

from .support import (
    azurite_differs,
    code,
    entity,
)


def test_values_come_back_as_they_were_stored(table: TableClient) -> None:
    columns: dict[str, Any] = {
        "Text": "Grüße 😀",
        "Empty": "",
        "Yes": True,
        "Number": -5,
        "Fraction": 0.25,
        "Whole": 3.0,
        "Bytes": b"\0\xff",
        "Guid": UUID(int=5),
    }
    table.create_entity(entity("r", **columns))
    assert table.get_entity("p", "r") == entity("r", **columns)


def test_types_come_back_as_they_were_stored(table: TableClient) -> None:
    table.create_entity(entity("r", Number=1, Whole=3.0, Yes=True))
    found = table.get_entity("p", "r")
    assert [type(found[name]) for name in ("Number", "Whole", "Yes")] == [int, float, bool]


def test_a_column_that_is_none_is_not_stored(table: TableClient) -> None:
    table.create_entity(entity("r", Gone=None))
    assert "Gone" not in table.get_entity("p", "r")


def test_a_merge_with_none_keeps_the_stored_value(table: TableClient) -> None:
    table.create_entity(entity("r", Kept="x"))
    table.update_entity(entity("r", Kept=None))
    assert table.get_entity("p", "r")["Kept"] == "x"


def test_a_moment_comes_back_in_utc_to_the_microsecond(table: TableClient) -> None:
    moment = datetime(2026, 11, 22, 16, 38, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    table.create_entity(entity("r", At=moment))
    found = table.get_entity("p", "r")["At"]
    assert found == moment
    assert found.tzinfo == UTC


def test_a_large_number_needs_a_type_and_comes_back_with_it(table: TableClient) -> None:
    with pytest.raises(TypeError, match="too large"):
        table.create_entity(entity("r", Length=2**31))
    table.create_entity(entity("r", Length=EntityProperty(2**40, EdmType.INT64)))
    assert table.get_entity("p", "r")["Length"] == EntityProperty(2**40, EdmType.INT64)


def test_a_value_that_no_column_holds_is_refused_before_it_is_sent(table: TableClient) -> None:
    with pytest.raises(TypeError, match="not supported"):
        table.create_entity(entity("r", Lines=["a"]))


def test_a_row_carries_its_etag_and_the_time_of_its_last_write(table: TableClient) -> None:
    etag = table.create_entity(entity("r"))["etag"]
    metadata = table.get_entity("p", "r").metadata
    assert metadata["etag"] == etag
    assert metadata["timestamp"] is not None
    assert metadata["timestamp"].tzinfo == UTC


@pytest.mark.parametrize("text", ["x" * 32_768, "😀" * 16_384])
def test_a_text_holds_32_768_utf_16_units(table: TableClient, text: str) -> None:
    table.upsert_entity(entity("r", Text=text))
    assert table.get_entity("p", "r")["Text"] == text


@pytest.mark.parametrize("text", ["x" * 32_769, "😀" * 16_385])
def test_a_longer_text_is_refused(table: TableClient, text: str) -> None:
    with pytest.raises(HttpResponseError) as error:
        table.upsert_entity(entity("r", Text=text))
    assert (error.value.status_code, code(error)) == (400, "PropertyValueTooLarge")


def test_an_entity_of_more_than_a_mebibyte_is_refused(table: TableClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        table.upsert_entity(entity("r", **{f"Text{n}": "x" * 32_000 for n in range(40)}))
    assert (error.value.status_code, code(error)) == (400, "EntityTooLarge")


@azurite_differs("checks updates only")
def test_an_entity_of_more_than_a_mebibyte_cannot_be_created_either(table: TableClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        table.create_entity(entity("r", **{f"Text{n}": "x" * 32_000 for n in range(40)}))
    assert error.value.status_code == 400


@azurite_differs("counts the bytes of the request, not two a character as Azure stores it")
def test_an_entity_counts_two_bytes_a_character(table: TableClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        table.upsert_entity(entity("r", **{f"Text{n}": "x" * 32_000 for n in range(20)}))
    assert code(error) == "EntityTooLarge"


@azurite_differs("checks the entity that is sent, not the one that is stored")
def test_an_entity_that_grows_too_large_by_a_merge_is_refused(table: TableClient) -> None:
    for half in (0, 10):
        merged = entity("r", **{f"Text{n}": "x" * 32_000 for n in range(half, half + 10)})
        if half == 0:
            table.upsert_entity(merged)
    with pytest.raises(HttpResponseError) as error:
        table.upsert_entity(merged)
    assert code(error) == "EntityTooLarge"


@pytest.mark.parametrize(
    "key",
    ["a:b=2Fc", "!a.pdf", "a%b", "%41", "a'b", 'a"b', "a+b", " a b ", "", ".", "..", "é", "e\u0301", "😀", "中"],
)
def test_a_key_comes_back_as_it_was_stored(table: TableClient, key: str) -> None:
    table.create_entity(entity(key))
    table.update_entity(entity(key, Text="x"))
    assert table.get_entity("p", key) == entity(key, Text="x")
    table.delete_entity("p", key)
    with pytest.raises(ResourceNotFoundError):
        table.get_entity("p", key)


@pytest.mark.parametrize("character", ["/", "\\", "#", "?", "\0", "\t", "\n", "\x1f", "\x7f", "\x9f"])
@pytest.mark.parametrize("key", ["PartitionKey", "RowKey"])
def test_a_key_with_a_forbidden_character_is_refused(table: TableClient, key: str, character: str) -> None:
    with pytest.raises(TableTransactionError) as error:
        table.submit_transaction([("create", {**entity("r"), key: f"a{character}b"})])
    assert (error.value.status_code, code(error)) == (400, "InvalidInput")


@pytest.mark.parametrize("key", ["x" * 512, "😀" * 256])
def test_a_key_holds_512_utf_16_units(table: TableClient, key: str) -> None:
    table.create_entity(entity(key, partition_key=key))
    assert table.get_entity(key, key)["RowKey"] == key


@pytest.mark.parametrize("key", ["x" * 513, "😀" * 256 + "x"])
def test_a_longer_key_is_refused(table: TableClient, key: str) -> None:
    with pytest.raises(HttpResponseError) as error:
        table.upsert_entity(entity(key))
    assert (error.value.status_code, code(error)) == (400, "InvalidInput")


def test_keys_that_are_not_strings_are_refused_before_they_are_sent(table: TableClient) -> None:
    with pytest.raises(TypeError):
        table.upsert_entity({"PartitionKey": "p", "RowKey": 5})
    with pytest.raises(TypeError):
        table.get_entity("p", 5)  # type: ignore[arg-type]

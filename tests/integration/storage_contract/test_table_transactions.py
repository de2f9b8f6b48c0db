"""Transactions: all or nothing, which operation is to blame, and their limits."""

from typing import Any

import pytest
from azure.core import MatchConditions
from azure.data.tables import (
    RequestTooLargeError,
    TableClient,
    TableTransactionError,
    TransactionOperation,
    UpdateMode,
)

from .support import STALE_ROW, azurite_differs, code, entity


def test_all_operations_take_effect(table: TableClient) -> None:
    table.submit_transaction([("create", entity(key, A=1)) for key in "abcd"])
    table.submit_transaction(
        [
            ("create", entity("e")),
            (TransactionOperation.UPDATE, entity("a", B=2)),
            ("update", entity("b", B=2), {"mode": UpdateMode.REPLACE}),
            ("upsert", entity("c", B=2)),
            ("upsert", entity("d", B=2), {"mode": "replace"}),
        ]
    )
    table.submit_transaction([("delete", entity("e"))])
    assert list(table.list_entities()) == [
        entity("a", A=1, B=2),
        entity("b", B=2),
        entity("c", A=1, B=2),
        entity("d", B=2),
    ]


def test_a_transaction_returns_the_etag_of_each_row_except_deleted_ones(table: TableClient) -> None:
    table.create_entity(entity("a"))
    answers = table.submit_transaction([("delete", entity("a")), ("create", entity("b")), ("upsert", entity("c"))])
    assert "etag" not in answers[0]
    assert [answer["etag"] for answer in answers[1:]] == [row.metadata["etag"] for row in table.list_entities()]


@pytest.mark.parametrize(
    ("operation", "status", "refusal"),
    [
        (("create", entity("exists")), 409, "EntityAlreadyExists"),
        (("update", entity("exists"), STALE_ROW), 412, "UpdateConditionNotSatisfied"),
        (("delete", entity("exists"), STALE_ROW), 412, "UpdateConditionNotSatisfied"),
        (("update", entity("missing")), 404, "ResourceNotFound"),
        (("update", entity("missing"), STALE_ROW), 404, "ResourceNotFound"),
        (("delete", entity("missing")), 404, "ResourceNotFound"),
        (("upsert", entity("first")), 400, "InvalidDuplicateRow"),
        (("create", entity("a/b")), 400, "InvalidInput"),
        (("upsert", entity("exists", Text="x" * 32_769)), 400, "PropertyValueTooLarge"),
    ],
)
def test_one_refused_operation_undoes_all_and_is_reported(
    table: TableClient, operation: Any, status: int, refusal: str
) -> None:
    table.create_entity(entity("exists", Text="before"))
    before = list(table.list_entities())
    with pytest.raises(TableTransactionError) as error:
        table.submit_transaction([("create", entity("first")), operation, ("create", entity("last"))])
    assert (error.value.status_code, code(error), error.value.index) == (status, refusal, 1)
    assert list(table.list_entities()) == before


def test_the_first_refused_operation_is_named(table: TableClient) -> None:
    with pytest.raises(TableTransactionError) as error:
        table.submit_transaction([("create", entity("a")), ("update", entity("b")), ("delete", entity("c"))])
    assert error.value.index == 1


def test_an_update_takes_no_etag_from_the_entity_that_it_is_given(table: TableClient) -> None:
    table.create_entity(entity("r"))
    with pytest.raises(ValueError, match="must be specified with etag"):
        table.submit_transaction(
            [("update", table.get_entity("p", "r"), {"match_condition": MatchConditions.IfNotModified})]
        )


def test_a_deletion_takes_the_etag_from_the_entity_that_it_is_given(table: TableClient) -> None:
    table.create_entity(entity("r"))
    read = table.get_entity("p", "r")
    table.update_entity(entity("r"))
    with pytest.raises(TableTransactionError) as error:
        table.submit_transaction([("delete", read, {"match_condition": MatchConditions.IfNotModified})])
    assert code(error) == "UpdateConditionNotSatisfied"


@pytest.mark.parametrize(
    "operations",
    [
        [("create", entity("r")), ("create", entity("r", partition_key="q"))],
        [("insert", entity("r"))],
        [("create", {"PartitionKey": "p"})],
        [("update", entity("r"), {"mode": "overwrite"})],
    ],
    ids=["two partitions", "unknown operation", "no key", "unknown mode"],
)
def test_a_body_that_cannot_be_sent_is_a_value_error(table: TableClient, operations: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - four different texts
        table.submit_transaction(operations)
    assert list(table.list_entities()) == []


def test_anything_but_a_list_of_operations_is_a_type_error(table: TableClient) -> None:
    with pytest.raises(TypeError):
        table.submit_transaction(None)  # type: ignore[arg-type]


def test_100_operations_are_accepted(table: TableClient) -> None:
    answers = table.submit_transaction(("create", entity(f"{n:03}")) for n in range(100))
    assert len(answers) == 100


@azurite_differs("answers 101 operations with what is no HTTP")
def test_101_operations_are_refused_and_the_hundredth_is_blamed(table: TableClient) -> None:
    with pytest.raises(TableTransactionError) as error:
        table.submit_transaction([("create", entity(f"{n:03}")) for n in range(101)])
    assert (error.value.status_code, code(error), error.value.index) == (400, "InvalidInput", 99)
    assert list(table.list_entities()) == []


@azurite_differs("answers it with 500")
def test_an_empty_transaction_does_nothing(table: TableClient) -> None:
    assert table.submit_transaction([]) == []


@pytest.mark.parametrize("text", ["x" * 31_000, "é" * 5_200], ids=["a byte a character", "six bytes a character"])
def test_a_transaction_takes_4_mebibytes_of_json_and_no_more(table: TableClient, text: str) -> None:
    def operations(texts: int) -> list[tuple[str, dict[str, Any]]]:
        columns = [{f"Text{n}": text for n in range(row, texts, 10)} for row in range(10)]
        return [("create", entity(f"{row}", **columns[row])) for row in range(10)]

    with pytest.raises(RequestTooLargeError) as error:
        table.submit_transaction(operations(136))
    assert (error.value.status_code, code(error)) == (413, "RequestBodyTooLarge")
    table.submit_transaction(operations(133))

"""Writes of single entities: creation, update, upsert, deletion, and their conditions."""

from collections.abc import Callable

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import (
    TableClient,
    TableTransactionError,
    UpdateMode,
)

from .support import STALE_ROW, Storage, code, entity, new_name, row_keys


def test_a_row_that_exists_cannot_be_created(table: TableClient) -> None:
    table.create_entity(entity("r", Text="first"))
    with pytest.raises(ResourceExistsError) as error:
        table.create_entity(entity("r", Text="second"))
    assert error.value.status_code == 409
    assert table.get_entity("p", "r")["Text"] == "first"


def test_only_a_creation_fails_without_an_error_code(table: TableClient) -> None:
    table.create_entity(entity("r"))
    with pytest.raises(ResourceExistsError) as error:
        table.create_entity(entity("r"))
    assert not hasattr(error.value, "error_code")


def test_an_entity_without_a_key_cannot_be_created(table: TableClient) -> None:
    with pytest.raises(ValueError, match="RowKey must be present"):
        table.create_entity({"PartitionKey": "p"})


def test_an_update_merges_unless_it_replaces(table: TableClient) -> None:
    table.create_entity(entity("r", A=1, B=1))
    table.update_entity(entity("r", B=2))
    assert table.get_entity("p", "r") == entity("r", A=1, B=2)
    table.update_entity(entity("r", C=3), mode=UpdateMode.REPLACE)
    assert table.get_entity("p", "r") == entity("r", C=3)


def test_an_upsert_creates_merges_or_replaces(table: TableClient) -> None:
    table.upsert_entity(entity("r", A=1))
    table.upsert_entity(entity("r", B=2))
    assert table.get_entity("p", "r") == entity("r", A=1, B=2)
    table.upsert_entity(entity("r", C=3), mode=UpdateMode.REPLACE)
    assert table.get_entity("p", "r") == entity("r", C=3)


def test_a_missing_row_cannot_be_updated(table: TableClient) -> None:
    with pytest.raises(ResourceNotFoundError) as error:
        table.update_entity(entity("r"))
    assert (error.value.status_code, code(error)) == (404, "ResourceNotFound")


def test_every_write_gives_a_new_etag(table: TableClient) -> None:
    etags = [table.create_entity(entity("r"))["etag"], table.update_entity(entity("r"))["etag"]]
    etags += [table.upsert_entity(entity("r"))["etag"]]
    etags += [table.submit_transaction([("update", entity("r"))])[0]["etag"]]
    assert len(set(etags)) == 4
    assert table.get_entity("p", "r").metadata["etag"] == etags[-1]


def test_an_update_on_a_stale_etag_changes_nothing(table: TableClient) -> None:
    stale = table.create_entity(entity("r", A=1))["etag"]
    table.update_entity(entity("r", A=2), etag=stale, match_condition=MatchConditions.IfNotModified)
    with pytest.raises(ResourceModifiedError) as error:
        table.update_entity(entity("r", A=3), etag=stale, match_condition=MatchConditions.IfNotModified)
    assert (error.value.status_code, code(error)) == (412, "UpdateConditionNotSatisfied")
    assert table.get_entity("p", "r")["A"] == 2


def test_an_update_on_the_etag_of_a_deleted_row_finds_nothing(table: TableClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        table.update_entity(entity("r"), **STALE_ROW)


def test_a_malformed_etag_is_refused(table: TableClient) -> None:
    table.create_entity(entity("r"))
    with pytest.raises(HttpResponseError) as error:
        table.update_entity(entity("r"), etag='"0x1"', match_condition=MatchConditions.IfNotModified)
    assert error.value.status_code == 400


def test_an_etag_and_a_condition_go_together(table: TableClient) -> None:
    with pytest.raises(ValueError, match="not supported for an Unconditional"):
        table.update_entity(entity("r"), etag=STALE_ROW["etag"])
    with pytest.raises(ValueError, match="must be specified with etag"):
        table.update_entity(entity("r"), match_condition=MatchConditions.IfNotModified)
    with pytest.raises(ValueError, match="Unsupported match condition"):
        table.update_entity(entity("r"), etag=STALE_ROW["etag"], match_condition=MatchConditions.IfModified)


def test_a_condition_without_an_etag_uses_the_etag_of_the_given_entity(table: TableClient) -> None:
    table.create_entity(entity("r", A=1))
    read = table.get_entity("p", "r")
    table.update_entity(entity("r", A=2))
    with pytest.raises(ResourceModifiedError):
        table.update_entity(read, match_condition=MatchConditions.IfNotModified)
    with pytest.raises(ResourceModifiedError):
        table.delete_entity(read, match_condition=MatchConditions.IfNotModified)


def test_a_row_is_deleted_by_its_keys_or_as_an_entity(table: TableClient) -> None:
    deletions: list[Callable[[], None]] = [
        lambda: table.delete_entity("p", "r"),
        lambda: table.delete_entity(partition_key="p", row_key="r"),
        lambda: table.delete_entity(entity("r")),
        lambda: table.delete_entity(entity=entity("r")),
    ]
    for delete in deletions:
        table.create_entity(entity("r"))
        delete()
        assert row_keys(table.list_entities()) == []


def test_deleting_a_missing_row_succeeds_on_any_etag(table: TableClient) -> None:
    table.delete_entity("p", "r")
    table.delete_entity("p", "r", **STALE_ROW)


def test_a_delete_on_a_stale_etag_deletes_nothing(table: TableClient) -> None:
    table.create_entity(entity("r"))
    with pytest.raises(ResourceModifiedError) as error:
        table.delete_entity("p", "r", **STALE_ROW)
    assert (error.value.status_code, code(error)) == (412, "UpdateConditionNotSatisfied")
    assert row_keys(table.list_entities()) == ["r"]


@pytest.fixture
def missing(storage: Storage) -> TableClient:
    return storage.tables.get_table_client(new_name())


def test_on_a_missing_table_every_operation_but_a_deletion_says_so(missing: TableClient) -> None:
    for operation in (
        lambda: missing.get_entity("p", "r"),
        lambda: missing.update_entity(entity("r")),
        lambda: missing.upsert_entity(entity("r")),
        lambda: list(missing.query_entities("PartitionKey eq 'p'")),
    ):
        with pytest.raises(ResourceNotFoundError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (404, "TableNotFound")
    missing.delete_entity("p", "r")


def test_on_a_missing_table_a_transaction_says_so_in_its_own_way(missing: TableClient) -> None:
    with pytest.raises(TableTransactionError) as error:
        missing.submit_transaction([("upsert", entity("r"))])
    assert (error.value.status_code, code(error), error.value.index) == (404, "TableNotFound", 0)


def test_on_a_missing_table_a_creation_says_only_not_found(missing: TableClient) -> None:
    with pytest.raises(ResourceNotFoundError) as error:
        missing.create_entity(entity("r"))
    assert error.value.status_code == 404


def test_a_table_can_be_created_once(missing: TableClient) -> None:
    assert missing.create_table().name == missing.table_name
    with pytest.raises(ResourceExistsError) as error:
        missing.create_table()
    assert (error.value.status_code, code(error)) == (409, "TableAlreadyExists")

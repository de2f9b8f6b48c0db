"""What an error of storage means: place and role are named if they are known, and never guessed."""

from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, DecodeError, HttpResponseError, ServiceRequestError

from shared.errors import InputContainerMissing
from shared.settings import Settings, from_environment
from shared.storage.trouble import storage_trouble

BLOB, QUEUE, TABLE = (
    "Storage Blob Data Contributor",
    "Storage Queue Data Contributor",
    "Storage Table Data Contributor",
)
AZURITE = "http://127.0.0.1:1000{}/devstoreaccount1"
CUSTOM = (
    "AccountName=contoso;AccountKey=a2V5;BlobEndpoint=https://files.contoso.com;"
    "QueueEndpoint=https://q.contoso.com;TableEndpoint=https://t.contoso.com"
)


def settings(storage: str = "UseDevelopmentStorage=true", **others: str) -> Settings:
    return from_environment({"DocumentStorage": storage, "READ_ENDPOINT": "http://localhost:5000", **others})


def refused(status: int, code: str = "", url: str | None = None) -> HttpResponseError:
    response = SimpleNamespace(status_code=status, reason="", headers={})
    if url is not None:
        response.request = SimpleNamespace(url=url)
    given: Any = response
    error = HttpResponseError(message="no", response=given)
    if code:
        error.__dict__["error_code"] = code
    return error


@pytest.mark.parametrize(
    ("url", "place", "role"),
    [
        (AZURITE.format(0) + "/inbox/a.png", "container inbox", BLOB),
        (AZURITE.format(0) + "/results?restype=container", "container results", BLOB),
        (AZURITE.format(1) + "/read-operations/messages", "queue read-operations", QUEUE),
        (AZURITE.format(2) + "/documents(PartitionKey='inbox',RowKey='a')", "table documents", TABLE),
        (AZURITE.format(2) + "/$batch", "table documents or lines", TABLE),
        (AZURITE.format(2) + "/Tables", "table documents or lines", TABLE),
        ("https://contoso.blob.core.windows.net/inbox/a.png?sig=x", "container inbox", BLOB),
        ("https://contoso.table.core.windows.net/lines()", "table lines", TABLE),
    ],
)
def test_a_missing_role_is_named_with_its_place(url: str, place: str, role: str) -> None:
    code, message = storage_trouble(refused(403, "AuthorizationPermissionMismatch", url), settings()) or ("", "")

    assert code == "StorageRefused"
    assert f" {place}." in message
    assert role in message
    assert "sig" not in message


@pytest.mark.parametrize(
    ("storage", "urls"),
    [
        ("UseDevelopmentStorage=true", [AZURITE.format(n) for n in range(3)]),
        (CUSTOM, ["https://files.contoso.com", "https://q.contoso.com", "https://t.contoso.com"]),
        (
            "AccountName=contoso;AccountKey=a2V5",
            [f"https://contoso.{service}.core.windows.net" for service in ("blob", "queue", "table")],
        ),
    ],
)
def test_a_container_is_not_confused_with_a_queue_or_table_of_the_same_name(storage: str, urls: list[str]) -> None:
    chosen = settings(storage, INPUT_CONTAINER="documents", READ_QUEUE="documents")
    for url, role in zip(urls, (BLOB, QUEUE, TABLE), strict=True):
        _, message = storage_trouble(refused(403, "AuthorizationFailure", f"{url}/documents/x"), chosen) or ("", "")
        assert role in message


@pytest.mark.parametrize(
    "url", [None, "", "https://elsewhere.example", AZURITE.format(0), AZURITE.format(0) + "/other/x"]
)
@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 429, 503, 507])
def test_an_unknown_place_is_not_named(url: str | None, status: int) -> None:
    code, message = storage_trouble(refused(status, url=url), settings()) or ("", "")

    assert code in ("StorageRefused", "StorageUnavailable")
    assert "?" not in message
    assert "None" not in message
    assert "  " not in message
    assert message.endswith(".")


@pytest.mark.parametrize("code", ["LeaseIdMissing", "BlobImmutableDueToPolicy", "PathConflict", "InsufficientStorage"])
def test_an_error_about_a_lease_or_a_policy_names_no_role(code: str) -> None:
    found = storage_trouble(refused(409, code, AZURITE.format(0) + "/results/a.txt"), settings())

    assert found == ("StorageRefused", f"Storage answered HTTP 409 {code} for the container results.")


@pytest.mark.parametrize("status", [400, 405, 411, 413, 414, 416])
def test_a_proxys_error_is_retryable_and_storages_error_about_a_wrong_request_is_not(status: int) -> None:
    of_a_proxy, of_storage = refused(status), refused(status, "InvalidInput")

    assert storage_trouble(of_storage, settings()) is None
    assert (storage_trouble(of_a_proxy, settings()) or ("",))[0] == "StorageUnavailable"


@pytest.mark.parametrize("status", [200, 202, 302])
def test_an_answer_that_is_not_from_storage_is_retryable(status: int) -> None:
    given: Any = SimpleNamespace(status_code=status, reason="OK", headers={})
    code, _ = storage_trouble(DecodeError(response=given), settings()) or ("", "")

    assert code == "StorageUnavailable"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ServiceRequestError("no route"), "StorageUnavailable"),
        (ClientAuthenticationError("no token"), "StorageRefused"),
        (InputContainerMissing("The container 'inbox' does not exist."), "StorageRefused"),
        (ValueError("ours"), None),
    ],
)
def test_errors_without_an_answer_are_distinguished(error: Exception, code: str | None) -> None:
    found = storage_trouble(error, settings())

    assert (found[0] if found else None) == code

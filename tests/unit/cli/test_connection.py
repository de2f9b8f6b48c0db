"""Which storage a command uses."""

from datetime import timedelta

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

from cli.connection import CHANGING, App, explained, pointed_to
from cli.errors import CommandError
from shared.settings import StorageConnection

STRING = "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=YQ==;EndpointSuffix=core.windows.net"


def connection(storage: str, **settings: str) -> StorageConnection:
    """The connection in the settings, with this ``--storage``."""
    return App(pointed_to(storage, settings)).settings.storage


def test_the_name_of_an_account_is_enough() -> None:
    assert connection("myaccount", DocumentStorage="UseDevelopmentStorage=true") == StorageConnection(
        blob_url="https://myaccount.blob.core.windows.net",
        queue_url="https://myaccount.queue.core.windows.net",
        table_url="https://myaccount.table.core.windows.net",
    )


@pytest.mark.parametrize(
    ("authority", "blob"),
    [
        ("https://login.microsoftonline.us", "https://myaccount.blob.core.usgovcloudapi.net"),
        ("login.chinacloudapi.cn", "https://myaccount.blob.core.chinacloudapi.cn"),
    ],
)
def test_an_account_is_in_the_cloud_that_one_is_signed_in_to(authority: str, blob: str) -> None:
    assert connection("myaccount", AZURE_AUTHORITY_HOST=authority).blob_url == blob


@pytest.mark.parametrize(
    ("url", "table"),
    [
        ("https://myaccount.blob.core.windows.net", "https://myaccount.table.core.windows.net"),
        ("https://myaccount.queue.core.windows.net/", "https://myaccount.table.core.windows.net"),
        ("https://myaccount.dfs.core.usgovcloudapi.net/inbox", "https://myaccount.table.core.usgovcloudapi.net"),
        ("https://myaccount.z13.blob.storage.azure.net", "https://myaccount.z13.table.storage.azure.net"),
        ("https://blob.blob.core.windows.net", "https://blob.table.core.windows.net"),
    ],
)
def test_the_url_of_one_service_gives_the_urls_of_all_three(url: str, table: str) -> None:
    assert connection(url).table_url == table


def test_a_url_with_a_sas_is_used_with_it() -> None:
    text = connection("https://myaccount.blob.core.windows.net/?sv=1&sig=abc%3D").connection_string
    assert text == (
        "BlobEndpoint=https://myaccount.blob.core.windows.net;QueueEndpoint=https://myaccount.queue.core.windows.net;"
        "TableEndpoint=https://myaccount.table.core.windows.net;SharedAccessSignature=sv=1&sig=abc%3D"
    )


def test_a_connection_string_is_recognised() -> None:
    assert connection(STRING).connection_string == STRING
    assert connection("UseDevelopmentStorage=true").connection_string == "UseDevelopmentStorage=true"


def test_the_name_of_a_setting_can_stand_for_its_connection() -> None:
    assert connection("OtherStorage", OtherStorage=STRING, DocumentStorage="x=y").connection_string == STRING
    identity = connection("Other", Other__accountName="other", Other__clientId="c", DocumentStorage="x=y")
    assert (identity.blob_url, identity.client_id) == ("https://other.blob.core.windows.net", "c")


@pytest.mark.parametrize(
    "storage", ["PATH", "Other", "My Account", "", "https://my.account", "https://localhost/x", "http://", "ab"]
)
def test_a_value_that_names_no_storage_is_refused_with_valid_examples(storage: str) -> None:
    with pytest.raises(CommandError, match=r"https://ACCOUNT\.blob\.core\.windows\.net"):
        connection(storage, PATH="/bin:/usr/bin")


@pytest.mark.parametrize("text", ["AccountName=a;AccountKey=secret!", "?sv=1&sig=secret", "secret=secret"])
def test_an_unusable_connection_string_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(CommandError, match="connection string") as refused:
        connection(text)
    assert "secret" not in str(refused.value)


def test_a_refusal_shows_no_signature() -> None:
    with pytest.raises(CommandError) as refused:
        connection("https://localhost/x?sv=1&sig=secret")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ClientAuthenticationError("No token.\nAnd more."), r"sign in with `az login`.*\(No token\.\)"),
        (HttpResponseError("Public access is not permitted.\nRequestId:1"), "Storage refused: Public access"),
        (ServiceRequestError("No route."), "Storage was not reached: No route"),
    ],
)
def test_a_refusal_by_storage_is_reported_in_one_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence), explained():
        raise error


def test_a_missing_role_is_named() -> None:
    error = HttpResponseError("This request is not authorized to perform this operation using this permission.")
    error.status_code = 403
    with pytest.raises(CommandError, match=r"You need the roles .*Storage Queue Data Contributor"), explained(CHANGING):
        raise error


def test_a_command_on_azure_needs_no_read_settings() -> None:
    settings = App(pointed_to("myaccount", {"READ_QUEUE": "my-queue"})).settings
    assert (settings.read_queue, settings.read_endpoint) == ("my-queue", "https://read.invalid")


def test_a_claim_outlives_the_functions_of_host_json() -> None:
    claim = App(pointed_to("myaccount", {})).settings.claim_length
    assert timedelta(minutes=10) < claim < timedelta(minutes=30)


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(CommandError, match="INPUT_CONTAINER"):
        _ = App(pointed_to("myaccount", {"INPUT_CONTAINER": "No Container"})).settings

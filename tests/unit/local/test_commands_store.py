"""Which storage account a command looks into."""

from datetime import timedelta

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

from local.commands.store import explained, services, stored
from local.stack import StackError


def test_an_account_in_azure_is_looked_into_with_the_users_own_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DocumentStorage", "UseDevelopmentStorage=true")
    monkeypatch.delenv("READ_ENDPOINT", raising=False)

    with stored("status", "myaccount") as store:
        storage = store.settings.storage

    assert storage.connection_string is None
    assert storage.blob_url == "https://myaccount.blob.core.windows.net"
    assert storage.table_url == "https://myaccount.table.core.windows.net"


def test_what_is_no_accounts_name_is_refused() -> None:
    with pytest.raises(StackError, match="storage account's name"), stored("status", "https://my.account"):
        pass


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ClientAuthenticationError("No token.\nAnd more."), r"sign in with `az login`.*\(No token\.\)"),
        (HttpResponseError("Public access is not permitted.\nRequestId:1"), "Storage refused: Public access"),
        (ServiceRequestError("No route."), "Storage was not reached: No route"),
    ],
)
def test_what_storage_refuses_is_one_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(StackError, match=sentence), explained():
        raise error


def test_what_lacks_a_role_is_told_which() -> None:
    error = HttpResponseError("This request is not authorized to perform this operation using this permission.")
    error.status_code = 403

    with (
        pytest.raises(StackError, match=r"You need the roles .*Storage Queue Data Contributor"),
        services("again", "myaccount"),
    ):
        raise error


def test_a_task_in_azure_needs_no_read_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("READ_ENDPOINT", raising=False)
    monkeypatch.setenv("READ_QUEUE", "my-queue")

    with services("again", "myaccount") as (app, runs):
        settings = app.settings

    assert runs
    assert settings.storage.queue_url == "https://myaccount.queue.core.windows.net"
    assert (settings.read_queue, settings.read_endpoint) == ("my-queue", "https://read.invalid")


def test_a_claim_outlives_the_functions_of_host_json() -> None:
    with services("again", "myaccount") as (app, _):
        assert app.settings.claim_length > timedelta(minutes=10)
        assert app.settings.claim_length < timedelta(minutes=30)

"""Which storage account a command looks into."""

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

from local.commands.store import explained, stored
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

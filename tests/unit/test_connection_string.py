"""Connection strings: every SDK accepts those that are accepted, and the others would fail at the first event."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connection_string import AZURITE, checked
from shared.settings import StorageConnection
from shared.storage.connection import blob_service, queue_service, table_service

KEYED = "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=a2V5;EndpointSuffix=core.windows.net"
ENDPOINTS = "BlobEndpoint=https://b.example;QueueEndpoint=https://q.example;TableEndpoint=https://t.example"
MAKERS: tuple[Callable[[StorageConnection], Any], ...] = (blob_service, queue_service, table_service)


def clients(text: str) -> list[str]:
    """The URLs of the clients that the SDKs create. Raises ValueError."""
    return [make(StorageConnection(connection_string=text)).url for make in MAKERS]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (AZURITE, "http://127.0.0.1:10000/devstoreaccount1/"),
        (f"{AZURITE};", "http://127.0.0.1:10000/devstoreaccount1/"),
        ("usedevelopmentstorage=TRUE", "http://127.0.0.1:10000/devstoreaccount1/"),
        (f" {AZURITE}\n", "http://127.0.0.1:10000/devstoreaccount1/"),
        (KEYED, "https://contoso.blob.core.windows.net/"),
        (f"{KEYED};\n", "https://contoso.blob.core.windows.net/"),
        (KEYED.replace("core.windows.net", "core.usgovcloudapi.net"), "https://contoso.blob.core.usgovcloudapi.net/"),
        ("accountname=contoso;ACCOUNTKEY=a2V5", "https://contoso.blob.core.windows.net/"),
        (
            f"{ENDPOINTS};SharedAccessSignature=sv=2024&sig=x",
            "https://b.example/?sv=2024&sig=x",
        ),
    ],
)
def test_a_valid_string_creates_all_three_clients(text: str, first: str) -> None:
    assert clients(checked(text))[0] == first


WRONG = [
    "",
    "devstoreaccount1",
    f'"{KEYED}"',
    f"'{KEYED}'",
    f"{AZURITE};DevelopmentStorageProxyUri=http://azurite",
    "UseDevelopmentStorage=false",
    "AccountName=contoso",
    "AccountName=contoso;AccountKey=",
    "AccountName=contoso;AccountKey=not base64",
    "AccountName=contoso;AccountKey=a2V5;AccountName=contoso",
    "AccountKey=a2V5",
    "BlobEndpoint=https://contoso.blob.core.windows.net/;SharedAccessSignature=sv=2024&sig=x",
    "BlobEndpoint=https://b.example;QueueEndpoint=https://q.example;SharedAccessSignature=sv=2024&sig=x",
    "AccountName=contoso;AccountKey=a2V5;TableEndpoint=t.example",
    "AccountName=contoso;AccountKey=a2V5;BlobSecondaryEndpoint=https://b.example",
    "DefaultEndpointsProtocol=ftp;AccountName=contoso;AccountKey=a2V5",
    f"{KEYED};;x",
    f"{KEYED}; Again=1 ;=2",
    "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x)",
]


@pytest.mark.parametrize("text", WRONG)
def test_a_string_that_would_fail_later_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="it") as refused:
        checked(text)
    assert "a2V5" not in str(refused.value)
    assert "sig=" not in str(refused.value)


NAMES = [  # in any case
    "AccountName",
    "accountkey",
    "BlobEndpoint",
    "QueueEndpoint",
    "TableEndpoint",
    "SharedAccessSignature",
    "DefaultEndpointsProtocol",
    "EndpointSuffix",
    "TableSecondaryEndpoint",
    "UseDevelopmentStorage",
    "Other",
]
TEXTS = ["contoso", "a2V5", "https://x.example", "true", "https", "", "core.example"]
PARTS = st.tuples(st.sampled_from(NAMES), st.sampled_from(TEXTS))


@given(st.lists(PARTS, min_size=1, max_size=7), st.sampled_from(["", ";", "\n"]))
def test_every_accepted_string_creates_all_three_clients(parts: list[tuple[str, str]], end: str) -> None:
    text = ";".join(f"{name}={value}" for name, value in parts) + end
    try:
        usable = checked(text)
    except ValueError:
        return
    assert len(clients(usable)) == 3

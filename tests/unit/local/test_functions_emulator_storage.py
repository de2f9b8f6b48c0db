"""Connections by name, receipts by name, and the blob trigger's message."""

import base64
import json

import pytest
from azure.core.exceptions import ServiceRequestError

from local.functions_emulator.blob_trigger import internal_queue_name, trigger_message
from local.functions_emulator.receipts import Version, receipt_name
from local.functions_emulator.settings import HostError
from local.functions_emulator.storage import Connection, Connections, brief

DEVELOPMENT = "UseDevelopmentStorage=true"


def urls(name: str, environ: dict[str, str]) -> tuple[str, str]:
    connection = Connection(name, environ)
    return connection.blobs.url.rstrip("/"), connection.queues.url.rstrip("/")


def test_development_storage_means_azurite_at_its_default_ports() -> None:
    assert urls("Documents", {"Documents": DEVELOPMENT}) == (
        "http://127.0.0.1:10000/devstoreaccount1",
        "http://127.0.0.1:10001/devstoreaccount1",
    )


def test_with_an_identity_an_account_name_stands_for_its_services() -> None:
    assert urls("Documents", {"Documents__accountName": "acc"}) == (
        "https://acc.blob.core.windows.net",
        "https://acc.queue.core.windows.net",
    )


def test_service_uris_override_the_account_name() -> None:
    environ = {
        "Documents__accountName": "acc",
        "Documents__blobServiceUri": "https://one.example",
        "Documents__queueServiceUri": "https://two.example",
    }
    assert urls("Documents", environ) == ("https://one.example", "https://two.example")


def test_a_managed_identity_is_used_if_it_is_named() -> None:
    environ = {
        "Documents__queueServiceUri": "https://two.example",
        "Documents__credential": "managedidentity",
        "Documents__clientId": "11111111-1111-1111-1111-111111111111",
    }
    credential = Connection("Documents", environ).queues.credential
    assert type(credential).__name__ == "ManagedIdentityCredential"


def test_an_identity_by_uri_of_one_service_does_not_give_the_other() -> None:
    connection = Connection("Documents", {"Documents__blobServiceUri": "https://one.example"})
    with pytest.raises(HostError, match="Set Documents__queueServiceUri"):
        _ = connection.queues


def test_a_setting_with_the_prefix_azurewebjobs_takes_precedence() -> None:
    environ = {"AzureWebJobsDocuments": DEVELOPMENT, "Documents__accountName": "acc"}
    assert urls("Documents", environ)[0] == "http://127.0.0.1:10000/devstoreaccount1"


def test_an_empty_name_means_the_hosts_own_storage() -> None:
    connections = Connections({"AzureWebJobsStorage": DEVELOPMENT})
    assert connections[""] is connections["AzureWebJobsStorage"]


def test_a_missing_connection_says_what_to_set() -> None:
    with pytest.raises(HostError, match="'Documents' is not set: put a connection string in Documents"):
        Connections({})["Documents"]


def test_an_invalid_connection_string_is_refused_without_showing_it() -> None:
    with pytest.raises(HostError, match="Documents is not a connection string with a blob service") as raised:
        _ = Connection("Documents", {"Documents": "secret"}).blobs
    assert "secret" not in str(raised.value)


def test_an_error_is_reported_without_its_url_which_may_hold_a_signature() -> None:
    assert (
        brief(ServiceRequestError("Max retries exceeded with url: /?sig=secret")) == "no answer (ServiceRequestError)"
    )


def test_storage_that_does_not_answer_is_reported_in_one_sentence() -> None:
    nobody = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/a;"
    with pytest.raises(HostError, match="The queue service of 'Documents' does not answer"):
        Connection("Documents", {"Documents": nobody}).require("queue")


VERSION = Version("inbox", "sub/ä b.png", '"0x8D1"')


def test_a_receipt_lies_under_host_function_etag_container_and_name() -> None:
    name = receipt_name("host-1", "Host.Functions.submit", VERSION)
    assert name == 'blobreceipts/host-1/Host.Functions.submit/"0x8D1"/inbox/sub/ä b.png'


def test_the_blob_triggers_message_is_that_of_the_real_host() -> None:
    assert json.loads(base64.b64decode(trigger_message("Host.Functions.submit", VERSION))) == {
        "Type": "BlobTrigger",
        "FunctionId": "Host.Functions.submit",
        "BlobType": "BlockBlob",
        "ContainerName": "inbox",
        "BlobName": "sub/ä b.png",
        "ETag": '"0x8D1"',
    }


def test_the_internal_queue_is_named_after_the_host() -> None:
    assert internal_queue_name("host-1") == "azure-webjobs-blobtrigger-host-1"

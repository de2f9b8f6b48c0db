"""What a browser may do with Azurite: the local stack's page may use links to blobs, and other pages may not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from local.browsers import allow_pages
from local.processes import AZURITE_ACCOUNT, AZURITE_KEY, Azurite

PAGE = "http://localhost:7071"


@pytest.fixture(scope="module")
def link(azurite: Azurite) -> Iterator[str]:
    """A link for writing and reading one blob."""
    allow_pages(azurite.connection_string, [PAGE])
    service = BlobServiceClient.from_connection_string(azurite.connection_string)
    service.create_container("browsers")
    blob = service.get_blob_client("browsers", "ä b.png")
    sas = generate_blob_sas(
        AZURITE_ACCOUNT,
        "browsers",
        blob.blob_name,
        account_key=AZURITE_KEY,
        permission=BlobSasPermissions(read=True, create=True, write=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    yield f"{blob.url}?{sas}"
    service.delete_container("browsers")


def preflight(link: str, origin: str, method: str) -> requests.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type,x-ms-blob-type,x-ms-meta-language,range",
    }
    return requests.options(link, headers=asked, timeout=10)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_the_page_may_use_a_link(link: str, method: str) -> None:
    answer = preflight(link, PAGE, method)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert method in answer.headers["Access-Control-Allow-Methods"]


def test_the_page_can_read_the_answer_to_its_upload(link: str) -> None:
    answer = requests.put(link, data=b"abc", headers={"Origin": PAGE, "x-ms-blob-type": "BlockBlob"}, timeout=10)

    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "etag" in answer.headers["Access-Control-Expose-Headers"].lower()


@pytest.mark.parametrize(("origin", "method"), [("https://evil.example", "PUT"), (PAGE, "DELETE")])
def test_no_other_page_and_no_other_method_is_allowed(link: str, origin: str, method: str) -> None:
    assert preflight(link, origin, method).status_code == 403

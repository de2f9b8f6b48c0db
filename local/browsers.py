"""Let the local stack's page use Azurite: in the browser, it uploads files and fetches results by links."""

from collections.abc import Iterable

from azure.storage.blob import BlobServiceClient, CorsRule

from shared.connection_string import endpoints
from shared.loopback import without_proxy


def allow_pages(connection_string: str, origins: Iterable[str]) -> None:
    """Set the blob service's CORS rule: only pages of these origins may use links to blobs.

    Azurite's key is public, so any page could make its own links. Raises AzureError.
    """
    rule = CorsRule(
        list(origins),
        ["GET", "HEAD", "PUT", "OPTIONS"],
        allowed_headers=["*"],
        exposed_headers=["*"],
        max_age_in_seconds=3600,
    )
    options = without_proxy(next(endpoints(connection_string), None))
    options |= {"retry_total": 0, "connection_timeout": 5, "read_timeout": 5}  # stopping the stack waits for this
    with BlobServiceClient.from_connection_string(connection_string, **options) as service:
        service.set_service_properties(cors=[rule])

"""Let the page of the local stack talk to Azurite: it uploads files and fetches results by links, from the browser."""

from collections.abc import Iterable

from azure.storage.blob import BlobServiceClient, CorsRule

from shared.connection_string import endpoints
from shared.loopback import without_proxy


def allow_pages(connection_string: str, origins: Iterable[str]) -> None:
    """Set the blob service's CORS rule: pages of these origins, and no others, may use links to blobs.

    Azurite's key is public, so a page from anywhere could make links of its own. Raises AzureError.
    """
    rule = CorsRule(
        list(origins),
        ["GET", "HEAD", "PUT", "OPTIONS"],
        allowed_headers=["*"],
        exposed_headers=["*"],
        max_age_in_seconds=3600,
    )
    options = without_proxy(next(endpoints(connection_string), None))
    options |= {"retry_total": 0, "connection_timeout": 5, "read_timeout": 5}  # a stack that is stopped waits for this
    with BlobServiceClient.from_connection_string(connection_string, **options) as service:
        service.set_service_properties(cors=[rule])

"""Receipts: which versions of blobs were queued for which function.

Sources: azure-sdk-for-net, sdk/storage, Microsoft.Azure.WebJobs.Extensions.Storage.Blobs/src/Listeners/:
BlobReceiptManager.cs, BlobReceipt.cs, BlobTriggerExecutor.cs.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient

from local.functions_emulator.console import log

CONTAINER = "azure-webjobs-hosts"
LONGEST_BLOB_NAME = 1024  # characters, the service's limit


@dataclass(frozen=True)
class Version:
    """One version of a blob. The ETag is in quotes, as in the header."""

    container: str
    name: str
    etag: str
    blob_type: str = "BlockBlob"


def receipt_name(host_id: str, function_id: str, version: Version) -> str:
    """The receipt's path in azure-webjobs-hosts (BlobReceiptManager.cs)."""
    return f"blobreceipts/{host_id}/{function_id}/{version.etag}/{version.container}/{version.name}"


class Receipts:
    """Which versions of blobs were queued for which function. A receipt means queued, not succeeded."""

    def __init__(self, service: BlobServiceClient, host_id: str, lease_seconds: int) -> None:
        self._container = service.get_container_client(CONTAINER)
        self._host_id = host_id
        self._lease_seconds = max(15, min(30, lease_seconds))  # the real host's is 30; 15 is the shortest

    def once(self, function_id: str, version: Version, enqueue: Callable[[], None]) -> bool:
        """Call `enqueue` unless that was done for this version; False if another host may be doing it now.

        A host that dies between the two leaves an incomplete receipt, and the version is enqueued again.
        """
        name = receipt_name(self._host_id, function_id, version)
        if len(name) > LONGEST_BLOB_NAME:
            log.warning(
                "A blob is skipped, since its name is too long for a receipt: %s characters.",
                len(version.name),
            )
            return True
        receipt = self._container.get_blob_client(name)
        completed = _is_completed(receipt)
        if completed:
            return True
        if completed is None and not self._create(receipt):
            return False
        try:
            lease = receipt.acquire_lease(self._lease_seconds)
        except (ResourceExistsError, ResourceNotFoundError):
            return False
        try:
            if not _is_completed(receipt):
                enqueue()
                receipt.set_blob_metadata({}, lease=lease)
        finally:
            _release(lease)
        return True

    def _create(self, receipt: BlobClient) -> bool:
        for _ in range(2):
            try:
                receipt.upload_blob(b"", metadata={"Incomplete": "Incomplete"}, overwrite=False)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    self._container.create_container()
            except ResourceExistsError:
                return False
            else:
                return True
        return False


def _is_completed(receipt: BlobClient) -> bool | None:
    """None if there is no receipt. An incomplete one bears the metadata "Incomplete" (BlobReceipt.cs)."""
    try:
        metadata = receipt.get_blob_properties().metadata
    except ResourceNotFoundError:
        return None
    return "incomplete" not in {key.lower() for key in metadata}


def _release(lease: BlobLeaseClient) -> None:
    with suppress(HttpResponseError):  # it ended, or the receipt was deleted
        lease.release()

"""Links to one blob each: short-lived, and good for nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, UserDelegationKey, generate_blob_sas

from shared import log
from shared.keys import is_unsafe

LIFE = timedelta(hours=1)
"""Read fetches a file before it answers the POST; clocks differ, and 500 MB take a while."""
_KEY_LIFE = timedelta(hours=8)
_EARLIER = timedelta(minutes=15)
"""A link is valid from before it was made, for clocks that are behind."""
_TRY_AGAIN = timedelta(minutes=10)
"""After storage refused a key: a new role takes minutes to work."""

READ = BlobSasPermissions(read=True)
WRITE = BlobSasPermissions(create=True, write=True)
"""Makes the blob, or a new version of it. Reads, lists and deletes nothing."""


class Signer:
    """Signs links with the account's key, or for an identity with a key delegated to it."""

    def __init__(self, service: BlobServiceClient, now: Callable[[], datetime]) -> None:
        self._service = service
        self._now = now
        self._lock = Lock()
        self._delegated: UserDelegationKey | None = None
        self._delegated_until = self._not_before = now()

    def link(
        self,
        container: str,
        name: str,
        permission: BlobSasPermissions,
        life: timedelta,
        content_disposition: str | None = None,
    ) -> str | None:
        """A link to one blob, which is a secret; None where there is nothing to sign one with.

        ``life`` is at most LIFE. Raises ValueError for a name that a client would resolve into another path.
        """
        if is_unsafe(name):
            raise ValueError("a blob's name has a segment '.' or '..'")
        key = self._key()
        if key is None:
            return None
        now = self._now()
        url = str(self._service.get_blob_client(container, name).url)
        signature = generate_blob_sas(
            str(self._service.account_name),
            container,
            name,
            permission=permission,
            start=now - _EARLIER,
            expiry=now + min(life, LIFE),
            protocol="https" if url.startswith("https:") else None,
            content_disposition=content_disposition,
            **key,
        )
        return f"{url}?{signature}"

    def _key(self) -> dict[str, Any] | None:
        credential = self._service.credential
        if account_key := getattr(credential, "account_key", None):
            return {"account_key": account_key}
        if not hasattr(credential, "get_token"):
            return None  # the connection string holds a SAS itself, or nothing
        with self._lock:
            now = self._now()
            if now + LIFE > self._delegated_until and now >= self._not_before:
                self._delegate(now)
            usable = self._delegated is not None and now + LIFE <= self._delegated_until
            return {"user_delegation_key": self._delegated} if usable else None

    def _delegate(self, now: datetime) -> None:
        until = now + _KEY_LIFE
        try:
            self._delegated = self._service.get_user_delegation_key(now - _EARLIER, until)
        except AzureError as error:
            self._not_before = now + _TRY_AGAIN
            what = (
                "Storage gives no key to sign links with: files are sent to Read instead, and the page gets no links."
                " They need a role with that right, at the scope of the account: Storage Blob Data Contributor or Owner,"
                " or Storage Blob Delegator."
            )
            log.trouble(what, code=type(error).__name__)
        else:
            self._delegated_until = until


class Links:
    """Makes links by which Read fetches files from one container itself."""

    def __init__(self, service: BlobServiceClient, container: str, now: Callable[[], datetime]) -> None:
        self._signer = Signer(service, now)
        self._container = container

    def to(self, name: str) -> str | None:
        """A link to a file, which is a secret; None where there is nothing to sign one with."""
        return self._signer.link(self._container, name, READ, LIFE)

"""Links to blobs. Each is good for one blob and for a short time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, UserDelegationKey, generate_blob_sas

from shared import log
from shared.keys import is_unsafe

LIFE = timedelta(hours=1)
"""How long a link is good. Read fetches a file before it answers the POST, which takes a while for 500 MB."""
_KEY_LIFE = timedelta(hours=8)
_EARLIER = timedelta(minutes=15)
"""A link is valid from a time before it was made, since storage's clock may be behind."""
_TRY_AGAIN = timedelta(minutes=10)
"""When to ask again after storage refused a key: a new role takes minutes to work."""

READ = BlobSasPermissions(read=True)
WRITE = BlobSasPermissions(create=True, write=True)
"""Permission to create the blob or overwrite it, and not to read, list or delete anything."""


class Signer:
    """Signs links with the account's key, or with a key that storage delegates to the app's identity."""

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
        """A link to one blob, which is a secret. None if there is no key to sign it with.

        ``life`` is at most LIFE. Raises ValueError for a name that an HTTP client would resolve into another path.
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
            return None  # the connection string has a SAS in place of a key
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
                "Storage gives the app no key to sign links with, so files are sent to Read, and the page has no links."
                " Give the app's identity the role Storage Blob Data Contributor, Storage Blob Data Owner or Storage"
                " Blob Delegator on the account."
            )
            log.trouble(what, code=type(error).__name__)
        else:
            self._delegated_until = until


class Links:
    """Makes links with which Read itself fetches files from one container."""

    def __init__(self, service: BlobServiceClient, container: str, now: Callable[[], datetime]) -> None:
        self._signer = Signer(service, now)
        self._container = container

    def to(self, name: str) -> str | None:
        """A link to a file, which is a secret. None if there is no key to sign it with."""
        return self._signer.link(self._container, name, READ, LIFE)

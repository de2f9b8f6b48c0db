"""Links by which Read fetches a file itself: short-lived, and only for reading that one file."""

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


class Links:
    """Makes links into one container, signed with the account's key, or for an identity with a key delegated to it."""

    def __init__(self, service: BlobServiceClient, container: str, now: Callable[[], datetime]) -> None:
        self._service = service
        self._container = container
        self._now = now
        self._lock = Lock()
        self._delegated: UserDelegationKey | None = None
        self._delegated_until = self._not_before = now()

    def to(self, name: str) -> str | None:
        """A link to a file. It is a secret. None where there is nothing to sign it with."""
        if is_unsafe(name):
            raise ValueError("a blob's name has a segment '.' or '..'")
        key = self._key()
        if key is None:
            return None
        now = self._now()
        url = str(self._service.get_blob_client(self._container, name).url)
        signature = generate_blob_sas(
            str(self._service.account_name),
            self._container,
            name,
            permission=BlobSasPermissions(read=True),
            start=now - _EARLIER,
            expiry=now + LIFE,
            protocol="https" if url.startswith("https:") else None,
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
                "Storage gives no key to sign links with, so files are sent to Read instead. SUBMIT_BY=url needs a role"
                " with that right, at the scope of the account: Storage Blob Data Contributor or Owner, or Storage Blob"
                " Delegator."
            )
            log.trouble(what, code=type(error).__name__)
        else:
            self._delegated_until = until

"""Storage connection strings: whether all SDKs can use one. No input or output, and no SDK.

Sources: azure-storage-blob and azure-storage-queue, ``_shared/base_client.py``; azure-data-tables,
``_base_client.py``; azure-core, ``utils/_connection_string_parser.py``.
"""

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import urlsplit

AZURITE = "UseDevelopmentStorage=true"
_AZURITE = (
    "BlobEndpoint=http://127.0.0.1:10000;QueueEndpoint=http://127.0.0.1:10001;TableEndpoint=http://127.0.0.1:10002"
)
"""The addresses that ``UseDevelopmentStorage=true`` stands for."""


def services(text: str) -> Iterator[tuple[str, str]]:
    """``blob``, ``queue`` and ``table``, with the addresses that the connection string names."""
    for part in (_AZURITE if text == AZURITE else text).split(";"):
        name, _, value = part.partition("=")
        if name.lower() in ("blobendpoint", "queueendpoint", "tableendpoint"):
            yield name.lower().removesuffix("endpoint"), value


def endpoints(text: str) -> Iterator[str]:
    """The addresses of services that the connection string names."""
    return (url for _, url in services(text))


def checked(text: str) -> str:
    """The connection string in a form that all three SDKs take. Raises ValueError; its text never quotes the string."""
    text = text.strip().rstrip(";")
    if text[:1] in ('"', "'"):
        raise ValueError("it begins with a quotation mark: leave that out")
    if text.lower() == AZURITE.lower():
        return AZURITE
    values: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise ValueError("a part of it is not NAME=VALUE")
        if name.lower() in values:
            raise ValueError("it has a part twice")
        values[name.lower()] = value
    if "usedevelopmentstorage" in values:
        raise ValueError(f"it has more than {AZURITE}: for another address, give AccountName, AccountKey and endpoints")
    _check_credential(values)
    _check_endpoints(values)
    return text


def _check_credential(values: dict[str, str]) -> None:
    if "accountname" in values and "accountkey" in values:
        try:
            base64.b64decode(values["accountkey"], validate=True)
        except binascii.Error:
            raise ValueError("its AccountKey is not base64: copy it again") from None
    elif "sharedaccesssignature" not in values:
        raise ValueError("it has neither AccountName and AccountKey nor SharedAccessSignature")


def _check_endpoints(values: dict[str, str]) -> None:
    if values.get("defaultendpointsprotocol", "https").lower() not in ("http", "https"):
        raise ValueError("its DefaultEndpointsProtocol is neither http nor https")
    for service in ("Blob", "Queue", "Table"):
        url = values.get(f"{service.lower()}endpoint")
        if url is None:
            if "accountname" not in values:
                raise ValueError(f"it has no {service}Endpoint and no AccountName: the app needs all three services")
            if f"{service.lower()}secondaryendpoint" in values:
                raise ValueError(f"it has a {service}SecondaryEndpoint without the {service}Endpoint")
            continue
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(f"its {service}Endpoint is not an http(s) URL")

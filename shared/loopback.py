"""Which addresses are on this machine: no proxy is used for them. No input or output."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine."""
    try:
        name = urlsplit(url).hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def without_proxy(url: str | None) -> dict[str, Any]:
    """Options for a storage client: it ignores the environment's proxy if its service runs on this machine."""
    if url is None or not is_loopback(url):
        return {}
    # The SDKs pass this to requests, which then uses it in place of the environment's NO_PROXY.
    return {"proxies": {"no_proxy": ",".join({*NAMES, urlsplit(url).hostname or ""})}}

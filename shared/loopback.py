"""Which addresses are of this machine. What runs here is never asked through a proxy. No input or output."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(url: str) -> bool:
    """Whether a URL is of this machine."""
    try:
        name = urlsplit(url).hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def without_proxy(url: str | None) -> dict[str, Any]:
    """Options for a storage client: if its service runs on this machine, no proxy of the environment is used."""
    if url is None or not is_loopback(url):
        return {}
    # The SDKs hand this on to requests, where it takes the place of the environment's NO_PROXY.
    return {"proxies": {"no_proxy": ",".join({*NAMES, urlsplit(url).hostname or ""})}}


def sparing_this_machine(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process, whose NO_PROXY covers this machine, whatever else it covers."""
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in environ):
        return dict(environ)
    given = [part for name in ("no_proxy", "NO_PROXY") for part in environ.get(name, "").split(",")]
    covered = ",".join(_once([*(part.strip() for part in given if part.strip()), *NAMES]))
    return {**environ, "no_proxy": covered, "NO_PROXY": covered}


def _once(parts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(parts))

"""The links by which Read fetches files itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, UserDelegationKey

from shared.assembly import build
from shared.settings import from_environment
from shared.storage.links import Links

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEYED = "DefaultEndpointsProtocol=https;AccountName=scans;AccountKey=a2V5;EndpointSuffix=core.windows.net"


class Identity:
    """A credential that needs no network."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("token", 0)


class Delegating(BlobServiceClient):
    """Storage that gives an identity a user delegation key, or refuses to."""

    def __init__(self) -> None:
        super().__init__("https://scans.blob.core.windows.net", credential=Identity())
        self.requests: list[tuple[datetime, datetime]] = []
        self.refuses = False

    def get_user_delegation_key(self, *args: Any, **_: Any) -> UserDelegationKey:
        self.requests.append(args[:2])
        if self.refuses:
            raise HttpResponseError("no")
        key = UserDelegationKey()  # type: ignore[no-untyped-call]
        key.signed_oid = key.signed_tid = "id"
        key.signed_start = key.signed_expiry = "2026-11-22T12:00:00Z"
        key.signed_service, key.signed_version, key.value = "b", "2025-11-05", "a2V5"
        return key


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


def query(link: str | None) -> dict[str, str]:
    assert link is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_a_link_is_short_lived_and_only_for_reading_one_file_over_https() -> None:
    link = Links(BlobServiceClient.from_connection_string(KEYED), "inbox", lambda: NOW).to("a b/ü#?.pdf")
    said = query(link)
    assert (link or "").startswith("https://scans.blob.core.windows.net/inbox/a%20b/%C3%BC%23%3F.pdf?")
    assert (said["sp"], said["sr"], said["spr"]) == ("r", "b", "https")
    assert (said["st"], said["se"]) == ("2026-11-22T11:45:00Z", "2026-11-22T13:00:00Z")


@pytest.mark.parametrize("name", ["../other/a.png", "a/./b.png"])
def test_a_name_with_a_dot_segment_gets_no_link(name: str) -> None:
    with pytest.raises(ValueError, match="segment"):
        Links(BlobServiceClient.from_connection_string(KEYED), "inbox", lambda: NOW).to(name)


def test_a_connection_that_is_a_sas_cannot_sign_links() -> None:
    connection = "BlobEndpoint=https://scans.blob.core.windows.net;SharedAccessSignature=sv=1&sig=2"
    assert Links(BlobServiceClient.from_connection_string(connection), "inbox", lambda: NOW).to("a.png") is None


def test_an_identitys_delegation_key_is_reused_and_renewed_before_it_expires() -> None:
    storage, clock = Delegating(), Clock()
    links = Links(storage, "inbox", clock)
    assert query(links.to("a.png"))["skoid"] == "id"
    links.to("b.png")
    assert len(storage.requests) == 1
    start, end = storage.requests[0]
    assert start < NOW < end
    clock.time = end - timedelta(minutes=59)
    assert query(links.to("c.png"))["se"] > "2026"
    assert len(storage.requests) == 2


def test_after_a_refused_delegation_key_the_next_try_comes_after_a_while() -> None:
    storage, clock = Delegating(), Clock()
    storage.refuses = True
    links = Links(storage, "inbox", clock)
    assert (links.to("a.png"), links.to("b.png")) == (None, None)
    assert len(storage.requests) == 1
    storage.refuses = False
    clock.time += timedelta(minutes=11)
    assert links.to("a.png") is not None


@pytest.mark.parametrize(
    ("storage", "endpoint", "submit_by", "makes_links"),
    [
        (KEYED, "https://r.cognitiveservices.azure.com", "url", True),
        (KEYED, "https://r.cognitiveservices.azure.com", "content", False),
        ("UseDevelopmentStorage=true", "https://r.cognitiveservices.azure.com", "url", False),
        ("UseDevelopmentStorage=true", "http://127.0.0.1:5000", "url", True),
        (KEYED, "http://localhost:5000", "url", True),
    ],
)
def test_links_to_storage_on_this_machine_are_only_for_a_read_on_this_machine(
    storage: str, endpoint: str, submit_by: str, makes_links: bool
) -> None:
    settings = from_environment({"DocumentStorage": storage, "READ_ENDPOINT": endpoint, "SUBMIT_BY": submit_by})
    assert (build(settings).links is not None) is makes_links

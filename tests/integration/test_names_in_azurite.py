"""Names that Azurite can list, and names that break every listing; `dev.py run` drops only the first kind."""

import random
import unicodedata
import uuid
from collections.abc import Iterator

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.commands.files import refusal
from local.processes import Azurite
from shared.keys import is_unlistable


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    service = BlobServiceClient.from_connection_string(azurite.connection_string, retry_total=0)
    with service.get_container_client(f"names-{uuid.uuid4().hex[:12]}") as made:
        made.create_container()
        yield made
        made.delete_container()


def characters() -> list[str]:
    """Every control, format and separator character of the first two planes, and some of each other kind."""
    odd: list[str] = []
    others: dict[str, list[str]] = {}
    for number in range(0x20000):
        character = chr(number)
        kind = unicodedata.category(character)
        if kind in ("Cc", "Cf", "Zl", "Zp", "Zs"):
            odd.append(character)
        elif kind != "Cs":
            others.setdefault(kind, []).append(character)
    chance = random.Random(1)  # noqa: S311 - an arbitrary choice, the same each time
    edges = [chr(number) for number in (0xFDD0, 0xFFFD, 0xFFFE, 0xFFFF, 0x1FFFE, 0x1FFFF, 0x10FFFF)]
    return odd + edges + [character for kind in others.values() for character in chance.sample(kind, min(4, len(kind)))]


def test_every_accepted_name_is_listed_unchanged(container: ContainerClient) -> None:
    taken = [f"a{character}b" for character in characters() if refusal(f"a{character}b") is None]

    for name in taken:
        container.upload_blob(name, b"")

    assert len(taken) > 200
    assert sorted(blob.name for blob in container.list_blobs()) == sorted(taken)


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x1b", "\x1f", "\ufffe", "\uffff"])
def test_a_refused_name_would_break_azurites_listings(container: ContainerClient, character: str) -> None:
    container.upload_blob("before", b"")
    container.upload_blob(f"a{character}b", b"")

    assert is_unlistable(f"a{character}b")
    with pytest.raises(HttpResponseError):
        list(container.list_blobs())

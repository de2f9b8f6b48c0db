"""Listings, and the names that blobs may have."""

import pytest
from azure.core.exceptions import (
    HttpResponseError,
)
from azure.storage.blob import BlobClient, BlobType, ContainerClient, ContentSettings

from .support import azurite_differs, code, content, if_still, md5_of, names


def test_blobs_are_listed_in_the_order_of_their_names(container: ContainerClient) -> None:
    for name in ("b", "a/2", "a/10", "B", "a", "é", "a.txt"):
        container.get_blob_client(name).upload_blob(b"")
    assert names(container) == ["B", "a", "a.txt", "a/10", "a/2", "b", "é"]


def test_names_are_ordered_by_utf_16_code_units(container: ContainerClient) -> None:
    for name in ("\ufb01", "😀", "z"):  # by code points, the emoji would be last
        container.get_blob_client(name).upload_blob(b"")
    assert names(container) == ["z", "😀", "\ufb01"]


def test_a_listed_blob_is_described(container: ContainerClient, blob: BlobClient) -> None:
    written = blob.upload_blob(b"hello", content_settings=ContentSettings(content_type="text/plain"))
    (listed,) = container.list_blobs()
    assert (listed.name, listed.container, listed.size) == ("2024/scan.pdf", container.container_name, 5)
    assert (listed.blob_type, listed.blob_tier) == (BlobType.BLOCKBLOB, "Hot")
    assert listed.last_modified == listed.creation_time == written["last_modified"]
    assert listed.content_settings.content_type == "text/plain"
    assert listed.content_settings.content_md5 == md5_of(b"hello")


def test_only_in_a_listing_the_etag_has_no_quotes(container: ContainerClient, blob: BlobClient) -> None:
    written = blob.upload_blob(b"hello")["etag"]
    (listed,) = container.list_blobs()
    assert f'"{listed.etag}"' == written
    assert blob.download_blob(**if_still(listed.etag)).readall() == b"hello"


def test_metadata_is_listed_if_asked_for(container: ContainerClient, blob: BlobClient) -> None:
    blob.upload_blob(b"", metadata={"a": "b"})
    assert [listed.metadata for listed in container.list_blobs()] == [{}]
    assert [listed.metadata for listed in container.list_blobs(include=["metadata"])] == [{"a": "b"}]


def test_a_prefix_is_matched_literally(container: ContainerClient) -> None:
    for name in ("2024/a", "2024/b", "2024%2Fc", "2024.", "20", "2025/a", "😀/a"):
        container.get_blob_client(name).upload_blob(b"")
    assert names(container, name_starts_with="2024/") == ["2024/a", "2024/b"]
    assert names(container, name_starts_with="2024%") == ["2024%2Fc"]
    assert names(container, name_starts_with="😀") == ["😀/a"]
    assert names(container, name_starts_with="2026") == []


def test_a_listing_comes_in_pages_and_continues_from_a_token(container: ContainerClient) -> None:
    for name in "abcde":
        container.get_blob_client(name).upload_blob(b"")
    pages = container.list_blobs(results_per_page=2).by_page()
    assert [[blob.name for blob in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    pages = container.list_blobs(results_per_page=2).by_page()
    next(pages)
    token = pages.continuation_token  # type: ignore[attr-defined]
    container.get_blob_client("c").delete_blob()
    container.get_blob_client("a0").upload_blob(b"")
    rest = container.list_blobs(results_per_page=2).by_page(token)
    assert [[blob.name for blob in page] for page in rest] == [["d", "e"]]


@pytest.mark.parametrize(
    "name",
    [
        "2024/a b/c.pdf", "a//b", "a/", "/a", "a#b", "a%b", "a%2Fb", "a?b", "a&b", "a+b", "a:b", "a=b", " a ",
        "a.", "..a", "a'b", 'a"b', "a<b>", "é", "e\u0301", "中.pdf", "😀.png", "~", "!", "a;b", "a|b",
    ],
)  # fmt: skip
def test_a_name_comes_back_as_it_was_given(container: ContainerClient, name: str) -> None:
    blob = container.get_blob_client(name)
    blob.upload_blob(name.encode())
    assert content(blob) == name.encode()
    assert names(container) == names(container, name_starts_with=name) == [name]
    blob.delete_blob()
    assert names(container) == []


@pytest.mark.parametrize("name", ["x" * 1024, "é" * 1024, "中" * 1024])
def test_a_name_holds_1024_characters(container: ContainerClient, name: str) -> None:
    container.get_blob_client(name).upload_blob(b"")
    assert names(container) == [name]


@azurite_differs("takes any length")
def test_a_longer_name_is_refused(container: ContainerClient) -> None:
    """learn.microsoft.com/rest/api/storageservices, "Naming and referencing containers, blobs, and metadata"."""
    with pytest.raises(HttpResponseError) as error:
        container.get_blob_client("x" * 1025).upload_blob(b"")
    assert error.value.status_code == 400


@pytest.mark.parametrize("name", ["../other/a", "./a", "a/../b", "a/./b"])
def test_a_name_with_dot_segments_is_refused(container: ContainerClient, name: str) -> None:
    with pytest.raises(HttpResponseError) as error:
        container.get_blob_client(name).upload_blob(b"")
    assert (error.value.status_code, code(error)) == (403, "AuthorizationFailure")


def test_a_backslash_is_a_slash(container: ContainerClient) -> None:
    container.get_blob_client("2024\\scan.pdf").upload_blob(b"hello")
    assert names(container) == ["2024/scan.pdf"]
    assert content(container.get_blob_client("2024/scan.pdf")) == b"hello"

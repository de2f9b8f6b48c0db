"""The properties of containers and blobs."""

from datetime import UTC

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobClient, BlobType, ContainerClient, ContentSettings

from .support import (
    Storage,
    code,
    md5_of,
    new_name,
)


def test_a_container_can_be_created_once(storage: Storage) -> None:
    container = storage.blobs().get_container_client(new_name())
    assert not container.exists()
    container.create_container()
    assert container.exists()
    with pytest.raises(ResourceExistsError) as error:
        container.create_container()
    assert (error.value.status_code, code(error)) == (409, "ContainerAlreadyExists")


def test_the_properties_of_a_container_show_that_it_exists(container: ContainerClient) -> None:
    assert container.get_container_properties().name == container.container_name


def test_in_a_missing_container_every_operation_says_so(storage: Storage) -> None:
    container = storage.blobs().get_container_client(new_name())
    blob = container.get_blob_client("scan.pdf")
    for operation in (
        container.get_container_properties,
        lambda: next(container.list_blobs()),
        blob.download_blob,
        blob.get_blob_properties,
        lambda: blob.upload_blob(b"x"),
        lambda: blob.stage_block("1", b"x"),
        lambda: blob.commit_block_list([]),
        lambda: blob.set_blob_metadata({}),
        blob.delete_blob,
    ):
        with pytest.raises(ResourceNotFoundError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (404, "ContainerNotFound")
    assert not blob.exists()


def test_a_blob_has_the_same_properties_when_it_is_opened_and_when_they_are_asked_for(blob: BlobClient) -> None:
    written = blob.upload_blob(
        b"hello", metadata={"source_etag": '"0x8"'}, content_settings=ContentSettings(content_type="text/plain")
    )
    for found in (blob.download_blob().properties, blob.get_blob_properties()):
        assert (found.name, found.container) == ("2024/scan.pdf", blob.container_name)
        assert (found.size, found.blob_type, found.etag) == (5, BlobType.BLOCKBLOB, written["etag"])
        assert found.last_modified == written["last_modified"] == found.creation_time
        assert (found.last_modified.microsecond, found.last_modified.tzinfo) == (0, UTC)
        assert found.metadata == {"source_etag": '"0x8"'}
        assert found.content_settings.content_type == "text/plain"
        assert found.content_settings.content_md5 == md5_of(b"hello")
        assert found.lease.state == "available"


def test_only_a_request_for_properties_shows_the_access_tier(blob: BlobClient) -> None:
    blob.upload_blob(b"hello")
    assert blob.get_blob_properties().blob_tier == "Hot"
    assert blob.download_blob().properties.blob_tier is None


def test_a_missing_blob_says_so(blob: BlobClient) -> None:
    for operation in (
        blob.download_blob,
        blob.get_blob_properties,
        lambda: blob.set_blob_metadata({}),
        blob.delete_blob,
    ):
        with pytest.raises(ResourceNotFoundError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (404, "BlobNotFound")
    assert not blob.exists()


def test_every_write_gives_a_new_etag(blob: BlobClient) -> None:
    etags = [blob.upload_blob(b"hello")["etag"]]
    etags += [blob.upload_blob(b"hello", overwrite=True)["etag"], blob.set_blob_metadata({"a": "b"})["etag"]]
    blob.stage_block("1", b"hello")
    etags += [blob.commit_block_list([BlobBlock("1")])["etag"]]
    assert len(set(etags)) == 4
    assert blob.get_blob_properties().etag == etags[-1]


def test_an_etag_is_quoted(blob: BlobClient) -> None:
    written = blob.upload_blob(b"hello")["etag"]
    assert written.startswith('"0x')
    assert written.endswith('"')


def test_new_metadata_replaces_the_old_and_leaves_the_content_and_its_md5(blob: BlobClient) -> None:
    blob.upload_blob(b"hello", metadata={"a": "1"})
    blob.set_blob_metadata({"Language": " de "})
    found = blob.get_blob_properties()
    assert found.metadata == {"Language": "de"}
    assert found.content_settings.content_md5 == md5_of(b"hello")


def test_an_upload_drops_the_metadata_that_it_does_not_give(blob: BlobClient) -> None:
    blob.upload_blob(b"hello", metadata={"a": "1"}, content_settings=ContentSettings(content_type="text/plain"))
    blob.upload_blob(b"hello", overwrite=True)
    found = blob.get_blob_properties()
    assert (found.metadata, found.content_settings.content_type) == ({}, "application/octet-stream")


def test_a_metadata_name_is_an_identifier(blob: BlobClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        blob.upload_blob(b"hello", metadata={"source-etag": "x"})
    assert (error.value.status_code, code(error)) == (400, "InvalidMetadata")


def test_metadata_beyond_latin_1_cannot_be_sent(blob: BlobClient) -> None:
    blob.upload_blob(b"hello", metadata={"name": "Grüße"})
    assert blob.get_blob_properties().metadata == {"name": "Grüße"}
    with pytest.raises(UnicodeEncodeError):
        blob.set_blob_metadata({"name": "中"})


def test_the_properties_of_an_archived_blob_can_be_read_but_not_its_content(blob: BlobClient) -> None:
    before = blob.upload_blob(b"hello")["etag"]
    blob.set_standard_blob_tier("Archive")
    assert (blob.get_blob_properties().blob_tier, blob.get_blob_properties().etag) == ("Archive", before)
    with pytest.raises(ResourceExistsError) as error:
        blob.download_blob()
    assert (error.value.status_code, code(error)) == (409, "BlobArchived")

"""Writes of blobs: uploads, metadata, deletions, blocks, and their conditions."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
)
from azure.storage.blob import BlobBlock, BlobClient, ContainerClient, ContentSettings

from .support import (
    IF_MISSING,
    STALE_BLOB,
    azurite_differs,
    code,
    content,
    if_still,
    md5_of,
    names,
)

TWENTY_BYTES = b"0123456789abcdefghij"


@pytest.mark.parametrize(
    "data",
    [lambda: b"hello", lambda: "hello", lambda: BytesIO(b"hello"), lambda: iter([b"hel", b"lo"])],
    ids=["bytes", "text", "file", "chunks"],
)
def test_what_is_uploaded_is_read_back(blob: BlobClient, data: Callable[[], Any]) -> None:
    blob.upload_blob(data())
    assert content(blob) == b"hello"


def test_no_more_is_uploaded_than_the_length_given(blob: BlobClient) -> None:
    blob.upload_blob(b"hello", length=2)
    assert content(blob) == b"he"


def test_nothing_is_overwritten_unless_asked_for(blob: BlobClient) -> None:
    blob.upload_blob(b"first")
    with pytest.raises(ResourceExistsError) as error:
        blob.upload_blob(b"second")
    assert (error.value.status_code, code(error)) == (409, "BlobAlreadyExists")
    assert content(blob) == b"first"
    blob.upload_blob(b"second", overwrite=True)
    assert content(blob) == b"second"


@pytest.mark.parametrize("data", [b"short", TWENTY_BYTES], ids=["whole", "in blocks"])
def test_a_write_if_missing_fails_if_the_blob_exists(blob: BlobClient, data: bytes) -> None:
    blob.upload_blob(b"first", overwrite=True, **IF_MISSING)
    with pytest.raises(ResourceExistsError) as error:
        blob.upload_blob(data, overwrite=True, **IF_MISSING)
    assert (error.value.status_code, code(error)) == (409, "BlobAlreadyExists")
    assert content(blob) == b"first"


@pytest.mark.parametrize("data", [b"short", TWENTY_BYTES], ids=["whole", "in blocks"])
def test_an_upload_on_a_stale_etag_changes_nothing(blob: BlobClient, data: bytes) -> None:
    stale = blob.upload_blob(b"first")["etag"]
    blob.upload_blob(b"second", overwrite=True, **if_still(stale))
    with pytest.raises(ResourceModifiedError) as error:
        blob.upload_blob(data, overwrite=True, **if_still(stale))
    assert (error.value.status_code, code(error)) == (412, "ConditionNotMet")
    assert content(blob) == b"second"


def test_an_upload_on_a_stale_etag_without_overwrite_fails_as_if_the_blob_existed(blob: BlobClient) -> None:
    with pytest.raises(ResourceExistsError) as error:
        blob.upload_blob(b"first", **STALE_BLOB)
    assert (error.value.status_code, code(error)) == (412, "BlobAlreadyExists")
    assert not blob.exists()


def test_an_upload_on_the_etag_of_a_blob_that_is_gone_fails(blob: BlobClient) -> None:
    with pytest.raises(ResourceModifiedError) as error:
        blob.upload_blob(b"first", overwrite=True, **STALE_BLOB)
    assert (error.value.status_code, code(error)) == (412, "ConditionNotMet")


def test_an_etag_needs_a_condition_and_a_condition_an_etag(blob: BlobClient) -> None:
    with pytest.raises(ValueError, match="without 'match_condition'"):
        blob.upload_blob(b"first", etag=STALE_BLOB["etag"])
    with pytest.raises(ValueError, match="without 'etag'"):
        blob.download_blob(match_condition=MatchConditions.IfNotModified)


def test_an_upload_in_blocks_has_no_md5(blob: BlobClient) -> None:
    answer = blob.upload_blob(TWENTY_BYTES)
    assert blob.get_blob_properties().content_settings.content_md5 is None
    assert answer["content_md5"] not in (None, md5_of(TWENTY_BYTES))


def test_metadata_on_a_stale_etag_is_not_written(blob: BlobClient) -> None:
    first = blob.upload_blob(b"first", metadata={"a": "1"})["etag"]
    with pytest.raises(ResourceModifiedError) as error:
        blob.set_blob_metadata({"a": "2"}, **STALE_BLOB)
    assert (error.value.status_code, code(error)) == (412, "ConditionNotMet")
    blob.set_blob_metadata({"a": "3"}, **if_still(first))
    assert blob.get_blob_properties().metadata == {"a": "3"}


def test_a_delete_on_a_stale_etag_deletes_nothing(blob: BlobClient) -> None:
    first = blob.upload_blob(b"first")["etag"]
    with pytest.raises(ResourceModifiedError) as error:
        blob.delete_blob(**STALE_BLOB)
    assert (error.value.status_code, code(error)) == (412, "ConditionNotMet")
    blob.delete_blob(delete_snapshots="include", **if_still(first))
    assert not blob.exists()


def test_metadata_or_a_delete_on_the_etag_of_a_blob_that_is_gone_fails(blob: BlobClient) -> None:
    for operation in (lambda: blob.delete_blob(**STALE_BLOB), lambda: blob.set_blob_metadata({}, **STALE_BLOB)):
        with pytest.raises(ResourceModifiedError) as error:
            operation()
        assert (error.value.status_code, code(error)) == (412, "ConditionNotMet")


def test_blocks_become_a_blob_once_they_are_committed(container: ContainerClient, blob: BlobClient) -> None:
    blob.stage_block("1", b"world")
    blob.stage_block("2", b"hello ")
    assert not blob.exists()
    assert names(container) == []
    settings, metadata = ContentSettings(content_type="application/json"), {"operation_id": "5"}
    blob.commit_block_list([BlobBlock("2"), BlobBlock("1")], content_settings=settings, metadata=metadata, **IF_MISSING)
    found = blob.download_blob()
    assert found.readall() == b"hello world"
    assert (found.properties.content_settings.content_type, found.properties.metadata) == (
        "application/json",
        metadata,
    )


def test_staging_blocks_does_not_change_an_existing_blob(blob: BlobClient) -> None:
    before = blob.upload_blob(b"first")["etag"]
    blob.stage_block("1", b"second")
    assert (content(blob), blob.get_blob_properties().etag) == (b"first", before)


def test_the_later_of_two_blocks_with_the_same_id_counts(blob: BlobClient) -> None:
    blob.stage_block("1", b"first")
    blob.stage_block("1", b"second")
    blob.commit_block_list([BlobBlock("1")])
    assert content(blob) == b"second"


def test_a_block_may_be_committed_again_together_with_new_ones(blob: BlobClient) -> None:
    blob.stage_block("1", b"one ")
    blob.commit_block_list([BlobBlock("1")])
    blob.stage_block("2", b"two ")
    blob.commit_block_list([BlobBlock("1"), BlobBlock("2"), BlobBlock("1")])
    assert content(blob) == b"one two one "


def test_a_block_that_was_never_staged_is_refused(blob: BlobClient) -> None:
    with pytest.raises(HttpResponseError) as error:
        blob.commit_block_list([BlobBlock("1")])
    assert (error.value.status_code, code(error)) == (400, "InvalidBlockList")


def test_staged_blocks_are_gone_after_a_commit(blob: BlobClient) -> None:
    blob.stage_block("1", b"one")
    blob.stage_block("2", b"two")
    blob.commit_block_list([BlobBlock("1")])
    with pytest.raises(HttpResponseError) as error:
        blob.commit_block_list([BlobBlock("2")])
    assert code(error) == "InvalidBlockList"


@azurite_differs("keeps what was staged")
def test_staged_blocks_are_gone_after_an_upload(blob: BlobClient) -> None:
    """learn.microsoft.com/rest/api/storageservices/put-block: an upload discards uncommitted blocks."""
    blob.stage_block("1", b"one")
    blob.upload_blob(b"whole")
    with pytest.raises(HttpResponseError) as error:
        blob.commit_block_list([BlobBlock("1")])
    assert code(error) == "InvalidBlockList"


def test_the_ids_of_staged_blocks_must_have_the_same_length(blob: BlobClient) -> None:
    blob.stage_block("1", b"one")
    with pytest.raises(HttpResponseError) as error:
        blob.stage_block("1000", b"two")
    assert (error.value.status_code, code(error)) == (400, "InvalidBlobOrBlock")


def test_a_commit_on_a_condition_that_fails_changes_nothing(blob: BlobClient) -> None:
    first = blob.upload_blob(b"first")["etag"]
    blob.stage_block("1", b"second")
    with pytest.raises(ResourceExistsError) as exists:
        blob.commit_block_list([BlobBlock("1")], **IF_MISSING)
    assert (exists.value.status_code, code(exists)) == (409, "BlobAlreadyExists")
    with pytest.raises(ResourceModifiedError) as modified:
        blob.commit_block_list([BlobBlock("1")], **STALE_BLOB)
    assert (modified.value.status_code, code(modified)) == (412, "ConditionNotMet")
    assert content(blob) == b"first"
    blob.commit_block_list([BlobBlock("1")], **if_still(first))
    assert content(blob) == b"second"

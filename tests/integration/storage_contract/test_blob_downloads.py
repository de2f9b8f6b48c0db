"""Downloads. The blobs of these tests are read by 8 bytes first, then by 4."""

from io import BytesIO

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient

from .support import STALE_BLOB, azurite_differs, code, if_still, md5_of

TWENTY_BYTES = b"0123456789abcdefghij"


def test_a_blob_is_read_in_chunks(blob: BlobClient) -> None:
    blob.upload_blob(TWENTY_BYTES)
    download = blob.download_blob()
    assert (download.size, len(download)) == (20, 20)
    assert list(download.chunks()) == [b"0123", b"4567", b"89ab", b"cdef", b"ghij"]
    assert download.readall() == TWENTY_BYTES


def test_a_blob_is_read_as_a_stream(blob: BlobClient) -> None:
    blob.upload_blob(TWENTY_BYTES)
    download = blob.download_blob()
    assert [download.read(3), download.read(10), download.read(), download.read()] == [
        b"012",
        b"3456789abc",
        b"defghij",
        b"",
    ]


def test_a_blob_is_read_into_a_file(blob: BlobClient) -> None:
    blob.upload_blob(TWENTY_BYTES)
    file = BytesIO()
    assert blob.download_blob(max_concurrency=4).readinto(file) == 20
    assert file.getvalue() == TWENTY_BYTES


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, 5, b"01234"), (18, 1, b"i"), (18, 99, b"ij"), (3, None, TWENTY_BYTES[3:]), (1, 15, TWENTY_BYTES[1:16])],
)
def test_a_range_is_read(blob: BlobClient, offset: int, length: int | None, expected: bytes) -> None:
    blob.upload_blob(TWENTY_BYTES)
    download = blob.download_blob(offset=offset, length=length)
    assert (download.readall(), download.size) == (expected, len(expected))


def test_a_range_starts_with_an_offset(blob: BlobClient) -> None:
    with pytest.raises(ValueError, match="Offset value must not be None"):
        blob.download_blob(length=1)


def test_a_range_beyond_the_end_is_refused(blob: BlobClient) -> None:
    blob.upload_blob(b"hello")
    with pytest.raises(HttpResponseError) as error:
        blob.download_blob(offset=6, length=1)
    assert (error.value.status_code, code(error)) == (416, "InvalidRange")


@azurite_differs("answers no bytes")
def test_a_range_just_beyond_the_end_is_refused(blob: BlobClient) -> None:
    """RFC 9110, 14.1.2, and learn.microsoft.com/rest/api/storageservices, "Specifying the range header"."""
    blob.upload_blob(b"hello")
    with pytest.raises(HttpResponseError) as error:
        blob.download_blob(offset=5, length=1)
    assert (error.value.status_code, code(error)) == (416, "InvalidRange")


def test_an_empty_blob_is_read(blob: BlobClient) -> None:
    blob.upload_blob(b"")
    download = blob.download_blob()
    assert (download.size, download.properties.size) == (0, 0)
    assert (download.read(5), download.readall(), list(download.chunks())) == (b"", b"", [])
    assert download.properties.content_settings.content_md5 == md5_of(b"")


def test_an_empty_blob_has_no_range(blob: BlobClient) -> None:
    blob.upload_blob(b"")
    with pytest.raises(HttpResponseError) as error:
        blob.download_blob(offset=0)
    assert (error.value.status_code, code(error)) == (416, "InvalidRange")


@azurite_differs("answers no bytes to a range of one")
def test_an_empty_blob_has_no_range_of_one_byte_either(blob: BlobClient) -> None:
    blob.upload_blob(b"")
    with pytest.raises(HttpResponseError) as error:
        blob.download_blob(offset=0, length=1)
    assert code(error) == "InvalidRange"


def test_a_download_on_a_stale_etag_is_refused(blob: BlobClient) -> None:
    first = blob.upload_blob(b"first")["etag"]
    assert blob.download_blob(**if_still(first)).readall() == b"first"
    blob.upload_blob(b"second", overwrite=True)
    for operation in (blob.download_blob, blob.get_blob_properties):
        with pytest.raises(ResourceModifiedError) as error:
            operation(**if_still(first))
        assert (error.value.status_code, code(error)) == (412, "ConditionNotMet")


def test_an_unchanged_blob_is_not_read_again(blob: BlobClient) -> None:
    first = blob.upload_blob(b"first")["etag"]
    with pytest.raises(ResourceModifiedError) as error:
        blob.download_blob(etag=first, match_condition=MatchConditions.IfModified)
    assert error.value.status_code == 304


@azurite_differs("says 412 (github.com/Azure/Azurite/issues/2751)")
def test_a_download_on_the_etag_of_a_deleted_blob_finds_nothing(blob: BlobClient) -> None:
    for operation in (blob.download_blob, blob.get_blob_properties):
        with pytest.raises(ResourceNotFoundError) as error:
            operation(**STALE_BLOB)
        assert error.value.status_code == 404


@pytest.mark.parametrize("rest", ["readall", "read", "chunks"])
def test_overwriting_a_blob_breaks_off_its_downloads(blob: BlobClient, rest: str) -> None:
    blob.upload_blob(TWENTY_BYTES)
    download = blob.download_blob()
    blob.upload_blob(TWENTY_BYTES[::-1], overwrite=True)
    with pytest.raises(ResourceModifiedError) as error:
        list(getattr(download, rest)())
    assert (error.value.status_code, code(error)) == (412, "ConditionNotMet")


def test_new_metadata_breaks_off_downloads_too(blob: BlobClient) -> None:
    blob.upload_blob(TWENTY_BYTES)
    download = blob.download_blob()
    blob.set_blob_metadata({"a": "b"})
    with pytest.raises(ResourceModifiedError):
        download.readall()


def test_a_blob_that_was_read_in_one_piece_stays_readable(blob: BlobClient) -> None:
    blob.upload_blob(b"12345678")
    download = blob.download_blob()
    blob.delete_blob()
    assert download.readall() == b"12345678"


@azurite_differs("says 412 (github.com/Azure/Azurite/issues/2751)")
def test_deleting_a_blob_breaks_off_its_downloads_with_another_error(blob: BlobClient) -> None:
    blob.upload_blob(TWENTY_BYTES)
    download = blob.download_blob()
    blob.delete_blob()
    with pytest.raises(ResourceNotFoundError) as error:
        download.readall()
    assert error.value.status_code == 404

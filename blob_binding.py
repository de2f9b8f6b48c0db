"""The blob trigger's binding: which blob it is, without its content.

The normal binding copies the whole file through the host and the worker, even if a function uses only its name.
Microsoft's SDK-type binding does not, but it imports the storage and identity SDKs at every start, and it fails on
identity-based connections by account name. This binding takes the same data and leaves the rest to the app. Do not
install Microsoft's package (azurefunctions-extensions-bindings-blob) beside it: the registry of converters takes one
converter for blobs and raises an error at the second, so that no function would be indexed.
"""

import json
from typing import Any

from azurefunctions.extensions.base import Datum, InConverter, SdkType  # type: ignore[import-untyped]


class BlobReference(SdkType):  # type: ignore[misc]  # the package has no types
    """A blob's container and name, as the trigger saw it."""

    def __init__(self, container: str, name: str) -> None:
        super().__init__()
        self.container = container
        self.name = name

    def get_sdk_type(self) -> "BlobReference":
        """The value that the worker passes to the function: this object."""
        return self


class BlobReferenceConverter(InConverter, binding="blob", trigger="blobTrigger"):  # type: ignore[misc,call-arg]
    """Makes a BlobReference from the host's model binding data (source AzureStorageBlobs)."""

    @classmethod
    def check_input_type_annotation(cls, pytype: type) -> bool:
        """Whether the trigger's parameter is a BlobReference."""
        return issubclass(pytype, BlobReference)

    @classmethod
    def has_implicit_output(cls) -> bool:
        """Whether the function's return value is an output. It is not."""
        return False

    @classmethod
    def decode(cls, data: Datum, *, trigger_metadata: Any, pytype: type) -> BlobReference | None:
        """The blob that the data names. Raises ValueError for data that no SDK-type binding gets."""
        del trigger_metadata, pytype
        if data is None or data.type is None:
            return None
        if data.type != "model_binding_data":
            raise ValueError(f"a blob reference is made from model binding data, not from {data.type!r}")
        content = json.loads(data.value.content)
        return BlobReference(content["ContainerName"], content["BlobName"])

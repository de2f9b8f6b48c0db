"""The refusals of the services, with the classes and codes that the SDKs raise.

Codes, status and text: learn.microsoft.com/rest/api/storageservices, "Blob", "Queue" and "Table service error codes".
"""

from typing import Any, ClassVar, TypeVar

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ResourceNotModifiedError,
)
from azure.core.pipeline import PipelineResponse
from azure.core.utils import case_insensitive_dict
from azure.data.tables import RequestTooLargeError, TableErrorCode, TableTransactionError

E = TypeVar("E", bound=HttpResponseError)

_REFUSALS = {
    "AuthorizationFailure": (403, "Server failed to authenticate the request."),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "BlobArchived": (409, "This operation is not permitted on an archived blob."),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    "ContainerAlreadyExists": (409, "The specified container already exists."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "EntityAlreadyExists": (409, "The specified entity already exists."),
    "EntityTooLarge": (400, "The entity is larger than the maximum allowed size (1MB)."),
    "InvalidBlobOrBlock": (400, "The specified blob or block content is invalid."),
    "InvalidBlockList": (400, "The specified block list is invalid."),
    "InvalidDuplicateRow": (400, "The batch request contains multiple changes with same row key."),
    "InvalidInput": (400, "One of the request inputs is not valid."),
    "InvalidMetadata": (400, "The metadata specified is invalid. It has characters that are not permitted."),
    "InvalidQueryParameterValue": (400, "Value for one of the query parameters specified is invalid."),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "InvalidXmlDocument": (400, "XML specified is not syntactically valid."),
    "MessageNotFound": (404, "The specified message does not exist."),
    "OutOfRangeInput": (400, "The specified resource name length is not within the permissible limits."),
    "OutOfRangeQueryParameterValue": (400, "A query parameter specified is outside the permissible range."),
    "PopReceiptMismatch": (400, "The specified pop receipt did not match that of a dequeued message."),
    "PropertyValueTooLarge": (400, "The property value exceeds the maximum allowed size (64KB)."),
    "QueueAlreadyExists": (409, "The specified queue already exists."),
    "QueueNotFound": (404, "The specified queue does not exist."),
    "RequestBodyTooLarge": (413, "The request body is too large and exceeds the maximum permissible limit."),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "TableAlreadyExists": (409, "The table specified already exists."),
    "TableNotFound": (404, "The table specified does not exist."),
    "UpdateConditionNotSatisfied": (412, "The update condition specified in the request was not satisfied."),
}
_BY_STATUS: dict[int, type[HttpResponseError]] = {
    304: ResourceNotModifiedError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
}


class Refusal(Exception):
    """A service's refusal inside this package. `as_...` convert it into what the caller of a client gets."""

    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.status = status or _REFUSALS[code][0]
        self.index = 0
        """In a transaction, the index of the refused operation."""


class Answer:
    """As much of an azure.core HTTP response as the SDKs read. It has no body: all is in the headers."""

    content_type: ClassVar[None] = None
    location_mode: ClassVar[str] = "primary"

    def __init__(self, status_code: int, headers: dict[str, str], reason: str = "") -> None:
        self.status_code = status_code
        self.headers = case_insensitive_dict(headers)
        self.reason = reason

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002 - the SDKs give one
        return ""


def answered(status_code: int, headers: dict[str, str] | None = None) -> PipelineResponse[Any, Any]:
    """An answer as the SDKs' deserializers take it."""
    return PipelineResponse(None, Answer(status_code, headers or {}), None)  # type: ignore[arg-type]


def refused(code: str, status: int, headers: dict[str, str] | None = None) -> HttpResponseError:
    """A refusal as the SDKs' generated layers raise it: of a class by its status, without `error_code` yet.

    The clients of blobs and queues add `error_code`, and make some classes more precise.
    """
    answer = Answer(status, {"x-ms-error-code": code, **(headers or {})}, _REFUSALS.get(code, (0, code))[1])
    return _BY_STATUS.get(status, HttpResponseError)(response=answer)  # type: ignore[arg-type]


def as_generated(refusal: Refusal) -> HttpResponseError:
    """What the generated layers raise."""
    return refused(refusal.code, refusal.status)


def as_table_error(refusal: Refusal) -> HttpResponseError:
    """What `azure.data.tables` raises for a single operation."""
    kind = ResourceModifiedError if refusal.status == 412 else _BY_STATUS.get(refusal.status, HttpResponseError)
    message = f"{_REFUSALS[refusal.code][1]}\nErrorCode:{refusal.code}"
    return _with_code(kind(message, response=as_generated(refusal).response), TableErrorCode(refusal.code))


def as_transaction_error(refusal: Refusal) -> TableTransactionError:
    """What `azure.data.tables` raises for a transaction: the index leads the message, the code is plain text."""
    kind = RequestTooLargeError if refusal.code == "RequestBodyTooLarge" else TableTransactionError
    message = f"{refusal.index}:{_REFUSALS[refusal.code][1]}\nErrorCode:{refusal.code}"
    return _with_code(kind(message=message, response=as_generated(refusal).response), refusal.code)


def _with_code(error: E, code: str) -> E:
    """As the SDKs add it, undeclared."""
    error.__dict__.update(error_code=code, additional_info={})
    return error

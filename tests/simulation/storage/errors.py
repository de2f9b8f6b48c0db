"""What the services refuse, in the classes and with the codes that the SDKs raise.

Codes, status and text: learn.microsoft.com/rest/api/storageservices, "Blob", "Queue" and "Table service
error codes".
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
    "InvalidUri": (400, "The requested URI does not represent any resource on the server."),
    "InvalidXmlDocument": (400, "XML specified is not syntactically valid."),
    "MessageNotFound": (404, "The specified message does not exist."),
    "OutOfRangeInput": (400, "The specified resource name length is not within the permissible limits."),
    "OutOfRangeQueryParameterValue": (400, "A query parameter specified is outside the permissible range."),
    "PopReceiptMismatch": (400, "The specified pop receipt did not match that of a dequeued message."),
    "PropertyValueTooLarge": (400, "The property value exceeds the maximum allowed size (64KB)."),
    "QueueNotFound": (404, "The specified queue does not exist."),
    "RequestBodyTooLarge": (413, "The request body is too large and exceeds the maximum permissible limit."),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "TableAlreadyExists": (409, "The table specified already exists."),
    "TableNotFound": (404, "The table specified does not exist."),
    "UpdateConditionNotSatisfied": (412, "The update condition specified in the request was not satisfied."),
}


class Answer:
    """As much of an azure.core HTTP response as the SDKs read. It has no body: all is in the headers."""

    content_type: ClassVar[None] = None
    location_mode: ClassVar[str] = "primary"

    def __init__(self, status_code: int, headers: dict[str, str], reason: str = "") -> None:
        self.status_code = status_code
        self.headers = case_insensitive_dict(headers)
        self.reason = reason

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002 - the SDKs call it with one
        return ""


def answered(status_code: int, headers: dict[str, str] | None = None) -> PipelineResponse[Any, Any]:
    """An answer as the SDKs' deserializers take it."""
    return PipelineResponse(None, Answer(status_code, headers or {}), None)  # type: ignore[arg-type]


class Refusal(Exception):
    """A service's refusal, by its code; each client makes its own SDK's exception of it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.index = 0
        """In a transaction, which of its operations is refused."""


_BY_STATUS: dict[int, type[HttpResponseError]] = {
    304: ResourceNotModifiedError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
}


def refused(code: str, status: int = 0, headers: dict[str, str] | None = None) -> HttpResponseError:
    """As the SDKs' generated layers raise a refusal: the class by status, no `error_code` yet.

    The blob and queue clients add `error_code` to it, and may change its class. With `status`, any refusal:
    `refused("ServerBusy", 503, {"Retry-After": "10"})`.
    """
    known_status, message = _REFUSALS.get(code, (status, code))
    answer = Answer(status or known_status, {"x-ms-error-code": code, **(headers or {})}, message)
    return _BY_STATUS.get(answer.status_code, HttpResponseError)(response=answer)  # type: ignore[arg-type]


def refused_by_table(code: str) -> HttpResponseError:
    """As `azure.data.tables` raises a refusal of a single operation."""
    status, message = _REFUSALS[code]
    kind = ResourceModifiedError if status == 412 else _BY_STATUS.get(status, HttpResponseError)
    error = kind(f"{message}\nErrorCode:{code}", response=refused(code).response)
    return _with_code(error, TableErrorCode(code))


def refused_in_batch(code: str, index: int) -> TableTransactionError:
    """As `azure.data.tables` raises the refusal of a transaction: the index leads the message."""
    _, message = _REFUSALS[code]
    kind = RequestTooLargeError if code == "RequestBodyTooLarge" else TableTransactionError
    error = kind(message=f"{index}:{message}\nErrorCode:{code}", response=refused(code).response)
    return _with_code(error, code)


def _with_code(error: E, code: str) -> E:
    error.error_code = code  # type: ignore[attr-defined]  # the SDKs set it so, undeclared
    error.additional_info = {}  # type: ignore[attr-defined]
    return error

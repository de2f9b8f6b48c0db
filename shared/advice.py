"""What a person can do about each ErrorCode. docs/errors.md has a heading for each; a test compares the two."""

from shared.document import Document

_AGAIN = "Then upload the file again."

ADVICE = {
    # Before Read is asked
    "EmptyFile": "Upload the file again; the upload may have broken off.",
    "UnsafeName": "Rename the file: a part of its path is '.' or '..', which is not followed.",
    "SourceDeleted": "The file was deleted before it was submitted. Upload it again if it is to be read.",
    "BlobArchived": f"Move the blob to the hot or cool tier (rehydrate it). {_AGAIN}",
    "CustomerKey": f"The blob is encrypted with a key of your own, which this app does not have. Store it without. {_AGAIN}",
    "OptionNotSupported": f"Correct or remove the file's metadata, or set another READ_API_VERSION. {_AGAIN}",
    "SubmitCrashed": "Several attempts broke off while Read was taking the file in. Look into the function's log; then"
    " upload the file again. Each attempt may have been billed.",
    # What waiting can help
    "Throttled": "Nothing to do: it is tried again by itself. If this is frequent, raise the Read resource's quota or tier.",
    "Unreachable": "Check READ_ENDPOINT, and that the network lets this app reach it. It is tried again by itself.",
    "Unanswered": "Read took the file and did not answer; it is tried again by itself. The attempt may have been billed.",
    "ReadUnavailable": "Nothing to do: it is tried again by itself. See status.azure.com if it lasts.",
    "ReadServerError": "Read failed at it. It is tried ten times; then try the file in another format.",
    "CredentialsRefused": "Check READ_KEY against the resource's keys, and READ_ENDPOINT. It is tried again by itself.",
    "CredentialsUnavailable": "No Microsoft Entra token could be had. Set READ_KEY, or give the app a managed identity"
    " with the role Cognitive Services User. It is tried again by itself.",
    "AccessDenied": "Check the Read resource's firewall and quota, and that this app's identity has the role Cognitive"
    " Services User. It is tried again by itself.",
    "EndpointNotFound": "This resource does not speak {version}. If it is Document Intelligence, set"
    " READ_API_VERSION=2024-11-30. Otherwise check READ_ENDPOINT. It is tried again by itself.",
    "NotReadsAnswer": "Something else than Read answers at READ_ENDPOINT, such as a proxy or a sign-in page. Check"
    " READ_ENDPOINT and the network. It is tried again by itself.",
    # The file
    "InvalidImage": f"The file is damaged, protected by a password, or of a type that Read does not take. {_AGAIN}",
    "UnsupportedImageFormat": "Read {version} takes JPEG, PNG, BMP, TIFF and PDF. Convert the file. " + _AGAIN,
    "InvalidImageSize": f"The file is too large for Read, or for its pricing tier (4 MB on the free one). Split or shrink it. {_AGAIN}",
    "InvalidImageDimension": f"Read takes images of 50 × 50 to 10,000 × 10,000 pixels. Resize it. {_AGAIN}",
    # The operation
    "OperationUrlRefused": "READ_ENDPOINT answers with an operation that is not one of Read's; the key was not sent there. Check READ_ENDPOINT.",
    "OperationExpired": "Read no longer knew the operation. If it failed a second time, upload the file again.",
    "OperationTimedOut": "Read took longer than READ_GIVE_UP_AFTER. Split the file, or raise that setting, and upload it again.",
    "ProcessingFailed": "Look into the function's log for the error; then read the document again.",
    "ResultNotUnderstood": "Read's JSON is in the output blob; its shape is not that of READ_API_VERSION. Check that setting.",
}  # fmt: skip

GENERAL = "Look up this code in Read's documentation; correct the file and upload it again."


def advice_for(code: str, message: str, document: Document) -> str:
    """The advice for an error code, or the general one for a code that Read gave and nobody here knows."""
    del message
    return ADVICE.get(code, GENERAL).replace("{version}", document.api_version or "this version")

"""What a request can be refused for: RFC 9457 problems, each with a code and with advice."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from web.schema import Field

MEDIA_TYPE = "application/problem+json"

_KINDS = (
    ("InvalidParameter", 400, "Correct the parameter that the detail names; the OpenAPI document gives its form."),
    ("InvalidBody", 400, "Send one JSON object in UTF-8, with the parameters as its members."),
    ("InvalidContinuation", 400, "Take the continuation from the nextLink of the answer before, unchanged, or begin again without one."),
    ("NotInInbox", 400, "Use a name that begins with the app's INPUT_PREFIX: this app reads no other files."),
    ("UnsafeName", 400, "Rename the file: a part of its path is '.' or '..', which is not followed, or it has a character that Azurite cannot list."),
    ("AuthenticationRequired", 401, "Sign in: this app is protected by App Service authentication. Or send a function key in x-functions-key, where the app asks for one."),
    ("NotProtected", 403, "Turn on App Service authentication, or let the host ask for function keys; in Azure this app serves no data without either."),
    ("DocumentNotFound", 404, "Check the name, letter by letter; documents are listed at /api/documents. A file that was just uploaded appears within seconds, or minutes where the app was idle."),
    ("PageNotFound", 404, "Ask for a page from 1 to the document's pageCount; with the option 'pages', only those were read."),
    ("FileNotFound", 404, "Check the address; the page is at /api/."),
    ("SourceNotFound", 404, "The file is not in the input container any more. Upload it again if it is needed."),
    ("AlreadyBeingRead", 409, "Nothing to do: the document is being read. Its status is at Operation-Location."),
    ("NotRead", 409, "Wait until the document's status is succeeded; where it is failed, its own advice says what to do."),
    ("Busy", 409, "Others are changing this document just now. Try again in some seconds."),
    ("SourceChanged", 409, "The file was overwritten since it was read. Wait until the newer version is read, then ask again."),
    ("BodyTooLarge", 413, "Send the parameters alone. Files are not sent here: ask for a link at /api/uploads, and send the file there."),
    ("UnsupportedMediaType", 415, "Send the parameters as application/json."),
    ("PageNotDrawable", 422, "Show the page's text without a picture; the file itself can be had at /api/links."),
    ("TooManyDrawings", 429, "Ask for fewer page images at a time, and again in a second."),
    ("InternalError", 500, "Try again; if it lasts, look into the function's log for the error."),
    ("LinksUnavailable", 503, "Storage gives nothing to sign links with. Give the app's identity the role Storage Blob Delegator, or DocumentStorage a connection string with an account key."),
    ("StorageUnavailable", 503, "Try again in some seconds; see status.azure.com if it lasts, and check what /api/check says."),
)  # fmt: skip

STATUS: Mapping[str, int] = {code: status for code, status, _ in _KINDS}
ADVICE: Mapping[str, str] = {code: advice for code, _, advice in _KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemBody:
    """Why a request was refused (RFC 9457, problem details)."""

    type: Annotated[str, Field("Always about:blank: the code tells the kind.")] = "about:blank"
    title: Annotated[str, Field("The HTTP status in words.")]
    status: Annotated[int, Field("The HTTP status.")]
    detail: Annotated[str, Field("What is wrong with this request.")]
    code: Annotated[str, Field("The kind of problem; the header x-ms-error-code has it too.", enum=sorted(STATUS))]
    advice: Annotated[str, Field("What to do about it.")]


class Problem(Exception):
    """A request is refused. ``code`` is one of STATUS."""

    def __init__(
        self, code: str, detail: str, *, advice: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self._advice = advice

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]

    @property
    def body(self) -> ProblemBody:
        """What is sent."""
        return ProblemBody(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            code=self.code,
            advice=self._advice or ADVICE[self.code],
        )

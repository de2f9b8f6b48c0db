"""Why a request can be refused: RFC 9457 problems, each with a code and advice."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from web.schema import Field

MEDIA_TYPE = "application/problem+json"

_KINDS = (
    ("InvalidParameter", 400, "Correct the parameter that the detail names. The OpenAPI document describes it."),
    ("InvalidBody", 400, "Send one JSON object in UTF-8, with the parameters as its members."),
    ("InvalidContinuation", 400, "Use the continuation of the previous answer, unchanged, or start again without one."),
    ("NotInInbox", 400, "Use a name that starts with the app's INPUT_PREFIX. This app reads no other files."),
    ("UnsafeName", 400, "Rename the file. No part of its path may be '.' or '..', and Azurite cannot list some characters."),
    ("AuthenticationRequired", 401, "Sign in, since App Service authentication protects this app. If the app asks for a function key, send it in x-functions-key."),
    ("NotProtected", 403, "Turn on App Service authentication, or let the host ask for function keys. In Azure, this app serves no data without one of them."),
    ("DocumentNotFound", 404, "Check the spelling of the name; /api/documents lists all documents. A new file appears within seconds, or minutes if the app was idle."),
    ("PageNotFound", 404, "Ask for a page from 1 to the document's pageCount. If the option 'pages' was set, only those pages were read."),
    ("FileNotFound", 404, "Check the address. The page is at /api/."),
    ("SourceNotFound", 404, "The file is no longer in the input container. Upload it again if you need it."),
    ("AlreadyBeingRead", 409, "There is nothing to do: the document is being read. See its status at Operation-Location."),
    ("NotRead", 409, "Wait until the document's status is succeeded. If it is failed, follow the document's own advice."),
    ("Busy", 409, "Something else is changing this document. Try again in a few seconds."),
    ("SourceChanged", 409, "The file was overwritten after it was read. Wait until the new version is read, then ask again."),
    ("BodyTooLarge", 413, "Send only the parameters. To upload a file, ask for a link at /api/uploads and send the file to it."),
    ("UnsupportedMediaType", 415, "Send the parameters as application/json."),
    ("PageNotDrawable", 422, "Show the page's text without an image. /api/links has a link to the file."),
    ("TooManyDrawings", 429, "Wait a second, then ask for fewer page images at a time."),
    ("InternalError", 500, "Try again. If it keeps failing, look for the error in the function's log."),
    ("LinksUnavailable", 503, "The app cannot sign links. Give its identity the role Storage Blob Delegator, or use a connection string with an account key in DocumentStorage."),
    ("StorageUnavailable", 503, "Try again in a few seconds. If it keeps failing, see /api/check and status.azure.com."),
)  # fmt: skip

STATUS: Mapping[str, int] = {code: status for code, status, _ in _KINDS}
ADVICE: Mapping[str, str] = {code: advice for code, _, advice in _KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemBody:
    """Why a request was refused (RFC 9457, problem details)."""

    type: Annotated[str, Field("Always about:blank; the code says which kind of problem it is.")] = "about:blank"
    title: Annotated[str, Field("The HTTP status in words.")]
    status: Annotated[int, Field("The HTTP status.")]
    detail: Annotated[str, Field("What is wrong with this request.")]
    code: Annotated[str, Field("The kind of problem, as in the header x-ms-error-code.", enum=sorted(STATUS))]
    advice: Annotated[str, Field("What to do about it.")]


class Problem(Exception):
    """A request is refused. ``code`` is a key of STATUS."""

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
        """The body of the response."""
        return ProblemBody(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            code=self.code,
            advice=self._advice or ADVICE[self.code],
        )

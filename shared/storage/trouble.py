"""What an error of storage means for a document: something to wait for, or an error of our own."""

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.errors import InputContainerMissing
from shared.settings import Settings
from shared.storage.codes import error_code

_OURS = frozenset({400, 405, 411, 413, 414, 416})
"""HTTP statuses of a request that storage does not take: the same request is refused for ever."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_PASSING_CODES = frozenset({"TableBeingDeleted", "QueueBeingDeleted", "ContainerBeingDeleted", "ServerBusy"})
_ROLES = {
    "container": "Storage Blob Data Contributor",
    "queue": "Storage Queue Data Contributor",
    "table": "Storage Table Data Contributor",
}


def storage_trouble(error: Exception, settings: Settings) -> tuple[str, str] | None:
    """The code, ``StorageUnavailable`` or ``StorageRefused``, and a message that names place and role.

    None for an error that is not storage's, or that no waiting helps.
    """
    if isinstance(error, InputContainerMissing):
        return "StorageRefused", str(error)
    if not isinstance(error, AzureError):
        return None
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return "StorageRefused", f"No credential for storage could be had ({type(error).__name__})."
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return "StorageUnavailable", f"Storage was not reached ({type(error).__name__})."
    kind, place = _place(error, settings)
    said = f"HTTP {error.status_code} {error_code(error) or ''}".strip()
    if error.status_code in _PASSING or error_code(error) in _PASSING_CODES:
        return "StorageUnavailable", f"Storage answered {said} for the {kind} {place}."
    if error.status_code in _OURS:
        return None
    return (
        "StorageRefused",
        f"Storage answered {said} for the {kind} {place}, which takes the role {_ROLES[kind]}.",
    )


def _place(error: HttpResponseError, settings: Settings) -> tuple[str, str]:
    """The kind and the name of what was asked for, from the request's path; a batch's path names no table."""
    request = getattr(error.response, "request", None)
    path = str(getattr(request, "url", "")).split("?", 1)[0]
    segments = [segment.split("(")[0] for segment in path.split("/")[3:]]
    names = {
        settings.input_container: "container",
        settings.output_container: "container",
        settings.read_queue: "queue",
        settings.documents_table: "table",
        settings.lines_table: "table",
    }
    if settings.done_queue:
        names[settings.done_queue] = "queue"
    for segment in segments[:2]:  # Azurite puts the account first
        if segment in names:
            return names[segment], segment
    if "$batch" in segments[:2] or "Tables" in segments[:2]:
        return "table", f"{settings.documents_table} or {settings.lines_table}"
    return "container", segments[0] if segments else "?"

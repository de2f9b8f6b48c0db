"""What an error from storage means for a document: something to wait for, or an error of the app itself."""

from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.connection_string import services
from shared.errors import InputContainerMissing
from shared.settings import Settings
from shared.storage.codes import error_code

_OURS = frozenset({400, 405, 411, 413, 414, 416})
"""HTTP statuses of a request that is wrong itself, so that storage would always refuse it."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_PASSING_CODES = frozenset({"TableBeingDeleted", "QueueBeingDeleted", "ContainerBeingDeleted", "ServerBusy"})
_HOLDS = {"blob": "container", "queue": "queue", "table": "table"}
ROLES = {
    "container": "Storage Blob Data Contributor",
    "queue": "Storage Queue Data Contributor",
    "table": "Storage Table Data Contributor",
}


def storage_trouble(error: Exception, settings: Settings) -> tuple[str, str] | None:
    """The code, ``StorageUnavailable`` or ``StorageRefused``, and a message that names the place and the role.

    None for an error that is not from storage, or for which waiting is no help.
    """
    if isinstance(error, InputContainerMissing):
        return "StorageRefused", str(error)
    if not isinstance(error, AzureError):
        return None
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return "StorageRefused", f"The app got no credential for storage ({type(error).__name__})."
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return "StorageUnavailable", f"Storage was not reached ({type(error).__name__})."
    code = error_code(error)
    kind, place = _place(error, settings)
    where = f" for the {kind} {place}" if place else f" for a {kind}" if kind else ""
    said = f"Storage answered HTTP {error.status_code} {code}".strip() + where
    if error.status_code in _PASSING or code in _PASSING_CODES:
        return "StorageUnavailable", f"{said}."
    if error.status_code < 400:  # the SDK could not read the answer: it is a proxy's, or a sign-in page
        return "StorageUnavailable", f"{said}, but the answer is not storage's own."
    if error.status_code in _OURS:
        # Storage gives a code with each refusal. A proxy or a gateway on the way does not.
        return None if code else ("StorageUnavailable", f"{said}, without a code of storage's.")
    role = ROLES.get(kind) if error.status_code in (401, 403) else None
    return "StorageRefused", f"{said}. The app needs the role {role} there." if role else f"{said}."


def _place(error: HttpResponseError, settings: Settings) -> tuple[str, str]:
    """The kind and the name of the container, queue or table that the request's URL names. Empty if it names none.

    The path of a batch names no table.
    """
    request = getattr(error.response, "request", None)
    host, *path = str(getattr(request, "url", "")).split("?", 1)[0].partition("//")[2].split("/")
    segments = [segment.split("(")[0] for segment in path[:2]]  # Azurite puts the account first
    names: dict[str, tuple[str | None, ...]] = {
        "container": (settings.input_container, settings.output_container),
        "queue": (settings.read_queue, settings.done_queue),
        "table": (settings.documents_table, settings.lines_table),
    }
    kind = _kind(host, settings)
    for each in [kind] if kind else names:  # a table and a container may have the same name
        for segment in segments:
            if segment in names[each]:
                return each, segment
    if "$batch" in segments or "Tables" in segments:
        return "table", f"{settings.documents_table} or {settings.lines_table}"
    return kind, ""


def _kind(host: str, settings: Settings) -> str:
    """The kind of place that a host has: container, queue or table. Empty if neither host nor settings say."""
    storage = settings.storage
    urls = dict(services(storage.connection_string or ""))
    given = (storage.blob_url, storage.queue_url, storage.table_url)
    for (service, kind), url in zip(_HOLDS.items(), given, strict=True):
        if host == urlsplit(url or urls.get(service, "")).netloc or host.split(".")[1:2] == [service]:
            return kind
    return ""

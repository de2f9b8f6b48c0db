"""Whether everything is set up: the Read service, and each container, table and queue, tried one after another.

Nothing is changed and nothing is billed. Read is asked about an operation that does not exist: the answer that there is
no such operation shows that endpoint, key and version are right. To see whether storage may be written, a blob, a row
and a message that do not exist are deleted: storage checks the permission before it looks for them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from posixpath import normpath
from uuid import uuid4

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from shared.advice import BY_ITSELF, advice_for
from shared.assembly import Services
from shared.clouds import cloud_of_read
from shared.document import Document, Status
from shared.read.answers import Retryable
from shared.read.generation import Generation, NotOurOperation
from shared.settings import Settings, SettingsError, from_environment
from shared.storage.codes import error_code
from shared.storage.connection import blob_service, queue_service, table_service
from shared.storage.trouble import ROLES

SETTINGS = "app settings"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: whether it is right, what was found, and what to do if it is not."""

    name: str
    ok: bool
    message: str
    advice: str | None = None


def check_settings(environ: Mapping[str, str], host_json: str | bytes) -> tuple[Settings | None, Finding]:
    """Read the app settings. None if one is missing or wrong; the finding names it."""
    try:
        settings = from_environment(environ, host_json)
    except SettingsError as error:
        return None, Finding(SETTINGS, False, str(error), "Correct this setting; in Azure, the app restarts by itself.")
    return settings, settings_are_right(settings)


def settings_are_right(settings: Settings) -> Finding:
    """The finding about settings that are valid."""
    read = f"{settings.input_container}/{settings.input_prefix}"
    message = f"Files in {read} are read by {settings.generation.service}, {settings.generation.version}."
    return Finding(SETTINGS, True, message, settings.notice)


def check(services: Services) -> Iterator[Finding]:
    """Check Read and storage, with the identity of ``services``. What cannot be known counts as wrong."""
    yield from check_read(services)
    yield from check_storage(services)


# Read

_ENDPOINT, _CREDENTIAL, _VERSION = range(3)
_WRONG = {
    "Unreachable": _ENDPOINT,
    "NotReadsAnswer": _ENDPOINT,
    "CredentialsRefused": _CREDENTIAL,
    "CredentialsUnavailable": _CREDENTIAL,
    "RegionalEndpoint": _CREDENTIAL,
    "RoleMissing": _CREDENTIAL,
    "KeysDisabled": _CREDENTIAL,
    "FirewallRefused": _CREDENTIAL,
    "AccessDenied": _CREDENTIAL,
    "EndpointNotFound": _VERSION,
}
"""Which setting is wrong, by the code of Read's answer."""
_BUSY = frozenset({"Throttled", "QuotaExhausted", "ReadUnavailable", "ReadServerError"})


def check_read(services: Services) -> Iterator[Finding]:
    """Check the endpoint, the key or identity, and the version with one GET."""
    settings = services.settings
    generation = settings.generation
    answer = services.read.poll(f"{settings.read_endpoint}{made_up_operation(generation)}")
    names = "Read endpoint", "Read key" if settings.read_key else "Read identity", "Read version"
    if not isinstance(answer, Retryable) or answer.code not in _WRONG:
        busy = ""
        if isinstance(answer, Retryable) and answer.code in _BUSY:
            busy = f" It is busy just now: {answer.code}. {answer.message}"
        signed = "Read accepts it."
        if not settings.read_key and cloud_of_read(settings.read_endpoint) is None:
            signed = "No key is set, and Read asks for none."
        messages = f"{settings.read_endpoint} answers.{busy}", signed, f"Read speaks {generation.version}."
        notice = generation.notice
        for name, message in zip(names, messages, strict=True):
            yield Finding(name, True, message, notice if name == "Read version" else None)
        return
    at = _WRONG[answer.code]
    about = Document(name="", status=Status.WAITING, api_version=generation.version)
    advice = advice_for(answer.code, answer.message, about).replace(BY_ITSELF, "").strip()
    for number, name in enumerate(names):
        if number < at:
            yield Finding(
                name, True, f"{settings.read_endpoint} answers." if number == _ENDPOINT else "Read accepts it."
            )
        elif number == at:
            yield Finding(name, False, f"{answer.code}: {answer.message}", advice)
        else:
            yield Finding(name, False, f"Not known until the {names[at].lower().replace('read', 'Read')} is right.")


def made_up_operation(generation: Generation) -> str:
    """Path and query of an operation that does not exist, in this generation's form."""
    query = f"?api-version={generation.api_version}" if generation.api_version else ""
    folder, _, _ = generation.analyze.rpartition("/")
    resource, _, _ = generation.analyze.partition(":")
    for results in (f"{resource}/analyzeResults", f"{folder}/analyzeResults", f"{folder}/../operations"):
        with suppress(NotOurOperation):
            return generation.operation_path(f"{normpath(results)}/{uuid4()}{query}")
    raise AssertionError(f"Read {generation.version} has operations at none of the known paths")


# Storage


def check_storage(services: Services) -> Iterator[Finding]:
    """Check whether each container, table and queue exists, and may be read and written."""
    settings = services.settings
    blobs = blob_service(settings.storage)
    create = f"Create the container {settings.input_container}, or set INPUT_CONTAINER to the one that has the files."
    yield _container(blobs.get_container_client(settings.input_container), missing=create)
    yield _container(blobs.get_container_client(settings.output_container))
    tables = table_service(settings.storage)
    yield from (_table(tables.get_table_client(name)) for name in (settings.documents_table, settings.lines_table))
    queues = queue_service(settings.storage)
    for name in filter(None, (settings.read_queue, settings.done_queue)):
        yield _queue(queues.get_queue_client(name))
    if settings.submit_by == "url":
        yield _link(services)


def _container(client: ContainerClient, missing: str | None = None) -> Finding:
    return _tried(
        "container",
        client.container_name,
        client.get_container_properties,
        lambda: client.delete_blob(_nobody()),
        missing=missing,
    )


def _table(client: TableClient) -> Finding:
    return _tried(
        "table",
        client.table_name,
        lambda: next(iter(client.query_entities("", select=["RowKey"], results_per_page=1)), None),
        lambda: client.delete_entity(_nobody(), _nobody()),
    )


def _queue(client: QueueClient) -> Finding:
    return _tried(
        "queue",
        client.queue_name,
        lambda: client.peek_messages(max_messages=1),
        lambda: client.delete_message(str(uuid4()), "AgAAAAMAAAAAAAAAAAAAAAAAAAA="),
    )


def _nobody() -> str:
    """A key or a name that does not exist."""
    return f"~check-{uuid4()}"


def _tried(
    kind: str, called: str, read: Callable[[], object], write: Callable[[], object], *, missing: str | None = None
) -> Finding:
    """Read a container, table or queue, and try to delete something that is not in it.

    ``missing`` is the advice where it does not exist, but should.
    """
    name = f"{kind} {called}"
    there = True
    for how, call in (("read", read), ("written", write)):
        try:
            call()
        except HttpResponseError as error:
            if error.status_code == 404 and how == "read":
                there = False
            if not (error.status_code == 404 or (error.status_code == 400 and how == "written")):
                return _refused(name, ROLES[kind], how, error)
        except AzureError as error:
            return Finding(
                name,
                False,
                f"Storage was not reached ({type(error).__name__}).",
                "Check the setting DocumentStorage, and that the network lets this machine reach the account.",
            )
    if there:
        return Finding(name, True, "It exists, and can be read and written.")
    if missing:
        return Finding(name, False, "It does not exist.", missing)
    return Finding(name, True, "It does not exist yet. The app creates it when it first stores something in it.")


_KEY = "Check the key or signature in the setting DocumentStorage against the account's: it may have been renewed."
_CODES = {
    "AuthenticationFailed": _KEY,
    "InvalidAuthenticationInfo": _KEY,
    "AuthorizationFailure": "The account's firewall keeps this machine out. Admit its network.",
    "KeyBasedAuthenticationNotPermitted": "The account takes no keys. Use an identity: set DocumentStorage__accountName"
    " in place of DocumentStorage.",
    "AccountIsDisabled": "The storage account is disabled. Look at it in the Azure portal.",
}


def _refused(name: str, role: str, how: str, error: HttpResponseError) -> Finding:
    """The finding for a call that storage refused."""
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return Finding(
            name,
            False,
            "The app got no credential for storage.",
            "Sign in with `az login`; in Azure, give the app a managed identity.",
        )
    code = error_code(error)
    advice = _CODES.get(code)
    if advice is None and error.status_code in (401, 403):
        advice = f"Give this identity the role {role} on the storage account; it takes some minutes to hold."
    told = f"HTTP {error.status_code} {code}".strip()
    return Finding(name, False, f"It cannot be {how}: {told}.", advice or "See status.azure.com if it lasts.")


def _link(services: Services) -> Finding:
    """Check whether a link for SUBMIT_BY=url can be signed."""
    name = "link for Read (SUBMIT_BY=url)"
    if services.links is None:
        return Finding(name, True, "Read cannot reach storage on this machine, so files are sent to it.")
    if services.links.to("check") is not None:
        return Finding(name, True, "It can be signed.")
    return Finding(
        name,
        False,
        "It cannot be signed, so files are sent to Read.",
        "Give this identity the role Storage Blob Delegator on the storage account, or set SUBMIT_BY=content.",
    )

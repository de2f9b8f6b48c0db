"""The storage that a command works on, and the app settings that name what is in it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from cli.errors import CommandError
from cli.settings import CONNECTION, host_json
from shared.assembly import Services, build, build_library
from shared.clouds import cloud_of_authority
from shared.library import Library
from shared.settings import Settings, SettingsError, from_environment

NO_READ_ENDPOINT = "https://read.invalid"
"""A placeholder for commands that do not call Read: the app's settings are not valid without an endpoint."""

READING = "Storage Blob Data Reader and Storage Table Data Reader"
CHANGING = "Storage Blob Data Contributor, Storage Queue Data Contributor and Storage Table Data Contributor"

_SERVICES = ("blob", "queue", "table")


class App:
    """What a command works with: the app's settings, its stored data, and its own services.

    ``environ`` is the app settings, including the connection to storage. ``runs`` says whether the app is known to
    run; ``program`` is the name of this program in texts. Tests pass in ``services``.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        runs: bool = True,
        program: str = "dev.py",
        services: Services | None = None,
    ) -> None:
        self.environ = environ
        self.runs = runs
        self.program = program
        self._services = services

    @cached_property
    def settings(self) -> Settings:
        """The settings, read as the app reads them. Raises CommandError for one that is missing or wrong."""
        if self._services:
            return self._services.settings
        return parsed({**self.environ, "READ_ENDPOINT": self.environ.get("READ_ENDPOINT") or NO_READ_ENDPOINT})

    @cached_property
    def library(self) -> Library:
        """The read side."""
        return build_library(self.settings)

    @cached_property
    def services(self) -> Services:
        """What the app itself works with."""
        return self._services or build(self.settings)


def parsed(settings: Mapping[str, str]) -> Settings:
    """App settings, read as the app reads them. Raises CommandError."""
    try:
        return from_environment(settings, host_json())
    except SettingsError as error:
        raise CommandError(str(error)) from None


def pointed_to(storage: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, with the connection to the storage that ``--storage`` names.

    ``storage`` is an account's name, the URL of one of its services (with a SAS in its query, if need be), a connection
    string, or the name of a connection among the settings. Raises CommandError.
    """
    others = {name: value for name, value in settings.items() if not name.startswith(CONNECTION)}
    return {**others, **_connection(storage.strip(), settings)}


def _connection(storage: str, settings: Mapping[str, str]) -> dict[str, str]:
    named = {
        CONNECTION + name.removeprefix(storage): value
        for name, value in settings.items()
        if name == storage or name.startswith(f"{storage}__")
    }
    if storage and named and ("=" in named.get(CONNECTION, "=")):
        return named
    if storage.startswith(("https://", "http://")):
        return _of_url(storage)
    if "=" in storage:
        return {CONNECTION: storage}
    if re.fullmatch(r"[a-z0-9]{3,24}", storage):
        suffix = cloud_of_authority(settings.get("AZURE_AUTHORITY_HOST")).storage_hosts[0]
        return {f"{CONNECTION}__{each}ServiceUri": f"https://{storage}.{each}{suffix}" for each in _SERVICES} | _client(
            settings
        )
    raise CommandError(
        f"--storage {storage!r} is not a storage account's name (3 to 24 of a-z and 0-9), nor the URL of one of its"
        " services (https://ACCOUNT.blob.core.windows.net), nor a connection string, nor the name of an app setting"
        " that holds one."
    )


def _of_url(url: str) -> dict[str, str]:
    """The connection of an account, by the URL of one of its services."""
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")
    at = next((at for at, label in enumerate(labels) if at and label in (*_SERVICES, "file", "dfs", "web")), None)
    if at is None:
        raise CommandError(
            f"--storage {parts.scheme}://{parts.hostname} is not the URL of a service of a storage account, such as"
            " https://ACCOUNT.blob.core.windows.net. For any other, give a connection string."
        )
    port = f":{parts.port}" if parts.port else ""
    urls = {each: f"{parts.scheme}://{'.'.join([*labels[:at], each, *labels[at + 1 :]])}{port}" for each in _SERVICES}
    if parts.query:
        endpoints = ";".join(f"{each.capitalize()}Endpoint={url}" for each, url in urls.items())
        return {CONNECTION: f"{endpoints};SharedAccessSignature={parts.query}"}
    return {f"{CONNECTION}__{each}ServiceUri": url for each, url in urls.items()}


def _client(settings: Mapping[str, str]) -> dict[str, str]:
    """The identity that the settings name for storage; a machine in Azure may have several."""
    name = f"{CONNECTION}__clientId"
    return {name: settings[name]} if settings.get(name) else {}


@contextmanager
def explained(roles: str = READING) -> Iterator[None]:
    """Turn an error of storage into a CommandError of one sentence. ``roles`` are the ones that the command needs."""
    try:
        yield
    except ClientAuthenticationError as error:
        raise CommandError(
            f"Azure did not let you in: sign in with `az login`, and have the roles {roles} on the storage account."
            f" ({first_line(error)})"
        ) from error
    except HttpResponseError as error:
        hint = f" You need the roles {roles} on the storage account." if error.status_code == 403 else ""
        raise CommandError(f"Storage refused: {first_line(error)}{hint}") from error
    except AzureError as error:
        raise CommandError(f"Storage was not reached: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error says, without the request ids that storage adds."""
    return str(getattr(error, "message", error)).partition("\n")[0]

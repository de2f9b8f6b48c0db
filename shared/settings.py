"""App settings, read once at start into one frozen object. A missing or wrong one is named before anything runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from shared import connection_string, host_json
from shared.keys import is_unsafe
from shared.quota.rate import Rate
from shared.read.generation import Generation, ReadOptions, UnsupportedOption
from shared.read.generations import UnknownGeneration, generation
from shared.schedule import LONGEST_POLL_DELAY


class SettingsError(Exception):
    """An app setting is missing or wrong. Its text names the setting and the form it should have."""


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """Where a storage account is: a connection string, or a URL for each service and an identity."""

    connection_string: str | None = None
    blob_url: str | None = None
    queue_url: str | None = None
    table_url: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All app settings. docs/settings.md says what each of them means."""

    storage: StorageConnection
    input_container: str
    input_prefix: str
    output_container: str
    read_queue: str
    documents_table: str
    lines_table: str
    done_queue: str | None
    read_endpoint: str
    read_key: str | None
    generation: Generation
    read_options: ReadOptions
    read_files_from: datetime | None
    read_rate: Rate
    give_up_after: timedelta
    longest_poll_delay: timedelta
    claim_length: timedelta
    submit_by: str
    find_missed_schedule: str | None
    delete_with_source: bool
    blob_trigger_source: str

    @property
    def trigger_path(self) -> str:
        """The blob trigger's path pattern, e.g. ``inbox/{name}``; the input prefix is part of the blob's name."""
        return f"{self.input_container}/{self.input_prefix}{{name}}"

    @property
    def notice(self) -> str | None:
        """A note about a setting that is possible, but perhaps a mistake."""
        prefix, container = self.input_prefix, self.input_container
        if not prefix.startswith(f"{container}/"):
            return None
        return (
            f"INPUT_PREFIX begins with the container's own name, so only files in {container}/{prefix} are read."
            f" A prefix is a folder within the container: leave {container}/ out of it if that is not meant."
        )

    def reads(self, container: str, name: str) -> bool:
        """Whether a blob is where files are dropped. Event Grid does not filter its events by the trigger's path."""
        return container == self.input_container and name.startswith(self.input_prefix)

    def options_for(self, metadata: Mapping[str, str]) -> ReadOptions:
        """The read options of one document: each comes from the blob's own metadata, else from the settings."""
        return replace(
            self.read_options, **{name: metadata[name] for name in ReadOptions.names() if metadata.get(name)}
        )


def from_environment(environ: Mapping[str, str], host_file: str | bytes = "{}") -> Settings:
    """Read every setting.

    ``host_file`` is the content of host.json: a claim must be longer than any run of a function (``functionTimeout``),
    and the app's own messages are base64 (``messageEncoding``).

    Raises SettingsError for the first setting that is missing or wrong.
    """
    _refuse_unresolved(environ)
    function_timeout = _function_timeout(environ, host_file)
    input_container = _named(environ, "INPUT_CONTAINER", "inbox", "container")
    output_container = _named(environ, "OUTPUT_CONTAINER", "results", "container")
    if input_container == output_container:
        raise SettingsError(
            f"OUTPUT_CONTAINER is {output_container!r}, which is also INPUT_CONTAINER: the app would read its own"
            " output for ever. Name another container."
        )
    api_version = environ.get("READ_API_VERSION") or "v3.2"
    try:
        chosen = generation(api_version)
        options = ReadOptions(**{name: environ.get(f"READ_{name.upper()}") or None for name in ReadOptions.names()})
        chosen.query(options)
    except UnknownGeneration as error:
        raise SettingsError(f"READ_API_VERSION: {error}") from None
    except UnsupportedOption as error:
        raise SettingsError(f"READ_{error.option.upper()}: {error}") from None
    documents_table = _table(environ, "DOCUMENTS_TABLE", "documents")
    lines_table = _table(environ, "LINES_TABLE", "lines")
    if documents_table.lower() == lines_table.lower():
        raise SettingsError(f"LINES_TABLE is {lines_table!r}, which is also DOCUMENTS_TABLE. Name another table.")
    return Settings(
        storage=_storage(environ, "DocumentStorage"),
        input_container=input_container,
        input_prefix=_prefix(environ),
        output_container=output_container,
        read_queue=_read_queue(environ),
        documents_table=documents_table,
        lines_table=lines_table,
        done_queue=_done_queue(environ),
        read_endpoint=_endpoint(environ),
        read_key=_key(environ),
        generation=chosen,
        read_options=options,
        read_files_from=_time(environ, "READ_FILES_FROM"),
        read_rate=_rate(environ, chosen),
        give_up_after=_duration("READ_GIVE_UP_AFTER", environ.get("READ_GIVE_UP_AFTER") or "06:00:00"),
        longest_poll_delay=_duration(
            "READ_LONGEST_POLL_DELAY", environ.get("READ_LONGEST_POLL_DELAY") or f"00:{LONGEST_POLL_DELAY // 60:02}:00"
        ),
        claim_length=function_timeout * 1.1,
        submit_by=_choice(environ, "SUBMIT_BY", "content", ("content", "url")),
        find_missed_schedule=_schedule(environ),
        delete_with_source=_choice(environ, "DELETE_WITH_SOURCE", "false", ("false", "true")) == "true",
        blob_trigger_source=_choice(
            environ, "BLOB_TRIGGER_SOURCE", "LogsAndContainerScan", ("LogsAndContainerScan", "EventGrid")
        ),
    )


def _storage(environ: Mapping[str, str], name: str) -> StorageConnection:
    """Resolve a connection as the Functions host does: a string, else identity-based settings after ``__``."""
    if value := environ.get(name):
        try:
            return StorageConnection(connection_string=connection_string.checked(value))
        except ValueError as error:
            raise SettingsError(
                f"{name} is not a connection string that works (DefaultEndpointsProtocol=https;AccountName=…;"
                f"AccountKey=…): {error}."
            ) from None
    account = environ.get(f"{name}__accountName")
    if account and not re.fullmatch(r"[a-z0-9]{3,24}", account):
        raise SettingsError(f"{name}__accountName is not a storage account's name (3 to 24 of a-z and 0-9).")
    urls: dict[str, str] = {}
    for service in ("blob", "queue", "table"):
        key = f"{name}__{service}ServiceUri"
        url = environ.get(key) or (f"https://{account}.{service}.core.windows.net" if account else None)
        if not url:
            raise SettingsError(
                f"{name} is not set. Give it a storage account's connection string (UseDevelopmentStorage=true for"
                f" Azurite), or {name}__accountName, or {name}__blobServiceUri, __queueServiceUri, __tableServiceUri."
            )
        if urlsplit(url).scheme != "https":
            raise SettingsError(f"{key} must be an https URL, such as https://ACCOUNT.{service}.core.windows.net.")
        urls[f"{service}_url"] = url.rstrip("/")
    return StorageConnection(client_id=environ.get(f"{name}__clientId") or None, **urls)


def _endpoint(environ: Mapping[str, str]) -> str:
    value = (environ.get("READ_ENDPOINT") or "").strip().rstrip("/")
    form = "a URL such as https://NAME.cognitiveservices.azure.com, or http://localhost:5000 for a container"
    if not value:
        raise SettingsError(f"READ_ENDPOINT is not set. Give it {form}.")
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises ValueError if the port is not a number
    except ValueError:
        raise SettingsError(f"READ_ENDPOINT is not a URL. Give it {form}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"READ_ENDPOINT is not an http(s) URL. Give it {form}.")
    if parts.query or parts.fragment or parts.username is not None:
        raise SettingsError(f"READ_ENDPOINT must have no query, fragment or user name. Give it {form}.")
    if re.search(r"/(vision|formrecognizer|documentintelligence|computervision)(/|$)", parts.path):
        raise SettingsError(
            f"READ_ENDPOINT ends in a path that the app adds itself. Give it the resource's endpoint only, {form}."
        )
    return value


def _refuse_unresolved(environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        if re.match(r"\s*@Microsoft\.(KeyVault|AppConfiguration)\(", value, re.IGNORECASE):
            raise SettingsError(
                f"{name} is a Key Vault or App Configuration reference that was not resolved, so the app would take its"
                " text for the value. See the setting's status in the portal: the app's identity needs the role Key"
                " Vault Secrets User (or App Configuration Data Reader), and a way through the vault's firewall."
            )


def _prefix(environ: Mapping[str, str]) -> str:
    value = environ.get("INPUT_PREFIX", "").strip("/")
    if re.search(r"[%{}\\\x00-\x1f\x7f]", value) or is_unsafe(value):
        raise SettingsError(
            f"INPUT_PREFIX is {value!r}: it is a folder of the container, such as scans/2026, without % {{ }} \\ (which"
            " have a meaning in the trigger's path), control characters, and parts named '.' or '..'."
        )
    return f"{value}/" if value else ""


def _named(environ: Mapping[str, str], name: str, default: str, kind: str) -> str:
    """The name of a container or a queue; empty if the setting has no default and is not set."""
    value = environ.get(name) or default
    if value and not re.fullmatch(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", value):
        raise SettingsError(f"{name} is {value!r}: a {kind}'s name is 3 to 63 of a-z, 0-9 and single hyphens.")
    return value


def _read_queue(environ: Mapping[str, str]) -> str:
    value = _named(environ, "READ_QUEUE", "read-operations", "queue")
    if len(value) > 52 or value.endswith("-poison"):
        raise SettingsError(
            f"READ_QUEUE is {value!r}: {value}-poison and {value}-unreadable must be names of queues too, so it has"
            " at most 52 characters and does not end in -poison."
        )
    return value


def _done_queue(environ: Mapping[str, str]) -> str | None:
    value = _named(environ, "DONE_QUEUE", "", "queue")
    read_queue = _read_queue(environ)
    if value in (read_queue, f"{read_queue}-poison", f"{read_queue}-unreadable", "webjobs-blobtrigger-poison"):
        raise SettingsError(f"DONE_QUEUE is {value!r}, which holds other messages (READ_QUEUE's?). Name another.")
    return value or None


def _key(environ: Mapping[str, str]) -> str | None:
    value = (environ.get("READ_KEY") or "").strip()
    if not re.fullmatch(r"[\x21\x23-\x26\x28-\x7e]*", value):
        raise SettingsError(
            "READ_KEY has spaces, quotation marks or other characters that no key has. Copy it from the resource again."
        )
    return value or None


def _table(environ: Mapping[str, str], name: str, default: str) -> str:
    value = environ.get(name) or default
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,62}", value):
        raise SettingsError(f"{name} is {value!r}: a table's name is 3 to 63 letters and digits, a letter first.")
    if value.lower() == "tables":
        raise SettingsError(f"{name} is {value!r}, which Azure keeps for itself. Name another table.")
    return value


def _choice(environ: Mapping[str, str], name: str, default: str, values: tuple[str, ...]) -> str:
    value = environ.get(name) or default
    for known in values:
        if value.casefold() == known.casefold():
            return known
    raise SettingsError(f"{name} is {value!r}: it is one of {', '.join(values)}.")


def _rate(environ: Mapping[str, str], chosen: Generation) -> Rate:
    value = environ.get("READ_RATE") or chosen.rate
    try:
        return Rate.parse(value)
    except ValueError as error:
        raise SettingsError(f"READ_RATE is {value!r}: {error}.") from None


def _schedule(environ: Mapping[str, str]) -> str | None:
    value = environ.get("FIND_MISSED_SCHEDULE") or "0 0 3 * * *"
    if value.casefold() == "off":
        return None
    fields = value.split()
    if len(fields) != len(_SCHEDULE) or not all(map(_is_field, fields, _SCHEDULE)):
        raise SettingsError(
            f"FIND_MISSED_SCHEDULE is {value!r}: it is six fields (second minute hour day month weekday, UTC), such as"
            " 0 0 3 * * *, or off."
        )
    return value


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SCHEDULE: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()), (0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, _DAYS),
)  # fmt: skip
"""The lowest and the highest number of each field, and its names in order (NCrontab)."""


def _is_field(text: str, field: tuple[int, int, tuple[str, ...]]) -> bool:
    lowest, highest, names = field

    def number(item: str) -> int:
        if item.lower() in names:
            return lowest + names.index(item.lower())
        return int(item) if re.fullmatch("[0-9]{1,2}", item) else -1

    for item in text.split(","):
        match = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([0-9]{1,2}))?", item, re.ASCII)
        if match is None or (match[3] is not None and int(match[3]) == 0):
            return False
        ends = [number(end) for end in (match[1], match[2]) if end is not None]
        if not all(lowest <= end <= highest for end in ends) or ends != sorted(ends):
            return False
    return True


def _time(environ: Mapping[str, str], name: str) -> datetime | None:
    if not (value := environ.get(name)):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise SettingsError(f"{name} is {value!r}: it is a UTC time such as 2026-11-22T00:00:00Z.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _duration(name: str, value: str) -> timedelta:
    match = re.fullmatch(r"(?:(\d{1,4})\.)?(\d{1,2}):(\d{2}):(\d{2})", value)
    if not match or not any(int(part or 0) for part in match.groups()):
        raise SettingsError(f"{name} is {value!r}: it is a time span, as [days.]hours:minutes:seconds.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _function_timeout(environ: Mapping[str, str], host_file: str | bytes) -> timedelta:
    try:
        host = host_json.read(host_file, environ)
        if host.message_encoding() != "base64":
            raise SettingsError(
                "extensions.queues.messageEncoding in host.json (or the app setting"
                " AzureFunctionsJobHost__extensions__queues__messageEncoding) is none, but the app's own messages are"
                " base64, the host's default. Leave it out."
            )
        timeout = host.function_timeout(timedelta(minutes=30))
    except host_json.HostJsonError as error:
        raise SettingsError(str(error)) from None
    if timeout is None or not timedelta(seconds=10) <= timeout <= timedelta(days=1):
        raise SettingsError(
            "functionTimeout in host.json (or the app setting AzureFunctionsJobHost__functionTimeout) is"
            f" {host.text('functionTimeout')!r}: a document whose run was cut short is taken up again when that time is"
            " over, so it is at least 00:00:10 and at most 1.00:00:00, never without a limit (-1). 00:10:00 is enough."
        )
    return timeout

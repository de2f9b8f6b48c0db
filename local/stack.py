"""The local stack: which parts run where, with which app settings, and who else may use them.

One process at a time works on the stored data (.dev/azurite-data): the holder of .dev/stack.lock. It describes its
stack in .dev/stack.json once all parts are ready, so that other commands can use them.
"""

import json
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FuturesTimeoutError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cli.settings import host_json
from local.functions_emulator.host_json import load_host_options
from local.functions_emulator.settings import HostError
from local.lock import Locked, locked
from local.paths import DATA, LOGS, ROOT, STATE
from local.processes import (
    Azurite,
    CoreTools,
    FunctionsEmulator,
    ReadEmulator,
    Service,
    ServiceError,
    azurite_installation,
)
from shared.loopback import is_loopback
from shared.read.generations import UnknownGeneration, generation
from shared.settings import SettingsError, from_environment

_AnyService = TypeVar("_AnyService", bound=Service)

LOCK = STATE / "stack.lock"
DESCRIPTION = STATE / "stack.json"

DISCLOSED = (
    "INPUT_CONTAINER", "INPUT_PREFIX", "OUTPUT_CONTAINER", "DOCUMENTS_TABLE", "LINES_TABLE", "READ_QUEUE", "DONE_QUEUE",
    "READ_API_VERSION", "READ_LANGUAGE", "READ_PAGES", "READ_MODEL_VERSION", "READ_READING_ORDER", "READ_FEATURES",
    "READ_RATE", "READ_GIVE_UP_AFTER", "READ_LONGEST_POLL_DELAY", "READ_FILES_FROM", "FIND_MISSED_SCHEDULE",
    "DELETE_WITH_SOURCE", "SUBMIT_BY", "AzureFunctionsJobHost__functionTimeout",
)  # fmt: skip
"""App settings that are not secret. Other commands read them to find containers and tables, and to see how a running
stack is set up."""


class StackError(ServiceError):
    """The stack cannot run as asked. Its text says why, and what to do."""


@dataclass(frozen=True)
class Ports:
    """Where each part listens on 127.0.0.1; 0 is any free port."""

    blob: int = 0
    queue: int = 0
    table: int = 0
    read: int = 0
    host: int = 0

    @classmethod
    def from_base(cls, base: int) -> "Ports":
        """Five ports in a row, or any free ports for 0."""
        return cls(*range(base, base + 5)) if base else cls()


KNOWN_PORTS = Ports(10000, 10001, 10002, 5000, 7071)
"""The ports that tools expect: UseDevelopmentStorage=true, the Read container, ``func start``."""

_HOLDERS = {
    "blob": ("Azurite's blob service", "another Azurite"),
    "queue": ("Azurite's queue service", "another Azurite"),
    "table": ("Azurite's table service", "another Azurite"),
    "read": ("the Read emulator", "a Read container, or on a Mac AirPlay Receiver"),
    "host": ("the Functions host", "another `func start`"),
}


_HOSTS = {"emulator": "the Functions emulator", "func": "Azure Functions Core Tools"}


@dataclass(frozen=True)
class Description:
    """What another process needs to know about a running stack."""

    command: str
    """The command of dev.py that runs it: ``up`` or ``run``, or another one while it reads the stored data."""
    process: int
    connection_string: str
    read_endpoint: str | None = None
    host: str | None = None
    """``emulator`` or ``func``; None without a host."""
    host_url: str | None = None
    """The host's address, even if no host runs."""
    settings: Mapping[str, str] | None = None
    """The settings of DISCLOSED that are set."""

    @property
    def page(self) -> str | None:
        """The address of the app's page; None without a host's address."""
        port = _address(self.host_url or "")[1]
        return f"http://localhost:{port}/api/" if port else None


class Stack:
    """A stack that is running or starting, in this process or another.

    While it is starting, ``description`` has only what is known so far.
    """

    def __init__(
        self, description: Description, services: Sequence[Service] = (), startup: "_Startup | None" = None
    ) -> None:
        self.description = description
        self.ours = bool(services)
        """Whether this process started it, and stops it."""
        self._services = services
        self._startup = startup

    @property
    def connection_string(self) -> str:
        """Azurite's connection string; empty before ``wait_for_storage``."""
        return self.description.connection_string

    def wait_for_storage(self) -> None:
        """Return when files can be dropped. Raises ServiceError if Azurite does not come up."""
        if self._startup:
            self.description = self._startup.wait_for_storage()

    def wait_until_ready(self) -> None:
        """Return when every part runs. Raises ServiceError if one does not come up."""
        if self._startup:
            self.description = self._startup.wait_until_ready()

    def check(self) -> None:
        """Raise ServiceError if a part of the stack has ended."""
        for service in self._services:
            service.check()
        if not self.ours and (_described() != self.description or not _is_held()):
            raise StackError(f"`dev.py {self.description.command}` has ended, and the stack with it. Start it again.")

    def app_settings(self) -> dict[str, str]:
        """The stack as app settings: storage, names of containers and tables, and Read's address, if it runs."""
        read = {"READ_ENDPOINT": self.description.read_endpoint} if self.description.read_endpoint else {}
        return {**(self.description.settings or {}), "DocumentStorage": self.connection_string, **read}


class _Startup:
    """Starts the parts of a stack in a thread, each as soon as the parts that it needs are ready; stops them all.

    Storage comes first: files can be dropped while Read and the Functions host start.
    """

    def __init__(
        self,
        command: str,
        settings: Mapping[str, str],
        ports: Ports,
        *,
        data: Path | None,
        host: str | None,
        logs: Path,
        echo: Callable[[str], object] | None,
    ) -> None:
        self._app = dict(settings)
        self._endpoint = chosen_endpoint(settings)
        self._ports, self._data, self._host, self._logs, self._echo = ports, data, host, logs, echo
        self._azurite = Azurite(data, ports=(ports.blob, ports.queue, ports.table), logs=logs)
        self._description = Description(
            command,
            os.getpid(),
            "",
            self._endpoint,
            host_url=f"http://127.0.0.1:{ports.host or KNOWN_PORTS.host}",
            settings={name: settings[name] for name in DISCLOSED if settings.get(name)},
        )
        self._lock = threading.Lock()
        self._stopping = False
        self.services: list[Service] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="startup")
        self._rest: Future[Description] | None = None

    def start(self) -> Stack:
        """Start Azurite. The other parts start once the caller waits for the stack; until then, it works too."""
        self._start(self._azurite)
        return Stack(self._description, self.services, self)

    def stop(self) -> None:
        """Stop everything that was started; nothing is started after that."""
        with self._lock:
            self._stopping = True
        if self._data == DATA:
            DESCRIPTION.unlink(missing_ok=True)
        for service in reversed(self.services):
            service.stop()
        self._thread.shutdown()
        if self._data == DATA:
            DESCRIPTION.unlink(missing_ok=True)  # written meanwhile

    def wait_for_storage(self) -> Description:
        """The description with Azurite's addresses. Raises ServiceError."""
        self._go_on()
        self._azurite.wait_until_ready()
        return replace(self._description, connection_string=self._azurite.connection_string)

    def wait_until_ready(self) -> Description:
        """The whole description. Raises ServiceError."""
        rest = self._go_on()
        while True:
            with suppress(FuturesTimeoutError):
                return rest.result(0.5)  # a wait without end would not see Ctrl-C on Windows

    def _go_on(self) -> "Future[Description]":
        if self._rest is None:
            read = None
            if self._endpoint is None:
                self._app.pop("READ_KEY", None)  # it is for another service
                read = self._start(ReadEmulator(port=self._ports.read, logs=self._logs))
            self._rest = self._thread.submit(self._start_rest, read)
        return self._rest

    def _start(self, service: _AnyService) -> _AnyService:
        with self._lock:
            if self._stopping:
                raise StackError("The stack is being stopped.")
            self.services.append(service)
            service.start()
        return service

    def _start_rest(self, read: ReadEmulator | None) -> Description:
        self._azurite.wait_until_ready()
        description = replace(self._description, connection_string=self._azurite.connection_string)
        if read:
            read.wait_until_ready()
            description = replace(description, read_endpoint=read.endpoint)
        if service := self._host_service(description):
            self._start(service).wait_until_ready()
            description = replace(description, host=self._host, host_url=service.url)
        _allow_pages(description)
        if self._data == DATA:
            _write(description)
        return description

    def _host_service(self, description: Description) -> FunctionsEmulator | CoreTools | None:
        endpoint = description.read_endpoint or ""
        app = {
            **self._app,
            "READ_ENDPOINT": endpoint,
            "AzureWebJobsStorage": description.connection_string,
            "DocumentStorage": description.connection_string,
            "FUNCTIONS_WORKER_RUNTIME": "python",
        }
        if is_loopback(endpoint):  # no quota and no bill to protect
            app.setdefault("READ_LONGEST_POLL_DELAY", "00:00:02")
        if self._host == "emulator":
            app["BLOB_TRIGGER_SOURCE"] = "LogsAndContainerScan"  # Azurite sends no events
            return FunctionsEmulator(settings=app, port=self._ports.host, logs=self._logs, echo=self._echo)
        if self._host == "func":
            return CoreTools(settings=app, port=self._ports.host, logs=self._logs, echo=self._echo)
        return None


def check_settings(settings: Mapping[str, str]) -> None:
    """Raise StackError for an app setting that is wrong, before anything is started."""
    others = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://127.0.0.1"}
    given = {name: value for name, value in settings.items() if value or name not in others}
    try:
        from_environment({**others, **given, "DocumentStorage": others["DocumentStorage"]}, host_json())
        load_host_options(ROOT, settings)
    except (SettingsError, HostError) as error:
        raise StackError(str(error)) from None


def announcement(endpoint: str, api_version: str | None) -> str:
    """The line that says where documents are sent, if that was chosen by a setting."""
    line = f"Reading with {endpoint} ({api_version or 'v3.2'})"
    return f"{line}." if is_loopback(endpoint) else f"{line}: documents leave this machine and each page is billed."


def chosen_endpoint(settings: Mapping[str, str]) -> str | None:
    """READ_ENDPOINT; None if it is an address of this machine where nothing listens yet, which is the emulator's."""
    endpoint = settings.get("READ_ENDPOINT", "").strip()
    return endpoint if endpoint and not _emulator_port(settings) else None


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        if sys.platform != "win32":  # on Windows it would share the port with another server
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def shared_stack(
    command: str, settings: Mapping[str, str], ports: Ports, *, say: Callable[[str], object]
) -> Iterator[Stack]:
    """The stack that ``dev.py up`` keeps running, or else a new one, which is starting and is stopped at the end.

    ``say`` is called with where documents go, if not to the emulator, and with what is being started.

    Raises ServiceError if a part does not come up, and StackError if the stack cannot be as the settings say.
    """
    with _claim(lambda running: running.command == "up") as running:
        if running is None:
            with starting_stack(command, settings, ports, data=DATA, say=say) as own:
                yield own
        else:
            _check_is_as_set(running, settings)
            if running.read_endpoint and not is_loopback(running.read_endpoint):
                version = (running.settings or {}).get("READ_API_VERSION")
                say(announcement(running.read_endpoint, version))
            if running.host is None:
                say("Using `dev.py up --without-host`: files are read as soon as the app runs (`func start`, or F5).")
            yield Stack(running)


def _check_is_as_set(running: Description, settings: Mapping[str, str]) -> None:
    """Raise StackError for a setting that the running stack was not started with, since it would have no effect."""
    of_running = {**(running.settings or {}), "READ_ENDPOINT": running.read_endpoint}
    given = {**settings, "READ_ENDPOINT": chosen_endpoint(settings)}
    for name in ("READ_ENDPOINT", *DISCLOSED):
        value, used = given.get(name), of_running.get(name)
        if value and value != used:
            raise StackError(
                f"{name} is {value}, but `dev.py up` (process {running.process}) is running"
                f" {f'with {used}' if used else 'without it'}. Stop it, or unset {name}."
            )


@contextmanager
def shared_storage(command: str) -> Iterator[Stack]:
    """Azurite with the stored data: the one that is running, or else a new one."""
    with _claim(lambda _: True) as running:
        if running is None:
            with Azurite(DATA) as azurite:
                description = Description(command, os.getpid(), azurite.connection_string)
                with _describe(description):
                    yield Stack(description, (azurite,))
        else:
            yield Stack(running)


def check_is_stored() -> None:
    """Raise StackError if nothing can be stored here: no stack runs, and Azurite was never installed."""
    if azurite_installation() is None and _described() is None:
        raise StackError(
            "Nothing is stored on this machine yet: `dev.py run FILE` reads a file here, and `--storage ACCOUNT` uses"
            " a storage account in Azure."
        )


@contextmanager
def only_user(command: str) -> Iterator[None]:
    """Lock the stored data against all other processes.

    Raises StackError if another dev.py is using it.
    """
    with ExitStack() as held:
        try:
            held.enter_context(_lock())
        except Locked:
            raise StackError(
                f"{_who()} is using the stored data. Stop it first, then run `dev.py {command}` again."
            ) from None
        yield


@contextmanager
def own_stack(
    command: str,
    settings: Mapping[str, str],
    ports: Ports,
    *,
    data: Path | None = None,
    host: str | None = "emulator",
    logs: Path = LOGS,
    echo: Callable[[str], object] | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Iterator[Stack]:
    """Like ``starting_stack``, but waits until all parts are ready."""
    with starting_stack(command, settings, ports, data=data, host=host, logs=logs, echo=echo, say=say) as stack:
        stack.wait_until_ready()
        yield stack


@contextmanager
def starting_stack(
    command: str,
    settings: Mapping[str, str],
    ports: Ports,
    *,
    data: Path | None = None,
    host: str | None = "emulator",
    logs: Path = LOGS,
    echo: Callable[[str], object] | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Iterator[Stack]:
    """A stack whose parts are being started, and are stopped at the end.

    Without ``data``, storage is in memory. ``host`` is ``emulator``, ``func``, or None for no host.
    ``echo`` is called with each line that the host prints; ``say`` with where documents go, if not to the emulator,
    and with what is being started.

    Raises StackError if a port is taken; the stack itself raises ServiceError if a part does not come up.
    """
    endpoint = chosen_endpoint(settings)
    if own_port := _emulator_port(settings):
        ports = replace(ports, read=own_port)
    unused = {part for part, there in (("read", endpoint is None), ("host", host)) if not there}
    _check_ports(ports, unused)
    if host == "func" and shutil.which("func") is None:
        raise StackError("`func` is not on the PATH: install Azure Functions Core Tools 4, or leave out --func.")
    if endpoint:
        say(announcement(endpoint, settings.get("READ_API_VERSION")))
    with suppress(UnknownGeneration):  # the app itself refuses an unknown one
        if notice := generation(settings.get("READ_API_VERSION") or "v3.2").notice:
            say(notice)
    parts = ["Azurite", *([] if endpoint else ["the Read emulator"]), *([_HOSTS[host]] if host else [])]
    say(f"Starting {', '.join(parts)} ...")
    startup = _Startup(command, settings, ports, data=data, host=host, logs=logs, echo=echo)
    try:
        yield startup.start()
    finally:
        startup.stop()


def _allow_pages(description: Description) -> None:
    from local.browsers import allow_pages  # this module is read before the packages are installed

    port = _address(description.host_url or "")[1]
    allow_pages(description.connection_string, [f"http://{name}:{port}" for name in ("localhost", "127.0.0.1")])


@contextmanager
def _claim(acceptable: Callable[[Description], bool]) -> Iterator[Description | None]:
    """Yield the description of an acceptable stack that is running, or else None while holding the lock.

    Waits, and says so, while another stack is starting or is running.
    """
    with ExitStack() as held:
        said = False
        while True:
            try:
                held.enter_context(_lock())
            except Locked:
                running = _described()
                if running and acceptable(running):
                    break
                if running and not said:
                    print(f"Waiting for {_who()} to end.", file=sys.stderr)
                    said = True
                time.sleep(0.2)
            else:
                running = None
                break
        yield running


def _is_held() -> bool:
    """Whether a process is using the stored data. The description alone may be left from a process that was killed."""
    try:
        with locked(LOCK):
            return False
    except Locked:
        return True


@contextmanager
def _lock() -> Iterator[None]:
    with locked(LOCK):
        DESCRIPTION.unlink(missing_ok=True)  # left by a process that was killed
        yield


def _write(description: Description) -> None:
    DESCRIPTION.write_text(json.dumps(asdict(description), indent=1), encoding="utf-8")


@contextmanager
def _describe(description: Description) -> Iterator[None]:
    _write(description)
    try:
        yield
    finally:
        DESCRIPTION.unlink(missing_ok=True)


def _described() -> Description | None:
    try:
        return Description(**json.loads(DESCRIPTION.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _who() -> str:
    running = _described()
    return f"`dev.py {running.command}` (process {running.process})" if running else "Another dev.py"


def _check_ports(ports: Ports, unused: set[str]) -> None:
    for part, (what, holder) in _HOLDERS.items():
        port = getattr(ports, part)
        if port and part not in unused and not port_is_free(port):
            raise StackError(
                f"Port {port}, for {what}, is taken, perhaps by {holder}. Stop that, or choose other ports:"
                " `--ports 20000` uses 20000 to 20004, `--ports 0` any free ports."
            )


def _emulator_port(settings: Mapping[str, str]) -> int | None:
    """The port of READ_ENDPOINT, if it is on this machine and nothing listens there: it is meant for the emulator.

    So a local.settings.json for ``func start`` works here too.
    """
    endpoint = settings.get("READ_ENDPOINT", "").strip()
    if not is_loopback(endpoint):
        return None
    port = _address(endpoint)[1] or 80
    return port if port_is_free(port) else None


def _address(url: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.hostname, parts.port
    except ValueError:
        return None, None  # the app's settings are checked elsewhere

"""The local stack's parts, each a child process that is a context manager. Standard library only.

    with Azurite() as azurite, ReadEmulator() as read:
        print(azurite.connection_string, read.endpoint)

A child ends when its standard input closes, which the system does however this process ends (until_stdin_closes.py,
azurite/stop_with_stdin.js), and in a process group of its own, so that Ctrl-C reaches it through us, in our order.
"""

# ruff: noqa: S603 - what is started is ours

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from cli.errors import CommandError
from local.paths import DEV, LOGS, ROOT
from shared.loopback import NAMES

AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own account and key: the same everywhere, and public (Azurite README, "Default Storage Account")."""


_CLEAN = "If its data was damaged, as by a power failure, `python3 dev.py clean` deletes what was stored."


def sparing_this_machine(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: if it names a proxy, its NO_PROXY covers this machine too."""
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in environ):
        return dict(environ)
    given = [part.strip() for name in ("no_proxy", "NO_PROXY") for part in environ.get(name, "").split(",")]
    covered = ",".join(dict.fromkeys([*filter(None, given), *NAMES]))
    return {**environ, "no_proxy": covered, "NO_PROXY": covered}


class ServiceError(CommandError):
    """A part of the stack did not come up, or ended. Its text says which, why, and where its log is."""


class Service:
    """A child process that says on its standard output when it is ready.

    ``ready`` are patterns, found in this order in its output; what their first group matched is kept in ``found``.
    ``echo`` is given every line of its output, beside the log.
    """

    def __init__(
        self,
        title: str,
        command: Sequence[str],
        *,
        ready: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path = ROOT,
        time_limit: float = 60,
        echo: Callable[[str], object] | None = None,
    ) -> None:
        self.title = title
        self.log = log
        self.found: list[str] = []
        self._command = command
        self._patterns = [re.compile(pattern) for pattern in ready]
        given = os.environ if environment is None else environment
        self._environment = {**sparing_this_machine(given), "PYTHONUTF8": "1"}
        self._directory = directory
        self._time_limit = time_limit
        self._echo = echo
        self._last_line = ""
        self._ready = threading.Event()  # or it has ended
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process, and return at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        own_group: dict[str, Any]
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        else:
            own_group = {"start_new_session": True}
        self._process = subprocess.Popen(
            self._command,
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            **own_group,
        )
        self._pump = threading.Thread(target=self._copy_output, args=(self._process,), daemon=True)
        self._pump.start()

    def wait_until_ready(self) -> None:
        """Return when it is ready.

        Raises ServiceError if it ended, or took longer than its time limit.
        """
        in_time = self._ready.wait(self._time_limit)
        if len(self.found) == len(self._patterns):
            return
        how = "" if in_time else f" within {self._time_limit:.0f} s"
        raise ServiceError(f"{self.title} did not come up{how}{self._last_words()}")

    def check(self) -> None:
        """Raise ServiceError if it has ended."""
        if self._process is not None and (status := self._process.poll()) is not None:
            raise ServiceError(f"{self.title} ended with status {status}{self._last_words()}")

    def stop(self, time_limit: float = 8) -> None:
        """Stop it, and all processes of its group; returns when they are gone."""
        process = self._process
        if process is None:
            return
        if process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(time_limit)
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):  # there is none left
                os.killpg(process.pid, signal.SIGKILL)
        elif process.poll() is None:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], check=False)  # noqa: S607 - Windows' own
        process.wait()
        self._pump.join(time_limit)

    def _copy_output(self, process: "subprocess.Popen[str]") -> None:
        with self.log.open("w", encoding="utf-8") as log:
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                self._last_line = line.strip() or self._last_line
                if len(self.found) < len(self._patterns):
                    if match := self._patterns[len(self.found)].search(line):
                        self.found.append(match[1] if match.re.groups else match[0])
                    if len(self.found) == len(self._patterns):
                        self._ready.set()
                if self._echo:
                    with contextlib.suppress(OSError):  # nobody reads it any more
                        self._echo(line)
        self._ready.set()

    def _last_words(self) -> str:
        words = f" (its last words: {self._last_line})" if self._last_line else ""
        return f"{words}. Its log is {self.log}"


class Azurite(Service):
    """Azure Storage on this machine: blobs, queues and tables. Port 0 is any that is free.

    With a ``directory``, what is stored stays there; without one it is kept in memory and gone when this ends.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *arguments: str,
        ports: tuple[int, int, int] = (0, 0, 0),
        logs: Path = LOGS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        installed = azurite_installation()
        if installed is None:
            raise ServiceError("Azurite is not installed. `python3 dev.py test` and `dev.py run` install it.")
        self._stored = directory
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        command = [installed["node"], "--require", str(ROOT / "local/azurite/stop_with_stdin.js")]
        command += [str(DEV / "azurite/node_modules/azurite/dist/src/azurite.js"), "--silent", "--disableTelemetry"]
        # Without this, it refuses every call of storage clients newer than itself.
        command += ["--skipApiVersionCheck"]
        command += ["--inMemoryPersistence"] if directory is None else ["--location", str(directory)]
        for service, port in zip(("blob", "queue", "table"), ports, strict=True):
            command += [f"--{service}Port", str(port)]
        super().__init__(
            "Azurite",
            [*command, *arguments],
            ready=[rf"{name} service is successfully listening at (\S+)" for name in ("Blob", "Queue", "Table")],
            log=logs / "azurite.log",
            environment=environment,
            directory=DEV / "azurite",
        )

    def start(self) -> None:
        """Start the process. Raises ServiceError if one of its files is empty: Azurite would begin anew, silently."""
        for file in self._stored.glob("__azurite_db_*.json") if self._stored else ():
            if file.stat().st_size == 0:
                raise ServiceError(f"Azurite's data is damaged: {file} is empty. {_CLEAN}")
        super().start()

    def wait_until_ready(self) -> None:
        """Return when all three services answer. Raises ServiceError."""
        try:
            super().wait_until_ready()
        except ServiceError as error:
            raise ServiceError(f"{error}. {_CLEAN}" if self._stored else str(error)) from None

    @property
    def connection_string(self) -> str:
        """For any client of Azure Storage, and for the app's settings."""
        blob, queue, table = (f"{url}/{AZURITE_ACCOUNT}" for url in self.found)
        return (
            f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
            f"BlobEndpoint={blob};QueueEndpoint={queue};TableEndpoint={table};"
        )


class ReadEmulator(Service):
    """The Read emulator."""

    def __init__(
        self,
        *arguments: str,
        port: int = 0,
        logs: Path = LOGS,
        environment: Mapping[str, str] | None = None,
        echo: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__(
            "The Read emulator",
            _module("local.read_emulator", "--port", str(port), *arguments),
            ready=[r"listening on (http://\S+)"],
            log=logs / "read.log",
            environment=environment,
            time_limit=120,  # the OCR engine and its models are large, and a cold disk is slow
            echo=echo,
        )

    @property
    def endpoint(self) -> str:
        """What READ_ENDPOINT is set to."""
        return self.found[0]


class FunctionsEmulator(Service):
    """The Functions emulator, with the app of this repository unless another is given."""

    def __init__(
        self,
        *arguments: str,
        settings: Mapping[str, str],
        app: Path = ROOT,
        port: int = 0,
        logs: Path = LOGS,
        echo: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__(
            "The Functions emulator",
            _module("local.functions_emulator", "--app", str(app), "--port", str(port), *arguments),
            ready=[r"Host started.*?(http://[\d.]+:\d+)"],
            log=logs / "functions.log",
            environment=settings,
            echo=echo,
        )

    @property
    def url(self) -> str:
        """Where its admin endpoint is."""
        return self.found[0]


class CoreTools(Service):
    """Azure Functions Core Tools, ``func start``. Not run by this project's tests."""

    def __init__(
        self,
        *,
        settings: Mapping[str, str],
        port: int,
        logs: Path = LOGS,
        echo: Callable[[str], object] | None = None,
    ) -> None:
        self.url = f"http://127.0.0.1:{port or 7071}"
        super().__init__(
            "Azure Functions Core Tools",
            _module("local.core_tools", str(port or 7071)),
            ready=[r"^Functions:"],
            log=logs / "functions.log",
            environment=settings,
            time_limit=300,  # it may fetch its extension bundle first
            echo=echo,
        )


def azurite_installation() -> dict[str, str] | None:
    """What install.py wrote when it had installed Azurite: ``node`` is the program to run it with."""
    try:
        stamp: dict[str, str] = json.loads((DEV / "azurite/installed.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-u", "-m", "local.until_stdin_closes", name, *arguments]

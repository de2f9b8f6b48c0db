"""Runs dev.py as a person does, on stored data of its own."""

# ruff: noqa: S607 - starts this very Python, and ps

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from typing_extensions import override

from local.paths import ROOT


class Started(subprocess.Popen[str]):
    """A command that was started. If the test fails, it must not wait for the command, which would never end."""

    @override
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)


@dataclass(frozen=True)
class Dev:
    """Runs commands of dev.py. ``state`` is where they store data; ``environment`` has no app settings."""

    state: Path
    environment: dict[str, str]

    def start(self, *arguments: str, **settings: str) -> Started:
        """Start a command as the leader of a new process group, as a shell does."""
        return Started(
            [sys.executable, "-m", "local.commands", *arguments],
            cwd=ROOT,
            env={**self.environment, "BLOB_OCR_STATE": str(self.state), "PYTHONUTF8": "1", **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def __call__(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        with self.start(*arguments, **settings) as process:
            out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def read(self, *files: Path | str, status: int = 0, **settings: str) -> dict[str, dict[str, Any]]:
        """Run files with --json. Returns the objects by name."""
        done = self("run", "--json", *map(str, files), **settings)
        assert done.returncode == status, done.stderr
        return {item["name"]: item for item in map(json.loads, done.stdout.splitlines())}


def read_until(stream: IO[str] | None, text: str) -> str:
    """Everything that a process prints, up to the line with this text."""
    shown = ""
    while text not in shown:
        line = stream.readline() if stream else ""
        assert line, f"it ended before it said {text!r}: {shown}"
        shown += line
    return shown


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether a condition becomes true within the time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def descendants(process: int) -> set[int]:
    """The child processes of a process, and theirs."""
    found: set[int] = set()
    parents = {pid: parent for pid, parent, _ in _processes()}
    while more := {pid for pid, parent in parents.items() if parent in found | {process}} - found:
        found |= more
    return found


def running(processes: set[int]) -> set[int]:
    """The processes that have not ended."""
    return processes & {pid for pid, _, state in _processes() if not state.startswith("Z")}


def _processes() -> list[tuple[int, int, str]]:
    shown = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
    return [(int(pid), int(parent), state) for pid, parent, state in map(str.split, shown.stdout.splitlines())]

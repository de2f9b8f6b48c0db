"""Run installers and show their progress on standard error. Standard library only."""

# ruff: noqa: S603 - what to start is the caller's choice

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Self

_PIP_FETCHES = re.compile(r"\s*(?:Downloading|Using cached) ([^-]+-[^-]+)-\S+\.whl \((([\d.]+) (kB|MB|bytes))\)")
_MEGABYTES = {"MB": 1.0, "kB": 1e-3, "bytes": 1e-6}


class Installation:
    """Runs installers one after another: their whole output goes to a log, and one line for each to the user.

    On a terminal that line is updated every second. ``inherit`` is a descriptor that installers hold open:
    a lock that must not be released while one of them is still running.

    Installers keep their temporary files next to the log, since pip leaves them behind when it is interrupted. They
    are deleted at the end of this installation, or by the next one.
    """

    def __init__(self, log: Path, inherit: int) -> None:
        self._path = log
        self._inherit = inherit
        self._terminal = sys.stderr.isatty()
        self._temporary = log.with_name("install-tmp").absolute()

    def __enter__(self) -> Self:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True, exist_ok=True)
        self._log: IO[str] = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)

    def run(self, title: str, command: Sequence[str], directory: Path | None = None) -> int:
        """Run one installer to its end; returns its exit status."""
        started = time.monotonic()
        print(*command, file=self._log, flush=True)
        if not self._terminal:
            self.say(f"  {title} …")
        # Settings of the user's pip that would install elsewhere are ignored; the user's own index is used.
        environment = {k: v for k, v in os.environ.items() if k not in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX")}
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._temporary))
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=() if sys.platform == "win32" else (self._inherit,),
        )
        megabytes, current = 0.0, ""
        try:
            for line in _lines(process):
                if line:
                    self._log.write(line)
                if fetch := _PIP_FETCHES.match(line):
                    megabytes += float(fetch[3]) * _MEGABYTES[fetch[4]]
                    current = f", {fetch[1]} ({fetch[2]})"
                elif line.startswith("Installing collected packages"):
                    current = ", unpacking"
                self._update(f"  {title}: {_so_far(megabytes, started)}{current}")
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
            self._update("")
            self._log.flush()
        self.say(f"  {title}: {'failed after ' if process.returncode else ''}{_so_far(megabytes, started)}")
        return process.returncode

    def _update(self, text: str) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]:{width}}\r", end="", file=sys.stderr, flush=True)


def _so_far(megabytes: float, started: float) -> str:
    size = f"{megabytes:.0f} MB, " if megabytes >= 1 else ""
    return f"{size}{time.monotonic() - started:.0f} s"


def _lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    """A process's output, line by line, and an empty string for each second without output."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            return
        yield line

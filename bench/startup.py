"""The imports of a start: ``function_app.py``, compared with azure-functions alone and with all SDKs that it names.

Every import is timed in a fresh interpreter, without the interpreter's own start, in CPU time: with files and bytecode
in the caches an import waits for nothing but the processor, and what else the machine does is not counted. The
contestants take turns all the same. A first start on a new machine also reads files, and compiles what was deployed
without bytecode.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from statistics import median

from bench.figure import Figure
from local.paths import ROOT

_ALONE = "import azure.functions"
_IMPORTS = {
    "azure-functions": _ALONE,
    "binding": f"{_ALONE}, blob_binding",
    "app": "import function_app",
    "first event": "import function_app, shared.advance; function_app._services()",
    "SDKs": f"{_ALONE}, azure.storage.blob, azure.storage.queue, azure.data.tables, azure.identity, requests",
}
_SETTINGS = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://127.0.0.1:5000"}
_TIMED = "import time; start = time.process_time(); exec({statement!r}); print(time.process_time() - start)"
_LATE = (
    "azure.core",
    "azure.data",
    "azure.identity",
    "azure.storage",
    "requests",
    "shared.advance",
    "shared.document",
    "PIL",
    "pypdfium2",
    "web.serve",
)
"""Modules that a start does not need, each with everything that it imports."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Time each import in many fresh interpreters."""
    rounds = 3 if quick else 25
    print(f"Start-up: {rounds} rounds of {len(_IMPORTS)} imports", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in _IMPORTS}
    for number in range(rounds + 1):
        for name, statement in _IMPORTS.items():
            took = float(_run(_TIMED.format(statement=statement)))
            if number:  # the first round fills the caches of files and bytecode
                times[name].append(took)
    middle = {name: median(each) for name, each in times.items()}
    alone, app = middle["azure-functions"], middle["app"]

    def spread(name: str) -> str:
        return f"median of {rounds} starts, {min(times[name]):.3f} to {max(times[name]):.3f} s"

    yield Figure(name="Import azure-functions alone", value=alone, unit="s of CPU", note=spread("azure-functions"))
    binding = _over(times, "binding", "azure-functions")
    yield Figure(name="Import function_app.py", value=app, unit="s of CPU", note=spread("app"))
    yield Figure(name="Import all SDKs that the app names", value=middle["SDKs"], unit="s of CPU", note=spread("SDKs"))
    yield Figure(
        name="Import function_app.py, beyond azure-functions",
        value=_over(times, "app", "azure-functions"),
        unit="s of CPU",
        note=f"including the binding, blob_binding.py on azurefunctions-extensions-base, takes {binding:.3f} s",
    )
    yield Figure(
        name="Import function_app.py, against azure-functions", value=app / alone, unit="times", note=_late_note()
    )
    yield Figure(
        name="Import function_app.py, against all SDKs that it names", value=app / middle["SDKs"], unit="times"
    )
    yield Figure(
        name="Import of what the first event needs, beyond function_app.py",
        value=_over(times, "first event", "app"),
        unit="s of CPU",
        note="once an instance, clients included: what a start would take longer if it imported them",
    )


def _over(times: Mapping[str, list[float]], more: str, less: str) -> float:
    """The median of the differences of each round: what slows the machine for a while slows both."""
    return median(one - other for one, other in zip(times[more], times[less], strict=True))


def _late_note() -> str:
    """The modules that a start imports although it does not need them."""
    loaded = _run("import sys, function_app; print(*sys.modules)").split()
    early = [name for name in _LATE if name in loaded]
    return f"imported without need: {', '.join(early)}" if early else f"not imported at a start: {', '.join(_LATE)}"


def _run(code: str) -> str:
    environment = {**os.environ, **_SETTINGS}
    command = [sys.executable, "-c", code]
    return subprocess.run(  # noqa: S603 - this interpreter, and this repository's code
        command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ).stdout

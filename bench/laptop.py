"""``dev.py run`` on a laptop, compared with the plain engine, which reads the same files in one process.

Both are whole commands, started anew and taking turns: the engine's own time holds its import, its models and the
reading. The files are pictures of text and a PDF of pictures, each with text of its own.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import uuid4

from PIL import Image, ImageDraw, ImageFont

from bench.figure import Figure
from cli.settings import without_app_settings
from local.paths import ROOT

LINES = 16
"""Of text on a picture."""

MOST_START = 1.5
"""Seconds from a second start to the first drop."""

_ALONE = """
import sys
from local.read_emulator.engine import Engine
from local.read_emulator.opening import open_document
engine = Engine(threads=1)
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        document = open_document(file)
        for number in range(1, document.page_count + 1):
            assert engine.read_page(document.page(number), columns=True).lines
"""


class Load(NamedTuple):
    """Files to read."""

    name: str
    pictures: int
    pages: int
    """Of one PDF, where there are no pictures."""
    goal: float


_LOADS = (
    Load("20 pictures", 20, 0, 0.9),
    Load("2 pictures", 2, 0, 1.6),
    Load("a PDF of 10 pages", 0, 10, 1.1),
)


def measure(*, quick: bool) -> Iterator[Figure]:
    """Each load, by both in turn."""
    loads = _LOADS[1:2] if quick else _LOADS
    rounds = 1 if quick else 3
    drops: list[float] = []
    with TemporaryDirectory() as folder:
        if not quick:
            _run(files_of(Path(folder), _LOADS[1]), Path(folder))  # warms the caches
        for load in loads:
            ratios, ours, plain = [], [], []
            for number in range(1, rounds + 1):
                print(f"  {load.name}: {number} of {rounds}", file=sys.stderr, flush=True)
                files = files_of(Path(folder), load)
                seconds, first_drop = _run(files, Path(folder))
                ours.append(seconds)
                drops.append(first_drop)
                plain.append(alone(files))
                ratios.append(ours[-1] / plain[-1])
            yield Figure(
                name=f"dev.py run on {load.name}, against the engine alone in one process",
                value=median(ratios),
                unit="times",
                goal=load.goal,
                note=f"{median(ours):.1f} s against {median(plain):.1f} s, median of {rounds}",
            )
    yield Figure(
        name="A further start of dev.py run to its first drop",
        value=median(drops),
        unit="s",
        goal=MOST_START,
        note=f"median of {len(drops)} starts",
    )


def files_of(folder: Path, load: Load) -> list[Path]:
    """Files that have never been read before."""
    mark = uuid4().hex[:8]
    pictures = [_picture(f"{mark} {number}") for number in range(load.pictures or load.pages)]
    if not load.pictures:
        pictures[0].save(folder / f"{mark}.pdf", save_all=True, append_images=pictures[1:])
        return [folder / f"{mark}.pdf"]
    files = [folder / f"{mark}-{number:02}.png" for number in range(load.pictures)]
    for file, picture in zip(files, pictures, strict=True):
        picture.save(file)
    return files


def _picture(mark: str) -> Image.Image:
    picture = Image.new("RGB", (1240, 1754), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(34)
    for line in range(LINES):
        pen.text((110, 120 + 96 * line), f"Line {line + 1} of the page {mark}, to be read", fill="black", font=font)
    return picture


def _run(files: Sequence[Path], folder: Path) -> tuple[float, float]:
    """Seconds that ``dev.py run`` takes, and to its first drop; what it stores goes into ``folder``."""
    command = [sys.executable, str(ROOT / "dev.py"), "run", *map(str, files)]
    started, dropped = time.monotonic(), 0.0
    with subprocess.Popen(  # noqa: S603 - this project's own command
        command,
        cwd=ROOT,
        env={**without_app_settings(os.environ), "BLOB_OCR_STATE": str(folder / "state")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None  # noqa: S101 - it was requested
        for line in process.stderr:
            if not dropped and line.rstrip().endswith("dropped"):
                dropped = time.monotonic() - started
    took = time.monotonic() - started
    if process.returncode:
        raise RuntimeError("dev.py run did not read every file")
    return took, dropped


def alone(files: Sequence[Path]) -> float:
    """Seconds that the engine takes in a process of its own."""
    started = time.monotonic()
    command = [sys.executable, "-c", _ALONE, *map(str, files)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - this interpreter and our own code
    return time.monotonic() - started

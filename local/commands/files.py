"""Which files a command line names, and their names in the container."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shared.keys import blob_name, is_unlistable, is_unsafe

LONGEST_NAME = 1024
"""The most characters of a blob's name. Azure enforces this; Azurite does not."""


class FilesError(Exception):
    """There is no such file. The text says which."""


@dataclass(frozen=True, slots=True)
class File:
    """A file on this machine, and its blob name."""

    path: Path
    name: str


def collect(arguments: Iterable[str]) -> list[File]:
    """The files of paths, folders and patterns, each once.

    A file keeps its own name; a file in a folder is named by its path below that folder. If two would have the same
    name, the second is ``name-2.pdf``, and so on. Patterns are expanded here, since Windows shells do not.

    Raises FilesError.
    """
    files: dict[Path, File] = {}
    names: set[str] = set()
    for argument in arguments:
        for path, name in _expand(argument):
            if (real := path.resolve()) not in files:
                files[real] = File(path, _unused(blob_name(name), names))
                names.add(files[real].name)
    return list(files.values())


def refusal(name: str) -> str | None:
    """Why no blob can have this name, or None if one can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "Its name is not text in this system's encoding."
    if is_unsafe(name):
        return "A segment of its name is '.' or '..', which could lead out of the container."
    if is_unlistable(name):
        return "Its name has a control character, after which Azurite could not list any file of the container."
    if len(name) > LONGEST_NAME:
        return f"Its name has {len(name):,} characters; a blob's name has at most {LONGEST_NAME:,}."
    return None


def _expand(argument: str) -> Iterator[tuple[Path, str]]:
    path = Path(argument)
    if path.is_dir():
        below = sorted(_below(path))
        if not below:
            raise FilesError(f"The folder {argument} contains no files.")
        yield from ((file, file.relative_to(path).as_posix()) for file in below)
    elif path.is_file():
        yield path, path.name
    elif path.exists():
        raise FilesError(f"{argument} is neither a file nor a folder.")
    elif glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            raise FilesError(f"No file matches {argument}.")
        for match in matches:
            if not Path(match).is_dir() or any(_below(Path(match))):
                yield from _expand(match)
    else:
        raise FilesError(f"There is no file {argument}.")


def _below(folder: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(folder):
        yield from (file for name in names if (file := Path(directory, name)).is_file())


def _unused(name: str, used: set[str]) -> str:
    path, number, result = PurePosixPath(name), 1, name
    while result in used:
        number += 1
        result = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
    return result

"""Which files a command line means, and what each is called in the container."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shared.document import is_unsafe


class FilesError(Exception):
    """A file cannot be dropped as asked. Its text says which, and why."""


@dataclass(frozen=True, slots=True)
class File:
    """A file on this machine, and its blob name."""

    path: Path
    name: str


def collect(arguments: Iterable[str]) -> list[File]:
    """The files of paths, folders and patterns, each once.

    A file is called by its own name; one in a folder by its path below that folder. Of two that would be called the
    same, the second is ``name-2.pdf``, and so on. Patterns are expanded here, since Windows shells do not.

    Raises FilesError.
    """
    files: dict[Path, File] = {}
    names: set[str] = set()
    for argument in arguments:
        for path, name in _expand(argument):
            if (real := path.resolve()) not in files:
                _check(path, name)
                files[real] = File(path, _unused(name, names))
                names.add(files[real].name)
    return list(files.values())


def _expand(argument: str) -> Iterator[tuple[Path, str]]:
    path = Path(argument)
    if path.is_dir():
        below = sorted(_below(path))
        if not below:
            raise FilesError(f"The folder {argument} holds no files.")
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


def _check(path: Path, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise FilesError(f"The name of {str(path)!r} is not text in this system's encoding. Rename the file.") from None
    if is_unsafe(name):
        raise FilesError(f"{path} would be called {name!r}, and a part of that is '.' or '..'. Rename the file.")


def _unused(name: str, used: set[str]) -> str:
    path, number, result = PurePosixPath(name), 1, name
    while result in used:
        number += 1
        result = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
    return result

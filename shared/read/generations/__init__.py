"""The generations of Read, one file each. A new generation needs a new file here and nothing else.

A generation's file is named for its version: ``v3.2-preview.2`` is v3_2_preview_2.py, ``2024-11-30`` is v2024_11_30.py.
"""

import re
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from shared.read.generation import Generation


class UnknownGeneration(Exception):
    """No generation of Read has this version."""


def generation(version: str) -> Generation:
    """The generation that READ_API_VERSION names; only its file is imported. Raises UnknownGeneration."""
    name = re.sub(r"[.-]", "_", version if version.startswith("v") else f"v{version}")
    if name in _names():
        chosen = _load(name)
        if chosen.version == version:
            return chosen
    known = ", ".join(each.version for each in all_generations())
    raise UnknownGeneration(f"{version!r} is no version of Read that is known here. It is one of {known}.")


def generation_or(version: str | None, default: Generation) -> Generation:
    """The generation that a stored row names, or the default if it names no known one."""
    try:
        return generation(version or "")
    except UnknownGeneration:
        return default


def all_generations() -> list[Generation]:
    """Every generation, the oldest first: Computer Vision's, then Document Intelligence's."""
    return sorted(
        (_load(name) for name in _names()),
        key=lambda each: (each.service, (base := each.version.split("-")[0]), each.version == base, each.version),
    )


@cache
def _names() -> list[str]:
    return [module.name for module in iter_modules(__path__)]


@cache
def _load(name: str) -> Generation:
    chosen = import_module(f"{__name__}.{name}").GENERATION
    assert isinstance(chosen, Generation)  # noqa: S101 - every file here has one
    return replace(chosen, all=all_generations)

"""Routes of HTTP functions: ASP.NET Core's route templates, as the real host matches them. No input or output.

Sources: azure-webjobs-sdk-extensions, src/WebJobs.Extensions.Http/Routing/; azure-functions-host,
WebScriptHostHttpRoutesManager.cs and ScriptHost.cs (ValidateHttpFunction); ASP.NET Core, "Routing", Route templates.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

from local.functions_emulator.settings import HostError

Constraint = Callable[[str], bool]


@dataclass(frozen=True)
class Parameter:
    """One ``{…}`` of a template. ``group`` is its group in the template's pattern."""

    name: str
    group: str
    constraints: tuple[Constraint, ...] = ()
    default: str | None = None
    optional: bool = False
    catch_all: bool = False


class Template:
    """A route template, such as ``api/documents/{name}/pages/{page:int}``.

    Raises HostError for one that ASP.NET Core refuses, and for the few features that are missing here: constraints
    other than ``_CONSTRAINTS``, and an optional parameter next to other text in its segment.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parameters: list[Parameter] = []
        if "//" in text or text.startswith("/"):
            raise HostError(f"The route {text!r} has an empty part: use single slashes, and none in front.")
        required, optional = "", 0
        segments = _split(text, "/")
        for number, segment in enumerate(segments):
            pattern, parameter = self._segment(segment)
            slash = "/" if number else ""
            if parameter and parameter.catch_all:
                if number != len(segments) - 1:
                    raise HostError(f"The route {text!r} goes on after {{*{parameter.name}}}: that must come last.")
                required += f"(?:{slash}{pattern})?"
            elif parameter and (parameter.optional or parameter.default is not None):
                required += f"(?:{slash}{pattern}"
                optional += 1
            elif optional:
                raise HostError(f"The route {text!r} has a part after an optional one that is not optional itself.")
            else:
                required += slash + pattern
        if not any(parameter.catch_all for parameter in self._parameters):
            optional_end = ")?" * optional + "/?"
        else:
            optional_end = ")?" * optional
        self._pattern = re.compile(required + optional_end, re.IGNORECASE | re.DOTALL)

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the parameters in a path without its leading slash; None if the path does not match.

        Case is ignored. A trailing slash matters only to a catch-all parameter.
        """
        match = self._pattern.fullmatch(path)
        if match is None:
            return None
        values = {}
        for parameter in self._parameters:
            value = match[parameter.group]
            if value is None:
                if parameter.default is not None:
                    values[parameter.name] = parameter.default
                continue
            if not all(holds(value) for holds in parameter.constraints):
                return None
            values[parameter.name] = value
        return values

    def _segment(self, text: str) -> tuple[str, Parameter | None]:
        """The pattern of one segment, and its parameter if it is nothing else."""
        parts = _parts(text, self.text)
        pattern, parameter = "", None
        for part, is_parameter in parts:
            if not is_parameter:
                pattern += re.escape(part)
                continue
            parameter = _parameter(part, f"p{len(self._parameters)}", self.text)
            if any(parameter.name.lower() == known.name.lower() for known in self._parameters):
                raise HostError(f"The route {self.text!r} has the parameter {parameter.name!r} twice.")
            self._parameters.append(parameter)
            pattern += f"(?P<{parameter.group}>{'.*' if parameter.catch_all else '[^/]+'})"
        if len(parts) == 1:
            return pattern, parameter
        if any(earlier and later for (_, earlier), (_, later) in pairwise(parts)):
            raise HostError(f"The route {self.text!r} has two parameters in a row: separate them by text.")
        if parameter and (parameter.optional or parameter.catch_all):
            raise HostError(
                f"The route {self.text!r} has an optional parameter next to text, which this emulator does not support."
            )
        return pattern, None


@dataclass(frozen=True)
class Route:
    """The route of an HTTP function. Without ``methods`` it accepts all."""

    template: Template
    methods: frozenset[str]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The values of the route's parameters, or None. Another method is another route: it is not found (404)."""
        if self.methods and method.upper() not in self.methods:
            return None
        return self.template.match(path)


def route(prefix: str, text: str | None, function_name: str, methods: Iterable[str]) -> Route:
    """The route of a function; without a text it is the function's name. Raises HostError."""
    own = text if text and text.strip() else function_name
    if own.strip("/").lower().startswith(("admin", "runtime")):
        raise HostError(f"The route {own!r} of function {function_name} conflicts with the host's own: use another.")
    return Route(Template(f"{prefix}/{own}" if prefix else own), frozenset(method.upper() for method in methods))


def find(routes: Mapping[str, Route], method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The function that a request goes to, and its parameters.

    The host tries the routes in the alphabetical order of the functions' names, and takes the first that matches
    (FunctionMetadataManager.cs), even if a later one is more specific.
    """
    for name in sorted(routes, key=str.lower):
        values = routes[name].match(method, path)
        if values is not None:
            return name, values
    return None


def decoded(raw_path: str) -> str:
    """A path as routes see it: percent-decoded except ``%2F``; dot segments resolved; no leading slash (Kestrel)."""
    kept = re.split("(%2f)", raw_path, flags=re.IGNORECASE)
    text = "".join(part if part.lower() == "%2f" else unquote(part) for part in kept)
    resolved: list[str] = []
    segments = text.split("/")[1:]
    for number, segment in enumerate(segments):
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
        if segment in (".", "..") and number == len(segments) - 1:
            resolved.append("")
    return "/".join(resolved)


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that is outside braces and brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "{(":
            depth += 1
        elif character in "})":
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _parts(segment: str, whole: str) -> list[tuple[str, bool]]:
    """A segment's literals and parameters, in order; ``{{`` and ``}}`` stand for braces."""
    parts: list[tuple[str, bool]] = []
    index = 0
    while index < len(segment):
        if segment.startswith(("{{", "}}"), index):
            literal, index = segment[index], index + 2
        elif segment[index] == "{":
            end = _end_of_parameter(segment, index + 1, whole)
            parts.append((segment[index + 1 : end].replace("{{", "{").replace("}}", "}"), True))
            index = end + 1
            continue
        elif segment[index] == "}":
            raise HostError(f"The route {whole!r} has a }} without its {{.")
        else:
            literal, index = segment[index], index + 1
        if parts and not parts[-1][1]:
            parts[-1] = (parts[-1][0] + literal, False)
        else:
            parts.append((literal, False))
    return parts or [("", False)]


def _end_of_parameter(segment: str, index: int, whole: str) -> int:
    while index < len(segment):
        if segment.startswith(("{{", "}}"), index):
            index += 2
        elif segment[index] == "}":
            return index
        else:
            index += 1
    raise HostError(f"The route {whole!r} has a {{ without its }}.")


def _parameter(text: str, group: str, whole: str) -> Parameter:
    match = re.fullmatch(r"(?P<stars>\*{0,2})(?P<name>[^:=?*/{}]+)(?P<rest>.*)", text, re.DOTALL)
    if not match:
        raise HostError(f"The route {whole!r} has a parameter without a proper name: {{{text}}}.")
    rest, default = match["rest"], None
    first, *others = _split(rest, "=")
    if others:
        rest, default = first, "=".join(others)
    optional = rest.endswith("?") and default is None
    if optional:
        rest = rest[:-1]
    if optional and match["stars"]:
        raise HostError(f"The route {whole!r} has a catch-all that is marked as optional: leave out the ?.")
    constraints = tuple(_constraint(one, whole) for one in _split(rest, ":")[1:])
    return Parameter(match["name"], group, constraints, default, optional, bool(match["stars"]))


def _constraint(text: str, whole: str) -> Constraint:
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text, re.DOTALL)
    try:
        if match is None or match[1].lower() not in _CONSTRAINTS:
            raise ValueError(text)
        return _CONSTRAINTS[match[1].lower()](match[2] or "")
    except (ValueError, re.error):
        raise HostError(
            f"The route {whole!r} has the constraint {text!r}, which this emulator does not support."
        ) from None


def _bounds(arguments: str) -> tuple[int, int]:
    numbers = [int(number) for number in arguments.split(",")]
    if not 1 <= len(numbers) <= 2:
        raise ValueError(arguments)
    return numbers[0], numbers[-1]


def _integer(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[+-]?[0-9]+", value.strip()) else None


def _within(lowest: int | None, highest: int | None) -> Constraint:
    def holds(value: str) -> bool:
        number = _integer(value)
        return number is not None and (lowest is None or lowest <= number) and (highest is None or number <= highest)

    return holds


def _is_float(value: str) -> bool:
    with suppress(ValueError):
        return float(value) is not None
    return False


def _is_guid(value: str) -> bool:
    with suppress(ValueError):
        return uuid.UUID(value) is not None
    return False


def _matching(pattern: str) -> Constraint:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda value: compiled.search(value) is not None


def _at_least(arguments: str) -> Constraint:
    lowest = int(arguments)
    return lambda value: len(value) >= lowest


def _at_most(arguments: str) -> Constraint:
    highest = int(arguments)
    return lambda value: len(value) <= highest


def _length(arguments: str) -> Constraint:
    lowest, highest = _bounds(arguments)
    return lambda value: lowest <= len(value) <= highest


_CONSTRAINTS: Mapping[str, Callable[[str], Constraint]] = {
    "int": lambda _: _within(-(2**31), 2**31 - 1),
    "long": lambda _: _within(-(2**63), 2**63 - 1),
    "bool": lambda _: lambda value: value.lower() in ("true", "false"),
    "decimal": lambda _: _is_float,
    "double": lambda _: _is_float,
    "float": lambda _: _is_float,
    "guid": lambda _: _is_guid,
    "alpha": lambda _: _matching("^[a-z]*$"),
    "required": lambda _: bool,
    "regex": _matching,
    "minlength": _at_least,
    "maxlength": _at_most,
    "length": _length,
    "min": lambda given: _within(int(given), None),
    "max": lambda given: _within(None, int(given)),
    "range": lambda given: _within(*_bounds(given)),
}

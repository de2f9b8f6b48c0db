"""host.json, read as the Functions host reads it. No input or output.

Sources: azure-functions-host, HostJsonFileConfigurationSource.cs (``File.ReadAllText``, Newtonsoft's ``JObject.Parse``)
and ScriptJobHostOptionsSetup.cs; .NET's configuration (keys in any case, environment variables over files) and
``TimeSpan.Parse``; azure-sdk-for-net, QueuesOptions.cs.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

_OVERRIDE = "azurefunctionsjobhost"


class HostJsonError(ValueError):
    """host.json, or an app setting that overrides it, cannot be used. The text names the value and its form."""


@dataclass(frozen=True)
class HostJson:
    """The values of host.json beneath the app settings ``AzureFunctionsJobHost__…``.

    ``values`` are texts by their path in lower case, separated by colons: ``extensions:queues:batchsize``.
    """

    values: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """A value by its path, such as ``extensions.queues.batchSize``. An empty one counts as absent."""
        return self.values.get(_path(name)) or default

    def section(self, name: str) -> dict[str, str]:
        """The values right below a path, such as ``logging.logLevel``, by their own names in lower case."""
        start = f"{_path(name)}:"
        found = {path[len(start) :]: value for path, value in self.values.items() if path.startswith(start)}
        return {path: value for path, value in found.items() if ":" not in path}

    def integer(self, name: str, default: int, lowest: int, highest: int | None = None) -> int:
        """A whole number. Raises HostJsonError."""
        given = self.text(name, str(default)).strip()
        number = int(given) if re.fullmatch(r"[+-]?[0-9]+", given) else lowest - 1
        if number < lowest or (highest is not None and number > highest):
            span = f"from {lowest} to {highest}" if highest is not None else f"{lowest} or more"
            raise HostJsonError(f"{_named(name)} is {given!r}: it is a whole number, {span}.")
        return number

    def duration(
        self, name: str, default: timedelta, lowest: timedelta = timedelta(0), highest: timedelta = timedelta.max
    ) -> timedelta:
        """A time span. Raises HostJsonError."""
        given = self.text(name)
        if not given:
            return default
        try:
            span = parse_time_span(given)
        except ValueError:
            raise HostJsonError(f"{_named(name)} is {given!r}: it is a time span, as HH:MM:SS.") from None
        if not lowest <= span <= highest:
            most = f" and at most {highest}" if highest != timedelta.max else ""
            raise HostJsonError(
                f"{_named(name)} is {given!r}: it is a time span, as HH:MM:SS, of at least {lowest}{most}"
                " (a number alone is days)."
            )
        return span

    def function_timeout(self, default: timedelta) -> timedelta | None:
        """How long a function may run; None for no limit. Raises HostJsonError."""
        if self.text("functionTimeout").strip() in ("-1", "-1.00:00:00"):
            return None
        return self.duration("functionTimeout", default, timedelta(seconds=1))

    def message_encoding(self) -> str:
        """How queue messages are encoded: ``base64`` or ``none``. Raises HostJsonError."""
        encoding = self.text("extensions.queues.messageEncoding", "base64").lower()
        if encoding not in ("base64", "none"):
            raise HostJsonError(f"{_named('extensions.queues.messageEncoding')} is {encoding!r}: use base64 or none.")
        return encoding


def read(content: str | bytes, environ: Mapping[str, str]) -> HostJson:
    """Read host.json's content, with what the app settings override.

    UTF-8, and UTF-16 or UTF-32 with a byte order mark; comments, commas before a closing bracket and texts in single
    quotation marks are accepted, as by Newtonsoft. If a name occurs twice, in any case, the last one counts.

    Raises HostJsonError.
    """
    try:
        document = json.loads(_as_json(_decoded(content)))
        values = dict(_flat(document, "")) if isinstance(document, dict) else None
    except RecursionError:
        raise HostJsonError("host.json is not what the host reads: it is nested too deeply.") from None
    except ValueError as error:
        raise HostJsonError(f"host.json is not JSON ({error}).") from None
    if values is None:
        raise HostJsonError("host.json is not a JSON object.")
    for name, value in environ.items():
        first, *path = re.split("__|:", name.lower())
        if first == _OVERRIDE and path:
            values[":".join(path)] = value
    return HostJson(values)


def parse_time_span(text: str) -> timedelta:
    """Read a TimeSpan of .NET: ``[D.]HH:MM[:SS[.FFFFFFF]]``, ``D:HH:MM:SS``, or a number, which is days.

    Raises ValueError.
    """
    match = re.fullmatch(
        r"(?P<sign>-?)(?:(?P<days>\d{1,8})|(?:(?P<more>\d{1,8})\.)?"
        r"(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2}(?:\.\d{1,7})?))?)",
        re.sub(r"^(-?\d+):(\d+:\d+:)", r"\1.\2", text.strip()),
    )
    if match is None or int(match["hours"] or 0) > 23 or int(match["minutes"] or 0) > 59:
        raise ValueError(text)
    seconds = float(match["seconds"] or 0)
    if seconds >= 60:
        raise ValueError(text)
    try:
        span = timedelta(
            days=int(match["days"] or match["more"] or 0),
            hours=int(match["hours"] or 0),
            minutes=int(match["minutes"] or 0),
            seconds=seconds,
        )
    except OverflowError:
        raise ValueError(text) from None
    return -span if match["sign"] else span


def _path(name: str) -> str:
    return name.lower().replace(".", ":")


def _named(name: str) -> str:
    return f"{name} in host.json (or the app setting AzureFunctionsJobHost__{name.replace('.', '__')})"


def _decoded(content: str | bytes) -> str:
    if isinstance(content, bytes):
        marks = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        names = ("utf-32", "utf-32", "utf-16", "utf-16")
        encoding = next((name for mark, name in zip(marks, names, strict=True) if content.startswith(mark)), "utf-8")
        content = content.decode(encoding)
    return content.removeprefix("\ufeff")


_TOKEN = re.compile(
    r"""(?P<double>"(?:\\.|[^"\\])*")|(?P<single>'(?:\\.|[^'\\])*')|(?P<comment>//[^\r\n]*|/\*.*?\*/)|(?P<other>.)""",
    re.DOTALL,
)


def _as_json(text: str) -> str:
    """Strict JSON with the same meaning. A name without quotation marks stays as it is, and the parser refuses it."""
    parts: list[str] = []
    for token in _TOKEN.finditer(text):
        if single := token["single"]:
            inner = re.sub(r"\\'|\"", lambda found: "'" if found[0] == "\\'" else '\\"', single[1:-1])
            parts.append(f'"{inner}"')
        elif token["comment"]:
            parts.append(" ")
        else:
            if token[0] in ("}", "]"):
                _drop_comma(parts)
            parts.append(token[0])
    return "".join(parts)


def _drop_comma(parts: list[str]) -> None:
    last = len(parts) - 1
    while last >= 0 and not parts[last].strip():
        last -= 1
    if last >= 0 and parts[last] == ",":
        del parts[last]


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Each value's path and text, as .NET's configuration keeps them. Null is an empty text."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{path}:{name.lower()}" if path else name.lower())
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _flat(item, f"{path}:{number}")
    elif value is None:
        yield path, ""
    else:
        yield path, value if isinstance(value, str) else str(value)

"""What a generation of Read is: data, and the little that is truly its own. Each has a file in generations/."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlencode, urlsplit

from shared.read.result import Result


class UnsupportedOption(Exception):
    """A read option is set that the generation does not take, or not in that form.

    ``option`` is the option's name as blob metadata has it, e.g. ``reading_order``.
    """

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class NotOurOperation(Exception):
    """An operation URL's path is none of the generation's. It is not followed, whoever gave it."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a caller may ask of Read for one document. None asks for the service's own choice."""

    language: str | None = None
    pages: str | None = None
    model_version: str | None = None
    reading_order: str | None = None

    @classmethod
    def names(cls) -> list[str]:
        """The names of all options, as blob metadata has them."""
        return [option.name for option in fields(cls)]

    def given(self) -> dict[str, str]:
        """The options that are set, by name."""
        return {name: value for name in self.names() if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Option:
    """One option that a generation takes: its query parameter, and the form of its value."""

    parameter: str
    pattern: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One generation of Read."""

    version: str
    """As READ_API_VERSION names it."""
    service: str
    """``Computer Vision`` or ``Document Intelligence``."""
    analyze: str
    """Path of the POST, below the endpoint."""
    operation: str
    """Pattern of an operation's path, its id in the group ``id``."""
    url_field: str
    """The field that carries the file's URL where Read is to fetch it."""
    parse: Callable[[Mapping[str, Any]], Result]
    """Turn a succeeded answer into a Result. Raises ResultNotUnderstood."""
    options: Mapping[str, Option] = field(default_factory=dict)
    api_version: str | None = None
    """Sent as ``api-version``, where versions are a parameter and not a path."""
    deletes: bool = False
    """Whether results can be deleted from the service before they expire."""
    retired: str | None = None
    """Since when the cloud no longer answers it; containers and private deployments may."""

    def query(self, options: ReadOptions) -> str:
        """The POST's query string. Raises UnsupportedOption."""
        parameters = {"api-version": self.api_version} if self.api_version else {}
        for name, value in options.given().items():
            option = self.options.get(name)
            if option is None:
                raise UnsupportedOption(name, f"Read {self.version} takes no {name.replace('_', ' ')}.")
            if not re.fullmatch(option.pattern, value):
                raise UnsupportedOption(name, f"{value!r} is not what Read {self.version} takes: {option.form}.")
            parameters[option.parameter] = value
        return urlencode(parameters)

    def operation_path(self, location: str) -> str:
        """Path and query of an operation URL, below the endpoint; host, scheme and any prefix of a gateway dropped.

        Raises NotOurOperation where the path is not one of this generation's.
        """
        try:
            parts = urlsplit(location)
        except ValueError:
            raise NotOurOperation("the operation URL is not a URL") from None
        # Read's container drops the first segment where its host name contains "vision".
        first_segment = "/" + self.analyze.split("/")[1]
        pattern = rf"{self.operation}\Z"
        match = re.search(pattern, parts.path) or re.search(pattern, first_segment + parts.path)
        if not match or not re.fullmatch(r"[A-Za-z0-9_.~=&%-]*", parts.query):
            raise NotOurOperation(f"the operation URL's path is none of Read {self.version}'s")
        return match[0] + (f"?{parts.query}" if parts.query else "")

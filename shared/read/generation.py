"""A generation of Read: its paths, options and limits. Each has a file in generations/."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from shared.text import listed

if TYPE_CHECKING:
    from shared.read.json_walk import Answer
    from shared.read.result import Result


class UnsupportedOption(Exception):
    """The generation does not take a read option, or not its value.

    ``option`` is the option's name as blob metadata has it, e.g. ``reading_order``.
    """

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class NotOurOperation(Exception):
    """An operation URL's path does not belong to the generation. It is never followed."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The options of one document. None leaves the choice to the service."""

    language: str | None = None
    pages: str | None = None
    model_version: str | None = None
    reading_order: str | None = None
    features: str | None = None

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

    def takes(self, value: str) -> bool:
        """Whether a value has the form."""
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class PagesOption(Option):
    """A choice of pages: numbers and ranges, separated by commas. Pages count from 1, and ranges go upwards."""

    def takes(self, value: str) -> bool:
        """Whether a value has the form."""
        return Option.takes(self, value) and all(map(self._goes_upwards, value.split(",")))

    @staticmethod
    def _goes_upwards(part: str) -> bool:
        first, _, last = part.partition("-")
        return 1 <= int(first or 1) <= int(last or first)


_PAGES = "[0-9]{1,9}(-[0-9]{1,9})?"
_OPEN_PAGES = "([0-9]{1,9}(-[0-9]{0,9})?|-[0-9]{1,9})"
PREVIEW_PAGES = PagesOption("Pages", f"{_PAGES}(,{_PAGES})*", "pages and ranges such as 1,3-5")
OPEN_PAGES = PagesOption("pages", f"{_OPEN_PAGES}(,{_OPEN_PAGES})*", "pages and ranges such as 1,3-5,8-")
CLOSED_PAGES = PagesOption("pages", rf"{_PAGES}(,\s*{_PAGES})*", "pages and ranges such as 1,3-5, none of them open")
"""How Computer Vision's previews, v3.2, and Document Intelligence take a choice of pages."""

_ADD_ON = "(barcodes|formulas|languages|ocrHighResolution|styleFont)"
ADD_ONS = Option(
    "features",
    f"{_ADD_ON}(,{_ADD_ON})*",
    "a comma-separated list of barcodes, languages, and the billed formulas, ocrHighResolution and styleFont",
)
"""Document Intelligence's add-ons of prebuilt-read, from 2023-07-31 on; Office and HTML files take none.

Source: learn.microsoft.com, "Document Intelligence add-on capabilities".
"""


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
    api_version: str | None = None
    """Sent as ``api-version``, if the version is a parameter and not part of the path."""
    url_field: str
    """The JSON field with the file's URL, for a POST after which Read fetches the file."""
    options: Mapping[str, Option] = field(default_factory=dict)
    parse: "Callable[[Answer], Result]"
    """Parses a succeeded answer in one walk. Its pages need a second walk. Raises ResultNotUnderstood."""
    deletes: bool = False
    """Whether results can be deleted from the service before they expire."""
    formats: tuple[str, ...]
    """The file formats that it takes."""
    most_megabytes: int
    """The largest file on a paid tier. On the free tier it is 4 MB."""
    most_pixels: int
    """The largest width and height of an image."""
    most_pages: int
    """How many pages of a file are read on a paid tier. On the free tier it is 2."""
    rate: str
    """The calls that a paid resource answers: ``30/s`` of any kind, or ``15/s,50/s`` of POST and GET."""
    retired: str | None = None
    """The day on which Azure's cloud stopped answering it."""
    instead: str | None = None
    """What to set READ_API_VERSION to instead."""
    all: Callable[[], "list[Generation]"] = field(default=list, compare=False, repr=False)
    """Lists every generation, so that an error can say which ones take an option. generations/ sets it."""

    @property
    def notice(self) -> str | None:
        """What the app logs at start if the generation is retired."""
        if not self.retired:
            return None
        return (
            f"Read {self.version} was retired on {self.retired}: only containers and private deployments still answer"
            f" it. In Azure's cloud, set READ_API_VERSION={self.instead}."
        )

    def query(self, options: ReadOptions) -> str:
        """The POST's query string. Raises UnsupportedOption."""
        parameters = {"api-version": self.api_version} if self.api_version else {}
        for name, value in options.given().items():
            option = self.options.get(name)
            if option is None:
                raise UnsupportedOption(name, f"Read {self.version} takes no {name}{self._taken_by(name)}.")
            if not option.takes(value):
                problem = f"{name} is {value!r}, which Read {self.version} does not take ({option.form})"
                raise UnsupportedOption(name, f"{problem}{self._taken_by(name, value)}.")
            parameters[option.parameter] = value
        return urlencode(parameters)

    def operation_path(self, location: str) -> str:
        """Path and query of an operation URL, below the endpoint, without scheme, host and any prefix of a gateway.

        Raises NotOurOperation if the path is not one of this generation's.
        """
        try:
            parts = urlsplit(location)
        except ValueError:
            raise NotOurOperation("the operation URL is not a URL") from None
        # Read's container drops the first segment where its host name contains "vision".
        first_segment = "/" + self.analyze.split("/")[1]
        pattern = rf"{self.operation}\Z"
        match = re.search(pattern, parts.path) or re.search(pattern, first_segment + parts.path)
        # The queue message carries the URL, and could not hold a longer one.
        if not match or len(location) > 2048 or not re.fullmatch(r"[A-Za-z0-9_.~=&%-]*", parts.query):
            raise NotOurOperation(f"the operation URL's path is not one of Read {self.version}'s")
        return match[0] + (f"?{parts.query}" if parts.query else "")

    def _taken_by(self, name: str, value: str | None = None) -> str:
        """Which generations take an option, or a value of it, as the end of a sentence."""
        takers = [
            each.version
            for each in self.all()
            if (option := each.options.get(name)) and (value is None or option.takes(value))
        ]
        if not takers:
            return "; no version does"
        return f"; {listed(takers, 'and')} {'do' if len(takers) > 1 else 'does'}"

"""A generation of Read: its paths, options and limits. Each has a file in generations/."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

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
    """A choice of pages: numbers and ranges, parted by commas. Pages count from 1, and ranges go upwards."""

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
"""The choices of pages of Computer Vision's previews, of v3.2, and of Document Intelligence."""

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
    """Sent as ``api-version``, where versions are a parameter and not a path."""
    url_field: str
    """The field that carries the file's URL where Read is to fetch it."""
    options: Mapping[str, Option] = field(default_factory=dict)
    parse: "Callable[[Answer], Result]"
    """Walk a succeeded answer once. Its pages come from walking it once more. Raises ResultNotUnderstood."""
    deletes: bool = False
    """Whether results can be deleted from the service before they expire."""
    formats: tuple[str, ...]
    """The kinds of files that it takes."""
    most_megabytes: int
    """A file's size at most, on a paid tier; 4 on the free one."""
    most_pixels: int
    """An image's width and height at most."""
    most_pages: int
    """How many pages of a file are read, on a paid tier; 2 on the free one."""
    rate: str
    """Calls that a paid resource answers: ``30/s`` of all kinds, or ``15/s,50/s`` of POST and GET."""
    retired: str | None = None
    """The day on which Azure's cloud stopped answering it."""
    instead: str | None = None
    """What to set READ_API_VERSION to instead."""
    all: Callable[[], "list[Generation]"] = field(default=list, compare=False, repr=False)
    """Every generation, by which an error says which others take an option. generations/ sets it."""

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
        # A longer one would fit no queue message, which carries it.
        if not match or len(location) > 2048 or not re.fullmatch(r"[A-Za-z0-9_.~=&%-]*", parts.query):
            raise NotOurOperation(f"the operation URL's path is none of Read {self.version}'s")
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
        listed = " and ".join(filter(None, (", ".join(takers[:-1]), takers[-1])))
        return f"; {listed} {'do' if len(takers) > 1 else 'does'}"

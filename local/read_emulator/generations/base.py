"""The interface between a generation of Read and the rest of the emulator: paths, parameters, words."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from local.read_emulator import kinds
from local.read_emulator.documents import Limits
from local.read_emulator.operation import Failure, Operation
from local.read_emulator.page import Page
from local.read_emulator.page_ranges import PageRanges
from local.read_emulator.refusals import Rejected

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a request."""

    pages: PageRanges = field(default_factory=PageRanges)
    columns: bool = False
    """Lines in the order of Read's `natural`, column by column; else of its `basic`, row by row."""
    language: str | None = None
    model: str | None = None
    string_index: str = "textElements"
    """The unit of Document Intelligence's offsets."""
    languages: bool = False
    """Whether Document Intelligence is to name the languages of the text."""
    searchable: bool = False
    """Whether Document Intelligence is to make a searchable PDF too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer without its transport."""

    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Generation(ABC):
    """One version of the service. A subclass is a family of versions; an instance, its data."""

    name: str
    """The same as in the app setting READ_API_VERSION."""
    url_field: str = "url"
    base64_field: str | None = None
    """The members of a JSON body that hold the document or its URL."""
    keeps_request_id: bool = True
    """Whether `apim-request-id` of the POST is the operation's id."""
    deletes: bool = False
    """Whether a result can be deleted."""
    limits: Limits
    takes: frozenset[str] = frozenset()
    """Kinds of files (kinds.DOCUMENT_INTELLIGENCE) that the service reads with this version; the emulator does not."""
    media_types: frozenset[str] = frozenset()
    """Content types of a document that the version accepts besides pictures, PDF and `application/octet-stream`."""
    makes_pdf: bool = False
    """Whether the version can return a searchable PDF."""
    sync: tuple[str, ...] = ()
    """Paths of the container's POST that is answered with the result."""
    headers: ClassVar[Mapping[str, str]] = {}
    """Headers of every answer."""

    @property
    def api_version(self) -> str | None:
        """The value of the query parameter `api-version`, if the path does not contain the version."""
        return None

    @property
    @abstractmethod
    def analyze(self) -> tuple[str, ...]:
        """Paths of the POST."""

    @property
    @abstractmethod
    def results(self) -> tuple[str, ...]:
        """Paths of the GET, without the operation's id; Operation-Location has the first."""

    @abstractmethod
    def options(self, query: Mapping[str, str]) -> Options:
        """Check the query's parameters, whose names are in lower case here. Raises Rejected."""

    @abstractmethod
    def refused(self, refusal: Rejected, request_id: str) -> Answer:
        """The answer to a POST that is not accepted."""

    @abstractmethod
    def running(self, operation: Operation) -> Answer:
        """The answer to a GET before the operation ends."""

    @abstractmethod
    def succeeded(
        self, operation: Operation, pages: Sequence[Page], options: Options, faults: Sequence[Failure]
    ) -> Json:
        """The body of the result. Faults belong to pages; versions without a field for them leave them out."""

    @abstractmethod
    def failed(self, operation: Operation, failure: Failure, options: Options) -> Json:
        """The body for a failed operation; its HTTP status is still 200."""

    @abstractmethod
    def unknown(self, request_id: str) -> Answer:
        """The answer to a GET of an operation that does not exist, or no longer exists."""

    def refused_version(self, version: str) -> Answer | None:  # noqa: ARG002 - what a subclass decides by
        """The answer to a request with another `api-version`, unless the gateway does not know the path."""
        return None

    def location(self, operation_id: str) -> str:
        """Path and query of Operation-Location."""
        query = f"?api-version={self.api_version}" if self.api_version else ""
        return f"{self.results[0]}/{operation_id}{query}"


def named(kind: str, generation: Generation) -> str:
    """The type of a rejected file, as a sentence to append to the service's; empty if unknown."""
    if kind in generation.takes:
        return f" The file is {kinds.NAMES[kind]}, which the service reads and the Read emulator does not."
    if kind in kinds.DOCUMENT_INTELLIGENCE:
        return f" The file is {kinds.NAMES[kind]}, which only Document Intelligence reads."
    return f" The file is {kinds.NAMES[kind]}." if kind else ""


def timestamp(moment: datetime) -> str:
    """As the service writes it: UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float, places: int = 4) -> float:
    """As the service writes it: rounded, and without `.0`."""
    rounded = round(value, places)
    return int(rounded) if rounded == int(rounded) else rounded


def length(value: float, unit: str) -> float:
    """A coordinate as the service writes it: whole pixels, inches to four places."""
    return number(value, 0 if unit == "pixel" else 4)

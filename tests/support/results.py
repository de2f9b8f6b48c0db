"""A result with all its pages, for tests with small results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.read.generation import Generation
from shared.read.generations import generation
from shared.read.json_walk import Answer, WholeAnswer
from shared.read.result import Page, Result, Summary


@dataclass(frozen=True)
class Read:
    """The pages of a result, and its summary."""

    result: Result
    pages: tuple[Page, ...]
    summary: Summary

    @property
    def model_version(self) -> str | None:
        return self.result.model_version

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.result.warnings

    @property
    def language(self) -> str | None:
        return self.summary.language

    @property
    def line_count(self) -> int:
        return self.summary.line_count

    @property
    def word_count(self) -> int:
        return self.summary.word_count

    @property
    def text(self) -> str:
        return self.summary.text


def parsed(version: str | Generation, answer: Mapping[str, Any] | Answer) -> Read:
    """The whole result that a generation parses from an answer. May raise ResultNotUnderstood."""
    chosen = generation(version) if isinstance(version, str) else version
    walked = WholeAnswer(answer) if isinstance(answer, Mapping) else answer
    result = chosen.parse(walked)
    pages = tuple(result.pages(walked))
    return Read(result, pages, summary_of(*pages))


def summary_of(*pages: Page) -> Summary:
    """The summary of the pages."""
    summary = Summary()
    for page in pages:
        summary.add(page)
    return summary

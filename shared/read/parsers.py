"""The parsers of results. Each is imported when the first result arrives, since a start does not need it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.read.json_walk import Answer
    from shared.read.result import Result


def parse_recognition_results(answer: "Answer") -> "Result":
    """The parser of Computer Vision v2.x."""
    from shared.read import computer_vision

    return computer_vision.parse_recognition_results(answer)


def parse_read_results(answer: "Answer") -> "Result":
    """The parser of Computer Vision v3.x."""
    from shared.read import computer_vision

    return computer_vision.parse_read_results(answer)


def parse_analyze_result(answer: "Answer") -> "Result":
    """The parser of Document Intelligence."""
    from shared.read import document_intelligence

    return document_intelligence.parse_analyze_result(answer)

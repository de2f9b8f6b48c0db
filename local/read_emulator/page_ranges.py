"""The parameter `pages`: `1,3-5`, and `7-` or `-2` where ranges may be open."""

import re
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class PageRanges:
    """The requested pages: first and last page of each range, None if it is open."""

    ranges: tuple[tuple[int | None, int | None], ...] = ((None, None),)

    @classmethod
    def parse(cls, text: str, *, open_ended: bool) -> Self:
        """Raises ValueError."""
        ranges = []
        for part in text.split(","):
            match = re.fullmatch(r"(\d*)(-?)(\d*)", part.strip(), re.ASCII)
            first, dash, last = match.groups() if match else ("", "", "")
            if not (first or last) or (dash and not (first and last) and not open_ended):
                raise ValueError(text)
            start = int(first) if first else None
            end = (int(last) if last else None) if dash else start
            if start == 0 or end == 0 or (start and end and end < start):
                raise ValueError(text)
            ranges.append((start, end))
        return cls(tuple(ranges))

    def of(self, page_count: int) -> list[int]:
        """The numbers of the requested pages, in a document with this number of pages."""
        return [
            number
            for number in range(1, page_count + 1)
            if any((first or 1) <= number <= (last or page_count) for first, last in self.ranges)
        ]

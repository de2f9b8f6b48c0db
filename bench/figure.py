"""A figure: what was measured, and its goal."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. ``goal`` is its maximum, or its minimum if ``at_least``; None if there is no goal."""

    name: str
    """What is measured, and on what. Each figure has a different name."""
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    note: str = ""
    """Spread, number of repetitions, or why a goal is missed."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, if there is one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def to_json(self) -> dict[str, Any]:
        """The figure as JSON."""
        return {"name": self.name, "value": self.value, "unit": self.unit, "goal": self.goal, "met": self.met}

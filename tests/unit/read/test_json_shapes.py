"""Numbers and boxes of a result: only finite numbers of JSON count."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.read.json_shapes import box, number

VALUES = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=3)


def _counts(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 10**300 if isinstance(value, int) else math.isfinite(value)


@given(VALUES)
def test_a_number_is_finite_and_no_truth_value(value: object) -> None:
    assert number(value) == (value if _counts(value) else None)


@given(st.lists(VALUES, min_size=7, max_size=9) | st.lists(st.floats(0, 9) | st.integers(0, 9), min_size=8, max_size=8))
def test_a_box_is_eight_such_numbers(values: list[Any]) -> None:
    assert box(values) == (tuple(values) if len(values) == 8 and all(map(_counts, values)) else None)


@given(st.lists(st.fixed_dictionaries({"x": VALUES}, optional={"y": VALUES}), min_size=3, max_size=5))
def test_four_points_are_a_box_too(points: list[dict[str, Any]]) -> None:
    flat = [point.get(axis) for point in points for axis in ("x", "y")]
    assert box(points) == (tuple(flat) if len(flat) == 8 and all(map(_counts, flat)) else None)

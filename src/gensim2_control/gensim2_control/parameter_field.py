"""One field of a table of parameters: its default, what it is, and its bounds. Knows no ROS."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

Value = bool | int | float | str | Sequence[float] | Sequence[int] | Sequence[str]


def parameter(
    default: Value,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    read_only: bool = True,
) -> Any:
    """Declare one field of a parameter table.

    Args:
        default: value where none is given; arrays are tuples.
        description: what it is, with the unit.
        low: smallest value allowed, for numbers and entries of arrays.
        high: largest value allowed.
        choices: the strings allowed.
        read_only: can only be set at start.
    """
    metadata = {
        "description": description,
        "low": low,
        "high": high,
        "choices": tuple(choices),
        "read_only": read_only,
    }
    return dataclasses.field(default=default, metadata=metadata)


def violation(field: dataclasses.Field[Any], value: Any) -> str:
    """What is wrong with a value; empty = nothing."""
    choices = field.metadata["choices"]
    for entry in value if isinstance(value, tuple) else (value,):
        if choices and entry not in choices:
            return f"{entry!r} is not one of {', '.join(choices)}"
        if isinstance(entry, float) and not math.isfinite(entry):
            return "must be finite"
        if isinstance(entry, int | float) and not isinstance(entry, bool):
            low, high = field.metadata["low"], field.metadata["high"]
            if (low is not None and entry < low) or (high is not None and entry > high):
                return f"{entry} is out of bounds: {allowed(field)}"
    return ""


def allowed(field: dataclasses.Field[Any]) -> str:
    """The values allowed, in words; empty = all of its type."""
    low, high = field.metadata["low"], field.metadata["high"]
    if field.metadata["choices"]:
        return ", ".join(f"`{choice}`" for choice in field.metadata["choices"])
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f">= {low}"
    return f"<= {high}" if high is not None else ""

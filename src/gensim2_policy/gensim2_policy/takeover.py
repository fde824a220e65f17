"""Demonstrations that begin where a policy has got to: it acts first, and an expert takes over.

The policy's own part leads to states that the expert never comes to by itself; only the expert's
part is learned from (DAgger by intervention: Ross et al. 2011, Kelly et al. 2019).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .chance import chance

KEY = "taken_over"
"""In the report of an episode: ROS time from which the expert acts, s."""


def time_of_takeover(seed: int, attempt: int, longest: float, share: tuple[float, float]) -> float:
    """How long the policy may act before the expert takes over, s.

    Args:
        seed: Of the draws.
        attempt: Which one.
        longest: Demonstration of the task, s.
        share: Least and largest of that which the policy gets.
    """
    rng = chance("takeover", seed, attempt)
    return float(longest * rng.uniform(*share))


def report(taken_over: float, expert: str) -> str:
    """The report of an episode, with that of the expert in it."""
    try:
        tries = json.loads(expert) if expert.strip() else []
    except ValueError:
        tries = expert
    return json.dumps({KEY: taken_over, "tries": tries})


def taken_over_ns(solver_report: Mapping[str, object]) -> int | None:
    """When the expert has taken over, ns; None where it has acted throughout."""
    value = solver_report.get(KEY)
    return round(value * 1e9) if isinstance(value, int | float) else None

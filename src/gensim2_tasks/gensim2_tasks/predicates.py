"""Typed success conditions over the observed state of a scene, and how long they have held.

A predicate is data. It measures one number of the scene and compares it with a threshold;
``evaluate`` gives both, so that whoever watches can see how far off a scene is.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from .observation import ObjectObservation
from .predicate_kinds import Evaluation, OpennessAbove, OpennessBelow, Predicate, Settled, Upright

__all__ = [
    "Evaluation",
    "ObjectObservation",
    "OpennessAbove",
    "OpennessBelow",
    "Predicate",
    "Settled",
    "SuccessCondition",
    "Upright",
]


class SuccessCondition(BaseModel):
    """All of ``all`` and, where given, one of ``any``, held without a break for ``dwell`` s."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    all: tuple[Predicate, ...] = Field(min_length=1)
    any: tuple[Predicate, ...] = ()
    dwell: float = Field(0.5, ge=0.0, le=60.0)

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        """Every predicate, in order."""
        return (*self.all, *self.any)

    def problem(self, categories: Mapping[str, str]) -> str:
        """What is wrong with the names in it, given the category of every object of the task."""
        for predicate in self.predicates:
            found = predicate.problem(categories)
            if found:
                return f"predicate {predicate.kind!r} {found}"
        return ""

    def evaluate(
        self, scene: Mapping[str, ObjectObservation]
    ) -> tuple[bool, tuple[Evaluation, ...]]:
        """Evaluates every predicate; returns whether the condition holds now, and the details."""
        every = tuple(p.evaluate(scene) for p in self.all)
        some = tuple(p.evaluate(scene) for p in self.any)
        holds = all(e.satisfied for e in every) and (not some or any(e.satisfied for e in some))
        return holds, every + some


class SuccessMonitor:
    """Follows a success condition over time.

    Args:
        condition: What to follow.
    """

    def __init__(self, condition: SuccessCondition) -> None:
        self.condition = condition
        self._since: float | None = None
        self.holds = False
        self.evaluations: tuple[Evaluation, ...] = ()
        self.dwell = 0.0

    def update(self, t: float, scene: Mapping[str, ObjectObservation]) -> bool:
        """Takes the scene at time ``t`` (s); returns whether the task has succeeded.

        Success means that the condition has held for the dwell time and still holds.
        """
        self.holds, self.evaluations = self.condition.evaluate(scene)
        if not self.holds:
            self._since, self.dwell = None, 0.0
            return False
        if self._since is None:
            self._since = t
        self.dwell = t - self._since
        return self.succeeded

    @property
    def succeeded(self) -> bool:
        """Whether the condition has held long enough. A hair is allowed for rounding of times."""
        return self.holds and self.dwell >= self.condition.dwell - 1e-9

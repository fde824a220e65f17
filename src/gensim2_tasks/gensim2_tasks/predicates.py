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

MAX_PREDICATES = 20


class SuccessCondition(BaseModel):
    """All of ``all`` and, where given, one of ``any``, held without a break for ``dwell`` s."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    all: tuple[Predicate, ...] = Field(min_length=1, max_length=MAX_PREDICATES)
    any: tuple[Predicate, ...] = Field(default=(), max_length=MAX_PREDICATES)
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
        self,
        scene: Mapping[str, ObjectObservation],
        known: dict[Predicate, Evaluation] | None = None,
    ) -> tuple[bool, tuple[Evaluation, ...]]:
        """Evaluates every predicate; returns whether the condition holds now, and the details.

        Args:
            scene: What is seen.
            known: Of this scene, what is known already; what is found out is added.
        """
        known = {} if known is None else known
        for predicate in self.predicates:
            if predicate not in known:
                known[predicate] = predicate.evaluate(scene)
        every = tuple(known[p] for p in self.all)
        some = tuple(known[p] for p in self.any)
        holds = all(e.satisfied for e in every) and (not some or any(e.satisfied for e in some))
        return holds, every + some

"""Typed success predicates over the observed state of a scene.

A predicate is data. It measures one number of the scene and compares it with a threshold;
``evaluate`` gives both, so that whoever watches can see how far off a scene is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class ObjectObservation:
    """What predicates may know of an object.

    Attributes:
        openness: 0 closed, 1 open; of a free body the share of the way it is meant to go.
        joint_velocity: rad/s or m/s; of a free body how fast it moves at all.
        tilt: Angle by which a free body has been tipped since the start, rad.
    """

    openness: float
    joint_velocity: float
    tilt: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """Outcome of one predicate."""

    name: str
    satisfied: bool
    value: float
    threshold: float


class _Predicate(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    object: str


class OpennessAbove(_Predicate):
    """The joint of an object is open by more than ``value`` (0 closed, 1 open)."""

    kind: Literal["openness_above"] = "openness_above"
    value: float = Field(0.8, ge=0.0, lt=1.0)

    def evaluate(self, scene: Mapping[str, ObjectObservation]) -> Evaluation:
        """Measures the openness."""
        openness = scene[self.object].openness
        name = f"openness_above({self.object}, {self.value:g})"
        return Evaluation(name, openness > self.value, openness, self.value)


class OpennessBelow(_Predicate):
    """The joint of an object is open by less than ``value``."""

    kind: Literal["openness_below"] = "openness_below"
    value: float = Field(0.2, gt=0.0, le=1.0)

    def evaluate(self, scene: Mapping[str, ObjectObservation]) -> Evaluation:
        """Measures the openness."""
        openness = scene[self.object].openness
        name = f"openness_below({self.object}, {self.value:g})"
        return Evaluation(name, openness < self.value, openness, self.value)


class Settled(_Predicate):
    """The joint of an object moves slower than ``value`` rad/s or m/s."""

    kind: Literal["settled"] = "settled"
    value: float = Field(0.05, gt=0.0)

    def evaluate(self, scene: Mapping[str, ObjectObservation]) -> Evaluation:
        """Measures the joint speed."""
        speed = abs(scene[self.object].joint_velocity)
        return Evaluation(f"settled({self.object})", speed < self.value, speed, self.value)


class Upright(_Predicate):
    """An object is tipped by less than ``value`` rad from how it stood at the start."""

    kind: Literal["upright"] = "upright"
    value: float = Field(0.35, gt=0.0, le=3.1416)

    def evaluate(self, scene: Mapping[str, ObjectObservation]) -> Evaluation:
        """Measures the tilt."""
        tilt = scene[self.object].tilt
        return Evaluation(f"upright({self.object})", tilt < self.value, tilt, self.value)


Predicate = Annotated[
    OpennessAbove | OpennessBelow | Settled | Upright, Field(discriminator="kind")
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

    def evaluate(
        self, scene: Mapping[str, ObjectObservation]
    ) -> tuple[bool, tuple[Evaluation, ...]]:
        """Evaluates every predicate; returns whether the condition holds now, and the details."""
        every = tuple(p.evaluate(scene) for p in self.all)
        some = tuple(p.evaluate(scene) for p in self.any)
        holds = all(e.satisfied for e in every) and (not some or any(e.satisfied for e in some))
        return holds, every + some

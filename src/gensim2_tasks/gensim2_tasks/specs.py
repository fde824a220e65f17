"""Typed task specifications: what a task file may say."""

from __future__ import annotations

import difflib

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .asset_files import short
from .categories import KEYPOINTS
from .predicates import SuccessCondition


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Placement(_Strict):
    """Where an object stands, in frame ``base`` (m, rad). Its height follows from its geometry.

    ``x`` and ``y`` are where its ``anchor`` is at the default openness: a keypoint, so that objects
    of any size are within reach, or the root where it is empty. Randomised: x and y by up to
    ``spread``; yaw by up to ``yaw_spread`` in the direction that turns the front of the object
    towards the robot (positive where the drawn y offset is positive).
    """

    anchor: str = ""
    x: float
    y: float = 0.0
    yaw: float = 0.0
    spread: float = Field(default=0.10, ge=0.0, le=0.5)
    yaw_spread: float = Field(default=0.5235987755982988, ge=0.0, le=3.1416)


class Openness(_Strict):
    """Start openness, 0 closed to 1 open; randomised by up to ``spread``."""

    default: float = Field(default=0.5, ge=0.0, le=1.0)
    spread: float = Field(default=0.15, ge=0.0, le=1.0)


class ObjectSpec(_Strict):
    """An object of a task."""

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    category: str = Field(pattern="^[a-z][a-z0-9_]*$")
    placement: Placement
    openness: Openness = Openness()

    @model_validator(mode="after")
    def _is_known(self) -> ObjectSpec:
        known = KEYPOINTS.get(self.category)
        if known is None:
            near = difflib.get_close_matches(self.category[:100], KEYPOINTS, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"unknown category {short(self.category)}; {hint}known: {', '.join(KEYPOINTS)}"
            )
        anchor = self.placement.anchor
        if anchor and anchor not in known:
            raise ValueError(
                f"placement.anchor: a {self.category} has no keypoint {short(anchor)}; "
                f"known: {', '.join(known)}, or empty for the root"
            )
        return self


class SubTask(_Strict):
    """One manipulation: the object to act on, and solver configurations in order of preference."""

    name: str
    object: str
    solvers: tuple[str, ...] = Field(min_length=1)


class TaskSpec(_Strict):
    """A task. Loaded from ``catalogue_data/tasks/<name>.yaml``."""

    name: str = Field(pattern="^[A-Z][A-Za-z0-9]*$")
    instruction: str = Field(min_length=3)
    objects: tuple[ObjectSpec, ...] = Field(min_length=1)
    subtasks: tuple[SubTask, ...] = Field(min_length=1)
    success: SuccessCondition

    @model_validator(mode="after")
    def _names_agree(self) -> TaskSpec:
        names = [o.name for o in self.objects]
        if len({*names}) != len(names):
            raise ValueError(f"two objects share a name: {names}")
        for used, where in [(s.object, f"sub-task {s.name!r}") for s in self.subtasks] + [
            (p.object, f"predicate {p.kind!r}") for p in self.success.predicates
        ]:
            if used not in names:
                raise ValueError(f"{where} refers to object {used!r}; known: {names}")
        return self

    def object(self, name: str) -> ObjectSpec:
        """The object of this name."""
        return next(o for o in self.objects if o.name == name)

    @model_validator(mode="after")
    def _predicates_fit(self) -> TaskSpec:
        problem = self.success.problem({o.name: o.category for o in self.objects})
        if problem:
            raise ValueError(problem)
        return self

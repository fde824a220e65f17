"""Typed task specifications: what a task file may say."""

from __future__ import annotations

import difflib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .asset_files import short
from .categories import KEYPOINTS
from .predicates import Predicate, SuccessCondition
from .randomisation import Randomisation

# What a task may hold at most. Tasks come from anywhere, language models among them.
MAX_OBJECTS, MAX_SUBTASKS, MAX_SOLVERS = 6, 12, 8
REACH = 1.5  # m in base; no arm goes farther
# One line of text without control characters and the marks that turn the direction of text.
Line = Annotated[
    str,
    Field(
        min_length=3, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$"
    ),
]
ObjectName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
SolverName = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_]{0,79}$")]
# Fields of predicates that name an object.
OBJECT_FIELDS = ("object", "container", "support", "target")


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
    x: float = Field(ge=-REACH, le=REACH)
    y: float = Field(default=0.0, ge=-REACH, le=REACH)
    yaw: float = Field(default=0.0, ge=-6.2832, le=6.2832)
    spread: float = Field(default=0.10, ge=0.0, le=0.5)
    yaw_spread: float = Field(default=0.5235987755982988, ge=0.0, le=3.1416)


class Openness(_Strict):
    """Start openness, 0 closed to 1 open; randomised by up to ``spread``."""

    default: float = Field(default=0.5, ge=0.0, le=1.0)
    spread: float = Field(default=0.15, ge=0.0, le=1.0)


class ObjectSpec(_Strict):
    """An object of a task."""

    name: ObjectName
    category: ObjectName
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
    """One manipulation of an object, by solver configurations or by a skill.

    Attributes:
        name: Of the sub-task, for others to refer to.
        object: Name of the object that is acted on.
        solvers: Solver configurations in order of preference; empty where there is a skill.
        skill: ``pick`` (grasp and lift the object) or ``place`` (put it down); empty where there
            are solvers.
        target: Object that the region belongs to.
        region: Where the object has to go, relative to the target. A pick looks ahead to it.
        needs: Names of earlier sub-tasks that must be done (still) when this one begins.
        done: When it is done. None, which only the single sub-task of a task may say, stands for
            the success of the task.
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,59}$")
    object: str
    solvers: tuple[SolverName, ...] = Field(default=(), max_length=MAX_SOLVERS)
    skill: Literal["", "pick", "place"] = ""
    target: str = ""
    region: Literal["", "inside", "on_top", "under"] = ""
    needs: tuple[str, ...] = ()
    done: SuccessCondition | None = None

    @model_validator(mode="after")
    def _is_by_solvers_or_by_skill(self) -> SubTask:
        if bool(self.solvers) == bool(self.skill):
            raise ValueError("exactly one of solvers and skill: solvers is a list of at least 1")
        if self.skill and not (self.target and self.region):
            raise ValueError(f"skill {self.skill!r} needs a target and a region")
        if not self.skill and (self.target or self.region):
            raise ValueError("target and region go with a skill")
        if self.skill and self.target == self.object:
            raise ValueError(f"target: {short(self.target)} is the object itself")
        return self


class TaskSpec(_Strict):
    """A task. Loaded from ``catalogue_data/tasks/<name>.yaml``."""

    name: str = Field(pattern="^[A-Z][A-Za-z0-9]{0,59}$")
    instruction: Line
    objects: tuple[ObjectSpec, ...] = Field(min_length=1, max_length=MAX_OBJECTS)
    subtasks: tuple[SubTask, ...] = Field(min_length=1, max_length=MAX_SUBTASKS)
    success: SuccessCondition
    randomise: Randomisation = Randomisation()

    @model_validator(mode="after")
    def _names_agree(self) -> TaskSpec:
        names = [o.name for o in self.objects]
        if len({*names}) != len(names):
            raise ValueError(f"two objects share a name: {names}")
        used = [(s.object, f"sub-task {s.name!r}") for s in self.subtasks]
        used += [(s.target, f"sub-task {s.name!r}") for s in self.subtasks if s.target]
        for condition in (self.success, *self.done_conditions):
            for p in condition.predicates:
                used += [(name, f"predicate {p.kind!r}") for name in _objects_of(p)]
        for name, where in used:
            if name not in names:
                raise ValueError(f"{where} refers to object {name!r}; known: {names}")
        return self

    @model_validator(mode="after")
    def _subtasks_agree(self) -> TaskSpec:
        names = [s.name for s in self.subtasks]
        if len({*names}) != len(names):
            raise ValueError(f"two sub-tasks share a name: {names}")
        for number, subtask in enumerate(self.subtasks):
            for need in subtask.needs:
                if need not in names[:number]:
                    raise ValueError(
                        f"sub-task {subtask.name!r} needs {short(need)}, "
                        f"which is no earlier sub-task; earlier: {names[:number]}"
                    )
            if subtask.done is None and len(names) > 1:
                raise ValueError(
                    f"sub-task {subtask.name!r}: done is missing; "
                    "only a single sub-task may leave it out"
                )
        return self

    @property
    def done_conditions(self) -> tuple[SuccessCondition, ...]:
        """Of every sub-task when it is done."""
        return tuple(self.success if s.done is None else s.done for s in self.subtasks)

    def needs(self, subtask: int) -> tuple[int, ...]:
        """Numbers of the sub-tasks that must be done when sub-task number ``subtask`` begins."""
        wanted = self.subtasks[subtask].needs
        return tuple(i for i, s in enumerate(self.subtasks[:subtask]) if s.name in wanted)

    def object(self, name: str) -> ObjectSpec:
        """The object of this name."""
        return next(o for o in self.objects if o.name == name)

    @model_validator(mode="after")
    def _predicates_fit(self) -> TaskSpec:
        categories = {o.name: o.category for o in self.objects}
        for condition in (self.success, *self.done_conditions):
            problem = condition.problem(categories)
            if problem:
                raise ValueError(problem)
        return self


def _objects_of(predicate: Predicate) -> list[str]:
    """Names of the objects that a predicate is about."""
    return [getattr(predicate, f) for f in OBJECT_FIELDS if hasattr(predicate, f)]

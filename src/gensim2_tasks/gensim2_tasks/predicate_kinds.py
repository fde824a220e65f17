"""The kinds of predicates: each measures one number of a scene and compares it with a threshold.

Where things are is measured in three dimensions, by the hulls that collide. What nobody knows, as
the pose of an object that is not tracked, is NaN and satisfies nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from . import se3
from .asset_files import short
from .categories import KEYPOINTS
from .interior import INSIDE, interior_of
from .observation import ObjectObservation, hull_points, mass_centre, top_middle
from .outlet import outlet_of
from .se3 import Array
from .support import support_of

if TYPE_CHECKING:
    from .placement import PlacedObject

Scene = Mapping[str, ObjectObservation]


@dataclass(frozen=True)
class Evaluation:
    """Outcome of one predicate."""

    name: str
    satisfied: bool
    value: float
    threshold: float


class PredicateBase(BaseModel):
    """What all kinds share: the object they are about."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    object: str

    def problem(self, categories: Mapping[str, str]) -> str:
        """What is wrong with the names, given the category of every object; empty = nothing."""
        return _unknown(self.object, categories)


class OpennessAbove(PredicateBase):
    """The joint of an object is open by more than ``value`` (0 closed, 1 open)."""

    kind: Literal["openness_above"] = "openness_above"
    value: float = Field(default=0.8, ge=0.0, lt=1.0)

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures the openness."""
        openness = scene[self.object].openness
        name = f"openness_above({self.object}, {self.value:g})"
        return Evaluation(name, openness > self.value, openness, self.value)


class OpennessBelow(PredicateBase):
    """The joint of an object is open by less than ``value``."""

    kind: Literal["openness_below"] = "openness_below"
    value: float = Field(default=0.2, gt=0.0, le=1.0)

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures the openness."""
        openness = scene[self.object].openness
        name = f"openness_below({self.object}, {self.value:g})"
        return Evaluation(name, openness < self.value, openness, self.value)


class Settled(PredicateBase):
    """The joint of an object moves slower than ``value`` rad/s or m/s."""

    kind: Literal["settled"] = "settled"
    value: float = Field(default=0.05, gt=0.0)

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures the joint speed."""
        speed = abs(scene[self.object].joint_velocity)
        return Evaluation(f"settled({self.object})", speed < self.value, speed, self.value)


class Upright(PredicateBase):
    """An object is tipped by less than ``value`` rad from how it stood at the start."""

    kind: Literal["upright"] = "upright"
    value: float = Field(default=0.35, gt=0.0, le=3.1416)

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures the tilt."""
        tilt = scene[self.object].tilt
        return Evaluation(f"upright({self.object})", tilt < self.value, tilt, self.value)


class Inside(PredicateBase):
    """The centre of mass of an object is more than ``value`` m deep in the room of a container.

    Where a lid or a door closes the container, or it slides shut, nothing of the object may stick
    out of the opening either.
    """

    kind: Literal["inside"] = "inside"
    container: str
    value: float = Field(default=0.0, ge=0.0, le=0.1)

    def problem(self, categories: Mapping[str, str]) -> str:
        """See the base class; and the container must be one."""
        found = super().problem(categories) or _second(self.object, self.container, categories)
        if found:
            return found
        category = categories[self.container]
        if not set(KEYPOINTS.get(category, ())) & set(INSIDE):
            return f"says inside {short(self.container)}, but a {category} is no container"
        return ""

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures how deep it is; negative = how far outside, m."""
        placed, container = scene[self.object].placed, scene[self.container].placed
        depth = math.nan
        if placed is not None and container is not None:
            depth = _depth(placed, container)
        name = f"inside({self.object}, {self.container})"
        return Evaluation(name, depth > self.value, depth, self.value)


class OnTop(PredicateBase):
    """An object stands on the level top of another, which carries its centre of mass.

    Its lowest point is less than ``value`` m off the height of that top.
    """

    kind: Literal["on_top"] = "on_top"
    support: str
    value: float = Field(default=0.01, gt=0.0, le=0.05)

    def problem(self, categories: Mapping[str, str]) -> str:
        """See the base class; and the support must be another object."""
        return super().problem(categories) or _second(self.object, self.support, categories)

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures how far off the height it is, and how far beside it besides the threshold."""
        placed, support = scene[self.object].placed, scene[self.support].placed
        off = math.nan
        if placed is not None and support is not None:
            off = _off_top(placed, support, self.value)
        name = f"on_top({self.object}, {self.support})"
        return Evaluation(name, off < self.value, off, self.value)


class Near(PredicateBase):
    """The centre of mass of an object is less than ``value`` m from a keypoint of another."""

    kind: Literal["near"] = "near"
    target: str
    keypoint: str
    value: float = Field(default=0.05, gt=0.0, le=1.0)

    def problem(self, categories: Mapping[str, str]) -> str:
        """See the base class; and the target must have the keypoint."""
        return super().problem(categories) or _no_keypoint(
            self.object, self.target, self.keypoint, categories
        )

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures the distance, m."""
        placed, target = scene[self.object].placed, scene[self.target].placed
        distance = math.nan
        if placed is not None and target is not None and self.keypoint in target.keypoints():
            off = mass_centre(placed) - target.keypoints()[self.keypoint]
            distance = float(np.linalg.norm(off))
        name = f"near({self.object}, {self.target}, {self.value:g})"
        return Evaluation(name, distance < self.value, distance, self.value)


class Under(PredicateBase):
    """An object is under what of another is over or next to a keypoint, as a mug under a spout.

    The middle of its upper edge is less than ``value`` m beside the vertical through the outlet,
    and lower than that.
    """

    kind: Literal["under"] = "under"
    target: str
    keypoint: str
    value: float = Field(default=0.03, gt=0.0, le=0.2)

    def problem(self, categories: Mapping[str, str]) -> str:
        """See the base class; and the target must have the keypoint."""
        return super().problem(categories) or _no_keypoint(
            self.object, self.target, self.keypoint, categories
        )

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures how far beside it is, and how far too high besides the threshold, m."""
        placed, target = scene[self.object].placed, scene[self.target].placed
        off = math.nan
        if placed is not None and target is not None:
            outlet = outlet_of(target.asset, self.keypoint, target.joint_position)
            if outlet is not None:
                way = top_middle(hull_points(placed)) - se3.apply(target.T_base_root, outlet)
                off = float(np.hypot(way[0], way[1]))
                if way[2] >= 0.0:
                    off = max(off, self.value + float(way[2]))
        name = f"under({self.object}, {self.target})"
        return Evaluation(name, off < self.value, off, self.value)


class Held(PredicateBase):
    """Both fingers press on an object with more than ``value`` N, against each other."""

    kind: Literal["held"] = "held"
    value: float = Field(default=0.5, ge=0.05, le=50.0)

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures the smaller of both forces."""
        grip = scene[self.object].grip
        return Evaluation(f"held({self.object})", grip > self.value, grip, self.value)


class Released(PredicateBase):
    """Nothing of hand and fingers touches an object."""

    kind: Literal["released"] = "released"

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures 1 where something touches it, else 0."""
        touched = scene[self.object].touched
        return Evaluation(f"released({self.object})", not touched, float(touched), 0.5)


class Lifted(PredicateBase):
    """The lowest point of an object is more than ``value`` m above the table."""

    kind: Literal["lifted"] = "lifted"
    value: float = Field(default=0.05, ge=0.005, le=1.0)

    def evaluate(self, scene: Scene) -> Evaluation:
        """Measures the height of its lowest point."""
        placed = scene[self.object].placed
        height = math.nan if placed is None else float(hull_points(placed)[:, 2].min())
        name = f"lifted({self.object}, {self.value:g})"
        return Evaluation(name, height > self.value, height, self.value)


def _unknown(name: str, categories: Mapping[str, str]) -> str:
    return "" if name in categories else f"refers to object {name!r}; known: {list(categories)}"


def _second(first: str, second: str, categories: Mapping[str, str]) -> str:
    if first == second:
        return f"refers to object {first!r} twice; name two objects"
    return _unknown(second, categories)


def _no_keypoint(first: str, target: str, keypoint: str, categories: Mapping[str, str]) -> str:
    found = _second(first, target, categories)
    if found:
        return found
    known = KEYPOINTS.get(categories[target], ())
    if keypoint in known:
        return ""
    return f"refers to keypoint {short(keypoint)}; a {categories[target]} has: {', '.join(known)}"


def _depth(placed: PlacedObject, container: PlacedObject) -> float:
    """How deep (m) an object is in the room of a container; NaN where that has none."""
    room = interior_of(container.asset)
    if room is None:
        return math.nan
    T_base_box = container.T_base_root @ room.T_root_box(container.asset, container.joint_position)
    T_box_base = se3.inverse(T_base_box)
    depth = room.depth(se3.apply(T_box_base, mass_centre(placed)))
    if room.lidded:
        depth = min(depth, room.sunk(se3.apply(T_box_base, hull_points(placed))))
    return depth


def _off_top(placed: PlacedObject, support: PlacedObject, threshold: float) -> float:
    """How far (m) an object is off the top of another, beyond the threshold where beside it.

    NaN where the other has none.
    """
    top = support_of(support.asset)
    if top is None:
        return math.nan
    T_base_top = support.T_base_root @ top.T_root_top(support.asset, support.joint_position)
    T_top_base = se3.inverse(T_base_top)
    points: Array = se3.apply(T_top_base, hull_points(placed))
    gap = top.gap(float(points[:, 2].min()))
    # The weight acts straight down, whatever the slope.
    down = -T_top_base[:3, 2]
    middle = se3.apply(T_top_base, mass_centre(placed))
    beside = top.beside(middle - down * (middle[2] / down[2]))
    return gap if beside == 0.0 else max(gap, threshold + beside)


Predicate = Annotated[
    OpennessAbove
    | OpennessBelow
    | Settled
    | Upright
    | Inside
    | OnTop
    | Near
    | Under
    | Held
    | Released
    | Lifted,
    Field(discriminator="kind"),
]

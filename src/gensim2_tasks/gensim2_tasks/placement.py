"""Draws a scene: which assets, where they stand and how far they are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from . import se3
from .assets import ArticulatedAsset, AssetLibrary
from .kinematic_tree import AssetError
from .predicates import OpennessAbove, OpennessBelow
from .se3 import Array
from .specs import ObjectSpec, TaskSpec

# How far the objects are open at the start: as the task file says, all closed, all open, or as far
# from the goal as can be: closed where the task opens and open where it closes.
Start = Literal["task", "closed", "open", "honest"]
STARTS: tuple[Start, ...] = get_args(Start)


@dataclass(frozen=True)
class PlacedObject:
    """An object of a drawn scene. ``T_base_root`` in m; joint position in rad or m."""

    name: str
    asset: ArticulatedAsset
    T_base_root: Array
    joint_position: float

    @property
    def T_base_part(self) -> Array:
        """Pose of the part frame at the present joint position."""
        return self.T_base_root @ self.asset.T_root_part(self.joint_position)

    @property
    def openness(self) -> float:
        """Openness at the present joint position."""
        return self.asset.openness(self.joint_position)

    def keypoints(self) -> dict[str, Array]:
        """Keypoints (3,) in base."""
        points = self.asset.keypoints(self.joint_position)
        return {k: se3.apply(self.T_base_root, p) for k, p in points.items()}

    def parameters(self) -> dict[str, object]:
        """What was drawn, for the manifest."""
        return {
            "asset": str(self.asset.ref),
            "xyz": [float(x) for x in self.T_base_root[:3, 3]],
            "yaw": self.asset.yaw(self.T_base_root),
            "openness": self.openness,
        }


def draw_scene(
    task: TaskSpec,
    library: AssetLibrary,
    rng: np.random.Generator,
    *,
    asset: str = "",
    randomize: bool = True,
    start: Start = "task",
) -> tuple[PlacedObject, ...]:
    """Draws the objects of a task.

    Args:
        task: What to set up.
        library: Where assets come from.
        rng: Source of every drawn number.
        asset: Reference, id or seed of the asset of the first object; empty draws one.
        randomize: False = default pose and openness (a drawn asset stays drawn).
        start: How far the objects are open; it changes nothing else that is drawn.

    Raises:
        AssetError: An asset is unknown or unusable.
    """
    return tuple(
        _place(
            spec,
            library,
            rng,
            asset if i == 0 else "",
            randomize,
            start_openness(task, spec.name, start),
        )
        for i, spec in enumerate(task.objects)
    )


def start_openness(task: TaskSpec, name: str, start: Start) -> float | None:
    """Openness an object is set to at the start; None = as the task file says."""
    if start == "honest":
        for predicate in task.success.predicates:
            if predicate.object == name and isinstance(predicate, OpennessAbove):
                return 0.0
            if predicate.object == name and isinstance(predicate, OpennessBelow):
                return 1.0
    return {"closed": 0.0, "open": 1.0}.get(start)


def _place(
    spec: ObjectSpec,
    library: AssetLibrary,
    rng: np.random.Generator,
    asset: str,
    randomize: bool,
    opened_by: float | None,
) -> PlacedObject:
    ref = library.find(spec.category, asset) if asset else library.draw(spec.category, rng)
    loaded = library.load(ref)
    place = spec.placement
    dx, dy, turn, opened = rng.uniform([-1, -1, 0, -1], 1.0) * float(randomize)
    yaw = place.yaw + np.copysign(turn * place.yaw_spread, dy)
    openness = np.clip(spec.openness.default + opened * spec.openness.spread, 0.0, 1.0)
    if opened_by is not None:
        openness = opened_by
    offset = np.array([dx, dy, 0.0]) * place.spread
    xyz = _default_position(spec, loaded) + offset
    T = loaded.resting(xyz, float(yaw))
    return PlacedObject(spec.name, loaded, T, loaded.joint_position(float(openness)))


def _default_position(spec: ObjectSpec, asset: ArticulatedAsset) -> Array:
    """Position (3,) of the root without any random offset, m in base."""
    place = spec.placement
    xyz = np.array([place.x, place.y, asset.rest_height()])
    if not place.anchor:
        return xyz
    points = asset.keypoints(asset.joint_position(spec.openness.default))
    if place.anchor not in points:
        raise AssetError(
            f"asset {asset.ref}: no keypoint {place.anchor!r}, by which object {spec.name!r} is "
            f"placed; it has: {', '.join(sorted(points))}"
        )
    p = se3.apply(asset.resting(np.zeros(3), place.yaw), points[place.anchor])
    return xyz - np.array([p[0], p[1], 0.0])

"""What is known of the scene at one instant, free of message types."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from gensim2_episodes.frame_builder import SceneTruth
from gensim2_episodes.manifest import (
    JsonObject,
    KeypointRecord,
    ObjectRecord,
    Point,
    SceneRecord,
)

_GENERATED_LICENCE = "Apache-2.0"
"""Licence of what our own generators make."""


@dataclass(frozen=True)
class SceneObject:
    """An object; positions in `base` [m], quaternions xyzw.

    Attributes:
        name: Name in the task.
        category: Category of the asset.
        asset: Asset reference.
        pose: (7,) root link.
        joint_name: Empty for a rigid object.
        joint_position: Of that joint [rad or m].
        openness: 0 = closed, 1 = open.
        keypoints: Name and position.
    """

    name: str
    category: str
    asset: str
    pose: tuple[float, ...]
    joint_name: str
    joint_position: float
    openness: float
    keypoints: tuple[tuple[str, Point], ...]


@dataclass(frozen=True)
class Scene:
    """The scene at one instant.

    Attributes:
        stamp_ns: ROS time [ns].
        reset_count: Tells scenes apart.
        objects: In the order of the task.
        predicates: Success predicates: name, satisfied, value, threshold.
        succeeded: The task is achieved and has been for its dwell time.
    """

    stamp_ns: int
    reset_count: int
    objects: tuple[SceneObject, ...]
    predicates: tuple[JsonObject, ...]
    succeeded: bool

    @property
    def movable(self) -> tuple[SceneObject, ...]:
        """The objects that have a joint."""
        return tuple(thing for thing in self.objects if thing.joint_name)

    @property
    def undecided(self) -> bool:
        """Whether a person has yet to say if the task is achieved."""
        return any(predicate.get("value") is None for predicate in self.predicates)

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """Names of object and keypoint, joined by a slash, in the order of `truth`."""
        return tuple(
            f"{thing.name}/{name}" for thing in self.objects for name, _ in thing.keypoints
        )

    def truth(self) -> SceneTruth:
        """The part of it that is recorded in every frame."""
        movable = self.movable
        points = [point for thing in self.objects for _, point in thing.keypoints]
        return SceneTruth(
            openness=np.array([thing.openness for thing in movable]) if movable else None,
            object_q=np.array([thing.joint_position for thing in movable]) if movable else None,
            keypoints=np.array(points, dtype=np.float32) if points else None,
        )

    def record(self, parameters: JsonObject) -> SceneRecord:
        """The scene for a manifest.

        Args:
            parameters: Everything that was drawn; licences are looked for in it.
        """
        licences = licences_of(parameters)
        return SceneRecord(
            objects=tuple(
                ObjectRecord(
                    name=thing.name,
                    category=thing.category,
                    asset=thing.asset,
                    licence=licences.get(thing.asset) or _default_licence(thing.asset),
                    pose=thing.pose,
                    joint_name=thing.joint_name,
                    openness=thing.openness,
                    keypoints=tuple(
                        KeypointRecord(name=name, position=point) for name, point in thing.keypoints
                    ),
                )
                for thing in self.objects
            ),
            parameters=parameters,
        )


def predicate_record(name: str, satisfied: bool, value: float, threshold: float) -> JsonObject:
    """A success predicate for a manifest; numbers that are not finite are None."""
    numbers = {"value": round(float(value), 6), "threshold": float(threshold)}
    return {
        "name": name,
        "satisfied": bool(satisfied),
        **{key: number if math.isfinite(number) else None for key, number in numbers.items()},
    }


def _default_licence(asset: str) -> str:
    return _GENERATED_LICENCE if asset.startswith("procedural:") else "unknown"


def licences_of(parameters: JsonValue) -> dict[str, str]:
    """Licences by asset reference: of every part of the parameters with "ref" and "licence"."""
    found: dict[str, str] = {}
    if isinstance(parameters, Mapping):
        reference, licence = parameters.get("ref"), parameters.get("licence")
        if isinstance(reference, str) and isinstance(licence, str):
            found[reference] = licence
        parameters = list(parameters.values())
    if isinstance(parameters, Sequence) and not isinstance(parameters, str):
        for part in parameters:
            found |= licences_of(part)
    return found


def approach_disturbance(
    start: Scene, history: Iterable[Scene], actuation_ns: int | None
) -> float | None:
    """Largest change of openness up to the actuation pose.

    Args:
        start: The scene right after the reset.
        history: The scenes since then, in any order.
        actuation_ns: Stamp of the actuation pose [ns]; None = it was not reached, so that all of
            the history is approach.

    Returns:
        None where no object has a joint.
    """
    before = {thing.name: thing.openness for thing in start.movable}
    if not before:
        return None
    changes = [
        abs(thing.openness - before[thing.name])
        for scene in history
        if scene.reset_count == start.reset_count
        and (actuation_ns is None or scene.stamp_ns <= actuation_ns)
        for thing in scene.movable
        if thing.name in before
    ]
    return max(changes, default=0.0)

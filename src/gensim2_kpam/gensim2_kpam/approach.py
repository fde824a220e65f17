"""The free part of a manipulation: from the first pre-pose to where contact begins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from . import transit
from .collision_model import CollisionModel
from .plan import PlanCode, PlanFailure, SceneObject
from .planner_config import PlannerConfig

Array = NDArray[np.float64]


def until_touch(
    path: Array, part_q: float, model: CollisionModel, config: PlannerConfig, *, grasp: bool
) -> Array | PlanFailure:
    """The free beginning of the path to the actuation pose; it must end at the moving part.

    Args:
        path: Configurations (N, 7) from the first pre-pose to the actuation pose.
        part_q: Present position of the object's joint.
        model: Placed at the scene.
        config: Margins.
        grasp: The fingers enclose the part: everything up to the actuation pose must be free.
    """
    model.allow_contact(False)
    fine = np.vstack(
        [
            *[transit.line(a, b, config.touch_step)[:-1] for a, b in pairwise(path)],
            path[-1:],
        ]
    )
    margin = config.near_clearance
    last = len(fine)
    step = max(1, len(fine) // 24)
    # Coarse from the start, then fine within the step in which something came near.
    for i in [*range(0, len(fine), step), len(fine) - 1]:
        if model.in_collision(fine[i], part_q, margin):
            inside = [
                j
                for j in range(max(0, i - step), i + 1)
                if model.in_collision(fine[j], part_q, margin)
            ]
            last = inside[0]
            break
    if last == 0:
        pairs = model.named_contacts(fine[0], part_q, margin)
        return PlanFailure(PlanCode.PATH_COLLISION, f"first pre-pose: {pairs}")
    if last < len(fine) and grasp:
        pairs = model.named_contacts(fine[last], part_q, margin)
        return PlanFailure(PlanCode.PATH_COLLISION, f"grasp pose: {pairs}")
    if last < len(fine) and not model.touches_part_only(fine[last], part_q, margin):
        pairs = model.named_contacts(fine[last], part_q, margin)
        return PlanFailure(PlanCode.PATH_COLLISION, f"approach: {pairs}")
    return fine[:last]


def grasps(q: Array, scene: SceneObject, model: CollisionModel, config: PlannerConfig) -> bool:
    """Whether closing the fingers in this pose closes them on the moving part."""
    model.place(scene.T_base_root, config.finger_closed)
    model.allow_contact(False)
    hit = model.in_collision(q, scene.joint_position)
    only_part = model.touches_part_only(q, scene.joint_position, 0.0)
    model.place(scene.T_base_root, config.finger_open)
    return hit and only_part

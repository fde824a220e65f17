"""A labelled scene as a message."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gensim2_control.ros.conversions import matrix_to_pose
from gensim2_tasks.placement import PlacedObject
from geometry_msgs.msg import Point

from gensim2_msgs.msg import Keypoint, ObjectState, PredicateState, SceneState

from .kpam_messages_node import BASE


def labelled_state(objects: Iterable[PlacedObject], success: bool | None) -> SceneState:
    """The state of a scene, without its task, seed, number and time.

    Args:
        objects: What stands in it.
        success: What the operator says; None = nothing yet.
    """
    message = SceneState(objects=[_object_state(placed) for placed in objects])
    message.header.frame_id = BASE
    achieved = success is True
    value = math.nan if success is None else float(success)
    message.predicates = [
        PredicateState(name="the operator says so", satisfied=achieved, value=value, threshold=0.5)
    ]
    message.success = message.succeeded = achieved
    return message


def _object_state(placed: PlacedObject) -> ObjectState:
    return ObjectState(
        name=placed.name,
        category=placed.asset.ref.category,
        asset=str(placed.asset.ref),
        pose=matrix_to_pose(placed.T_base_root),
        part_pose=matrix_to_pose(placed.T_base_part),
        joint_name=placed.asset.tree.moving.name,
        joint_position=placed.joint_position,
        openness=placed.openness,
        keypoints=[
            Keypoint(name=name, position=Point(x=p[0], y=p[1], z=p[2]))
            for name, p in placed.keypoints().items()
        ],
    )

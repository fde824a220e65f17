"""Key poses around the actuation pose: pre- and post-motions, and following the object's joint.

Poses are of the *tool* frame in base: ``fr3_hand``, or the same turned by half a turn about its z
axis, which is the same hand for a symmetric gripper but another branch of the arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

from .plan import SceneObject
from .solver_config import NAMED_MOTIONS, TRANSLATIONS, Motion

Array = NDArray[np.float64]
JOINT_STEP = 0.04  # rad, of the object's joint between poses
JOINT_STEP_LINEAR = 0.01  # m


@dataclass(frozen=True)
class JointAxis:
    """The object's joint in base: a point on its axis, the unit direction, and its kind."""

    point: Array
    direction: Array
    prismatic: bool

    def displacement(self, amount: float) -> Array:
        """Transform (4, 4) of base that carries the part along by ``amount`` (rad or m)."""
        if self.prismatic:
            return se3.transform(self.direction * amount)
        return se3.about_line(self.point, self.direction, amount)


def joint_of(scene: SceneObject) -> JointAxis:
    """The joint of an object, in base."""
    point, direction = scene.asset.tree.axis_in_root()
    T = scene.T_base_root
    prismatic = scene.asset.tree.moving.kind == "prismatic"
    return JointAxis(se3.apply(T, point), T[:3, :3] @ direction, prismatic)


def _translated(T: Array, kind: str, value: float) -> Array:
    step = np.zeros(3)
    step[TRANSLATIONS.index(kind)] = value
    return T @ se3.transform(step)


def _rotated(T: Array, T_base_part: Array, axis: str | None, angle: float) -> Array:
    """Turns a pose about an axis of the part frame through its origin, as GenSim2 does."""
    if axis is None:
        raise ValueError("a rotation needs an axis, and the object names none")
    direction = T_base_part[:3, "xyz".index(axis)]
    return se3.about_line(T_base_part[:3, 3], direction, angle) @ T


def pre_poses(
    T_base_tool: Array, motions: Sequence[Motion], T_base_part: Array, axis: str | None
) -> list[Array]:
    """Key poses before the actuation pose in the order of execution (farthest first).

    ``axis`` (x, y or z of the part frame) is that of ``rotate``; nothing else needs one.
    """
    poses = []
    T = T_base_tool
    for motion in motions:
        if motion.kind == "rotate":
            T = _rotated(T, T_base_part, axis, motion.value)
        else:
            T = _translated(T, motion.kind, motion.value)
        poses.append(T)
    return poses[::-1]


def post_pose(T: Array, motion: Motion, T_base_part: Array, axis: str | None) -> Array:
    """Key pose after a fixed post-motion from ``T``.

    Translations are in the tool frame, which follows the object already; named motions in base.
    """
    if motion.kind == "rotate":
        return _rotated(T, T_base_part, axis, motion.value)
    if motion.kind in NAMED_MOTIONS:
        moved = T.copy()
        moved[:3, 3] += NAMED_MOTIONS[motion.kind]
        return moved
    return _translated(T, motion.kind, motion.value)


def follow_joint(
    T: Array, p_tool_contact: Array, joint: JointAxis, amount: float, turn_share: float
) -> tuple[list[Array], list[float]]:
    """Poses that carry a contact point along the object's joint.

    The contact point follows the joint rigidly; the hand turns by only a share of the joint's
    angle, because a hand that turns all the way leaves the reach of the arm on large openings.

    Args:
        T: Tool pose at the start, in base.
        p_tool_contact: Contact point (3,) in the tool frame, m.
        joint: The object's joint in base.
        amount: How far the joint moves, rad or m.
        turn_share: Share of the joint's angle that the hand turns, 0 to 1.

    Returns:
        Tool poses and, for each, how far the joint has moved.
    """
    step = JOINT_STEP_LINEAR if joint.prismatic else JOINT_STEP
    count = max(2, int(np.ceil(abs(amount) / step)))
    amounts = np.linspace(0.0, amount, count + 1)
    p_start = se3.apply(T, p_tool_contact)
    poses = []
    for moved in amounts:
        p = se3.apply(joint.displacement(moved), p_start)
        R = T[:3, :3]
        if not joint.prismatic:
            R = Rotation.from_rotvec(joint.direction * moved * turn_share).as_matrix() @ R
        poses.append(se3.transform(p - R @ p_tool_contact, R))
    return poses, [float(a) for a in amounts]

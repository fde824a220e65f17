"""Messages of the graph as what the page draws."""

from __future__ import annotations

import numpy as np
from gensim2_control.description import DescriptionError, resolve_packages
from gensim2_control.ros.conversions import pose_to_matrix
from geometry_msgs.msg import PoseArray
from nav_msgs.msg import Path
from numpy.typing import NDArray
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from gensim2_msgs.msg import EpisodeSummary, RobotStatus, SceneState

from .episode_table import Episode
from .object_model import wxyz_of
from .robot_model import RobotModelError
from .scene_state import RobotCondition, Scene, SceneObject
from .sensors import SensorError

BASE = "base"
Array = NDArray[np.float64]


def description(message: String) -> str:
    """The URDF with the paths of its meshes on this machine.

    Raises:
        RobotModelError: A package it names is not installed.
    """
    try:
        return resolve_packages(str(message.data))
    except DescriptionError as error:
        raise RobotModelError(f"robot_description: {error}") from None


def joints(message: JointState) -> dict[str, float]:
    """Positions by name, rad or m."""
    return dict(zip(message.name, message.position, strict=False))


def scene(message: SceneState) -> Scene:
    """The scene.

    Raises:
        SensorError: It is in another frame, or a number is not finite.
    """
    _in_base("scene/state", message.header.frame_id)
    objects = []
    for state in message.objects:
        try:
            T = pose_to_matrix(state.pose)
        except ValueError as error:
            raise SensorError(f"scene/state: object {state.name!r}: {error}") from None
        points = tuple(
            (k.name, np.array([k.position.x, k.position.y, k.position.z])) for k in state.keypoints
        )
        _finite("scene/state", T, state.joint_position, *(p for _, p in points))
        objects.append(
            SceneObject(
                state.name, state.asset, T, float(state.joint_position), state.openness, points
            )
        )
    predicates = tuple((p.name, p.satisfied, p.value, p.threshold) for p in message.predicates)
    return Scene(message.task, message.seed, tuple(objects), predicates, message.succeeded)


def path(message: Path) -> Array:
    """Points (N, 3), m in base.

    Raises:
        SensorError: It is in another frame, or a number is not finite.
    """
    _in_base("kpam_planner/path", message.header.frame_id)
    points = [stamped.pose.position for stamped in message.poses]
    found = np.array([[p.x, p.y, p.z] for p in points], dtype=np.float64).reshape(-1, 3)
    _finite("kpam_planner/path", found)
    return found


def poses(message: PoseArray) -> tuple[Array, Array]:
    """Quaternions w x y z (N, 4) and positions (N, 3), m in base.

    Raises:
        SensorError: They are in another frame, or a number is not finite.
    """
    _in_base("kpam_planner/key_poses", message.header.frame_id)
    try:
        matrices = [pose_to_matrix(pose) for pose in message.poses]
    except ValueError as error:
        raise SensorError(f"kpam_planner/key_poses: {error}") from None
    _finite("kpam_planner/key_poses", *matrices)
    wxyz = np.array([wxyz_of(T) for T in matrices]).reshape(-1, 4)
    return wxyz, np.array([T[:3, 3] for T in matrices]).reshape(-1, 3)


def condition(message: RobotStatus) -> RobotCondition:
    """The condition of the robot."""
    return RobotCondition(
        message.mode, message.motion_possible, message.in_error, tuple(message.errors)
    )


def episode(message: EpisodeSummary) -> Episode:
    """One attempt."""
    return Episode(
        task=message.task,
        index=message.index,
        requested=message.requested,
        attempt=message.attempt,
        seed=message.seed,
        asset=message.asset,
        success=message.success,
        outcome=message.outcome,
        reason=message.reason,
        episode_id=message.episode_id,
        sim_time=message.sim_time,
        plan_time=message.plan_time,
        frames=message.frames,
    )


def _in_base(topic: str, frame: str) -> None:
    if frame not in ("", BASE):
        raise SensorError(f"{topic} is in frame {frame[:40]!r}, not in {BASE!r}")


def _finite(topic: str, *values: Array | float) -> None:
    if not all(np.isfinite(value).all() for value in values):
        raise SensorError(f"{topic}: a number is not finite")

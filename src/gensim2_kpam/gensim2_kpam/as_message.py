"""Scenes and trajectories as they arrive by message, without sending them.

A pose travels as a position and a unit quaternion, a time as whole nanoseconds; everything else is
float64 on both sides. The way there and back changes the last bits of a matrix, and a planner that
samples and optimises makes more of them: whoever plans without transport goes the same way, and
gets the same plan to the bit. The planner's own trajectories are rounded where they are made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from gensim2_control.trajectory import Trajectory
from numpy.typing import NDArray

from gensim2_tasks import se3

from .plan import SceneObject

Array = NDArray[np.float64]
NS = 1_000_000_000


def scene_as_sent(scene: SceneObject) -> SceneObject:
    """The scene as a planner gets it from `gensim2_msgs/msg/SceneState`."""
    T = scene.T_base_root
    return replace(
        scene,
        T_base_root=se3.from_xyz_quat(T[:3, 3], se3.quat_xyzw(T)),
        others=tuple(scene_as_sent(other) for other in scene.others),
    )


def trajectory_as_sent(trajectory: Trajectory) -> Trajectory:
    """The trajectory as a body gets it from `trajectory_msgs/msg/JointTrajectory`.

    Sent once more, it stays as it is.

    Raises:
        TrajectoryRejected: two of its times are within the same nanosecond.
    """
    parts = (divmod(round(float(t) * NS), NS) for t in trajectory.t)
    return replace(trajectory, t=np.array([s + ns / NS for s, ns in parts]))


def hold(q: Array, seconds: float) -> Trajectory:
    """Stays at a configuration (7,): what has been moved or put down may go on for a little."""
    rows = np.vstack([q, q])
    return trajectory_as_sent(Trajectory(np.array([0.0, seconds]), rows, np.zeros_like(rows)))

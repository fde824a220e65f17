"""Scenes as they arrive by message, without sending them.

A pose travels as a position and a unit quaternion. The way there and back changes the last bits
of a matrix, and a planner that samples and optimises makes more of them: whoever plans without
transport goes the same way, and gets the same plan to the bit. Times of trajectories are rounded
where they are made (`retiming.message_times`); everything else are float64 on both sides.
"""

from __future__ import annotations

from dataclasses import replace

from gensim2_tasks import se3

from .plan import SceneObject


def scene_as_sent(scene: SceneObject) -> SceneObject:
    """The scene as a planner gets it from `gensim2_msgs/msg/SceneState`."""
    T = scene.T_base_root
    return replace(scene, T_base_root=se3.from_xyz_quat(T[:3, 3], se3.quat_xyzw(T)))

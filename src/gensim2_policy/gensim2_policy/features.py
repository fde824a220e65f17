"""What the network sees of a state and says of an action, as numbers; the same in training and use.

Actions are said relative to the TCP and the joints measured at the present observation, so that a
policy says how to go on from where the arm is. Those of poses hold joints too: seven joints reach a
pose in many ways, and it takes the one of the demonstrations to go on from pose to pose. Rotations
are the first two columns of their matrix (Zhou et al. 2019). Shapes: leading axes are free.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]


STATE = 17
"""Numbers of a state: position of the TCP, its rotation, a finger, joints."""
TCP_COLUMNS = slice(0, 9)
"""Of an action of poses: the way of the TCP and its rotation; finger and joints follow."""


def columns_of(R: Array) -> Array:
    """The first two columns (..., 6) of rotation matrices (..., 3, 3)."""
    return np.concatenate([R[..., :, 0], R[..., :, 1]], -1)


def matrix_of(columns: Array) -> Array:
    """The rotation (..., 3, 3) whose first two columns are nearest to these (..., 6)."""
    x = columns[..., :3]
    x = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
    y = columns[..., 3:] - (x * columns[..., 3:]).sum(-1, keepdims=True) * x
    y = y / np.maximum(np.linalg.norm(y, axis=-1, keepdims=True), 1e-9)
    return np.stack([x, y, np.cross(x, y)], -1)


def rotation_of(tcp_pose: Array) -> Array:
    """Rotation matrices (..., 3, 3) of poses (..., 7): x y z, qx qy qz qw."""
    flat = Rotation.from_quat(tcp_pose[..., 3:].reshape(-1, 4)).as_matrix()
    return flat.reshape(*tcp_pose.shape[:-1], 3, 3)


def states(tcp_pose: Array, q: Array, finger: Array) -> Array:
    """States (..., `STATE`).

    Args:
        tcp_pose: (..., 7), of the TCP in base.
        q: (..., 7), rad.
        finger: (...,), position of a finger, m.
    """
    rotation = columns_of(rotation_of(tcp_pose))
    return np.concatenate([tcp_pose[..., :3], rotation, finger[..., None], q], -1)


def joint_actions(q_now: Array, q_ref: Array, finger_ref: Array) -> Array:
    """Actions (..., H, 8) of commanded joints (..., H, 7), from those (..., 7) measured now."""
    return np.concatenate([finger_ref[..., None], q_ref - q_now[..., None, :]], -1)


def tcp_actions(now: Array, ref: Array, q_now: Array, q_ref: Array, finger_ref: Array) -> Array:
    """Actions (..., H, 17) of commanded poses and the joints that reach them.

    The way of the TCP is in the axes of base, the rotation in those of the TCP as it is now.

    Args:
        now: (..., 7), the pose measured now.
        ref: (..., H, 7), the commanded poses.
        q_now: (..., 7), the joints measured now, rad.
        q_ref: (..., H, 7), the commanded joints, rad.
        finger_ref: (..., H), commanded positions of a finger, m.
    """
    R_now = rotation_of(now)[..., None, :, :]
    turned = R_now.swapaxes(-1, -2) @ rotation_of(ref)
    way = ref[..., :3] - now[..., None, :3]
    joints = joint_actions(q_now, q_ref, finger_ref)
    return np.concatenate([way, columns_of(turned), joints], -1)


def tcp_targets(now: Array, actions: Array) -> Array:
    """The poses T_base_tcp (..., H, 4, 4) that actions ask for; the inverse of `tcp_actions`."""
    T = np.zeros((*actions.shape[:-1], 4, 4))
    T[..., 3, 3] = 1.0
    T[..., :3, :3] = rotation_of(now)[..., None, :, :] @ matrix_of(actions[..., 3:9])
    T[..., :3, 3] = now[..., None, :3] + actions[..., :3]
    return T


def joint_targets(q_now: Array, actions: Array) -> tuple[Array, Array]:
    """What actions of either space ask of joints (..., H, 7), rad, and fingers (..., H), m."""
    return q_now[..., None, :] + actions[..., -7:], actions[..., -8]

"""Joints that bring the TCP to poses, near to given ones."""

from __future__ import annotations

import numpy as np
from gensim2_control.hardware import Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits
from scipy.spatial.transform import Rotation

ITERATIONS = 6
CLOSE = 1e-4  # m, and rad, that a pose may be off
LONGEST = 0.25  # rad, of a joint in one iteration
DAMPING = 0.03  # singular value of the Jacobian below which accuracy is given up for calmness
PULL = 0.5  # share of the way back that the spare joint goes in one iteration


def reach_poses(
    kinematics: Fr3Kinematics, q: Array, T_base_tcp: Array, limits: JointLimits
) -> Array:
    """Joints (H, 7), rad, of poses (H, 4, 4), each near to given joints (H, 7).

    By damped least squares (Nakamura and Hanafusa 1986), with the one spare joint drawn to where it
    is in the given joints. What cannot be reached is come near to.
    """
    pairs = zip(q, T_base_tcp, strict=True)
    return np.array([_reach(kinematics, near, T, limits) for near, T in pairs])


def _reach(kinematics: Fr3Kinematics, near: Array, T_target: Array, limits: JointLimits) -> Array:
    q = near
    for _ in range(ITERATIONS):
        T = kinematics.fk(q)
        turn = Rotation.from_matrix(T_target[:3, :3] @ T[:3, :3].T).as_rotvec()
        twist = np.concatenate([T_target[:3, 3] - T[:3, 3], turn])
        u, s, vt = np.linalg.svd(kinematics.jacobian(q))
        extra = DAMPING**2 - s[-1] ** 2 if s[-1] < DAMPING else 0.0
        dq = vt[:6].T @ ((s / (s**2 + extra)) * (u.T @ twist))
        spare = vt[6]
        dq = dq + PULL * spare * (spare @ (near - q))
        dq *= min(1.0, LONGEST / max(float(np.abs(dq).max()), 1e-12))
        q = np.clip(q + dq, limits.q_min, limits.q_max)
        if np.abs(twist).max() < CLOSE:
            break
    return q

"""Joint positions for a pose near known ones: damped least squares, for importers."""

from __future__ import annotations

import numpy as np
from gensim2_control.kinematics import Fr3Kinematics
from scipy.spatial.transform import Rotation

from gensim2_episodes.frame import Array

_STEPS = 60
_DAMPING = 1e-3
_LONGEST_STEP = 0.3  # rad
_CLOSE = 1e-9


def joints_at(
    kinematics: Fr3Kinematics, T_base_link: Array, q: Array, link: str
) -> tuple[Array, float]:
    """Joint positions that bring a link to a pose, near given ones.

    Args:
        kinematics: Of the robot.
        T_base_link: (4, 4) the pose.
        q: (7,) where to begin [rad].
        link: The link.

    Returns:
        (7,) joint positions [rad], and what is left of the error: the norm of m and rad together.
        Joint limits are not looked at.
    """
    q = np.array(q, dtype=np.float64)
    error = _error(kinematics.fk(q, link), T_base_link)
    for _ in range(_STEPS):
        if np.linalg.norm(error) < _CLOSE:
            break
        J = kinematics.jacobian(q, link)
        step = J.T @ np.linalg.solve(J @ J.T + _DAMPING**2 * np.eye(6), error)
        q += step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        error = _error(kinematics.fk(q, link), T_base_link)
    return q, float(np.linalg.norm(error))


def _error(T: Array, T_wanted: Array) -> Array:
    turn = Rotation.from_matrix(T_wanted[:3, :3] @ T[:3, :3].T).as_rotvec()
    return np.concatenate([T_wanted[:3, 3] - T[:3, 3], turn])

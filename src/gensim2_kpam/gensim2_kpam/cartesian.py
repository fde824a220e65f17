"""Joint paths that follow hand poses, by damped least squares from a known configuration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv
from scipy.spatial.transform import Rotation, Slerp

from .arm_model import ArmModel

Array = NDArray[np.float64]
STEP = 0.01  # m between poses of a path
STEP_ANGLE = 0.06  # rad between poses of a path
SAME_ROTATION = 1e-9  # difference of matrix elements
MAX_ITERATIONS = 15
POSITION_TOLERANCE = 5e-4  # m, reached by iteration
ANGLE_TOLERANCE = 2e-3  # rad
POSITION_LIMIT = 5e-3  # m, beyond which a pose counts as out of reach
ANGLE_LIMIT = 0.05  # rad
JUMP_LIMIT = 0.35  # rad between neighbouring poses
DAMPING = 5e-4 * np.eye(6)
STALLED = 0.97  # an iteration that leaves more of the error than this has reached its limit
MAX_STEP = 0.25  # rad, of one iteration


@dataclass(frozen=True)
class Unreachable:
    """Where and why a Cartesian path cannot be followed."""

    fraction: float
    reason: str


def interpolate(T_from: Array, T_to: Array) -> list[Array]:
    """Poses from one to the other, both included: straight in position, slerp in rotation."""
    distance = np.linalg.norm(T_to[:3, 3] - T_from[:3, 3])
    if np.abs(T_to[:3, :3] - T_from[:3, :3]).max() < SAME_ROTATION:
        # Most pieces do not turn, and slerp is dear.
        count = max(1, math.ceil(distance / STEP))
        poses = np.tile(T_from, (count + 1, 1, 1))
        poses[:, :3, 3] += np.linspace(0.0, 1.0, count + 1)[:, None] * (T_to - T_from)[:3, 3]
        poses[-1] = T_to
        return list(poses)
    rotations = Rotation.from_matrix(np.stack([T_from[:3, :3], T_to[:3, :3]]))
    angle = (rotations[0].inv() * rotations[1]).magnitude()
    count = max(1, int(np.ceil(max(distance / STEP, angle / STEP_ANGLE))))
    fractions = np.linspace(0.0, 1.0, count + 1)
    turned = Slerp([0.0, 1.0], rotations)(fractions).as_matrix()
    poses = np.tile(np.eye(4), (count + 1, 1, 1))
    poses[:, :3, :3] = turned
    poses[:, :3, 3] = T_from[:3, 3] + fractions[:, None] * (T_to[:3, 3] - T_from[:3, 3])
    return list(poses)


def through(keys: Sequence[Array]) -> list[Array]:
    """Poses from key pose to key pose, all of them included."""
    poses = [keys[0]]
    for T_from, T_to in pairwise(keys):
        poses += interpolate(T_from, T_to)[1:]
    return poses


@overload
def follow(
    arm: ArmModel, poses: Sequence[Array], q_start: Array, *, partial: Literal[True]
) -> Array: ...


@overload
def follow(
    arm: ArmModel, poses: Sequence[Array], q_start: Array, *, partial: Literal[False] = False
) -> Array | Unreachable: ...


def follow(
    arm: ArmModel, poses: Sequence[Array], q_start: Array, *, partial: bool = False
) -> Array | Unreachable:
    """Joint path (N, 7) through hand poses in base, each solved from the one before.

    Args:
        arm: The arm.
        poses: T_base_hand, close together; the first is near ``q_start``.
        q_start: Configuration (7,) to start from, rad.
        partial: Return the part that can be reached (M <= N poses) instead of ``Unreachable``.
    """
    path: list[Array] = []
    q = np.array(q_start)
    for i, T in enumerate(poses):
        solved, p_error, r_error = _solve(arm, T, q)
        reason = ""
        if p_error > POSITION_LIMIT or r_error > ANGLE_LIMIT:
            reason = f"off by {1e3 * p_error:.0f} mm and {r_error:.2f} rad"
        elif i and np.max(np.abs(solved - q)) > JUMP_LIMIT:
            reason = "the joints jump"
        if reason and partial:
            break
        if reason:
            return Unreachable(i / max(1, len(poses) - 1), reason)
        q = solved
        path.append(q)
    return np.array(path).reshape(-1, q.size)


def follow_from(arm: ArmModel, poses: Sequence[Array], q: Array) -> Array:
    """The part (M <= N, 7) of a path that can be reached, which begins at ``q`` itself.

    What has been solved for the first pose before is taken as it is: solved again it would be a
    little beside, and a motion would not begin where the one before it has ended.
    """
    return np.vstack([q, follow(arm, poses[1:], q, partial=True)])


def _solve(arm: ArmModel, T: Array, q: Array) -> tuple[Array, float, float]:
    q = q.copy()
    p_error = r_error = np.inf
    for _ in range(MAX_ITERATIONS):
        T_now = arm.fk(q)
        dp = T[:3, 3] - T_now[:3, 3]
        dr = _rotation_error(T_now[:3, :3], T[:3, :3])
        before = p_error + r_error
        p_error, r_error = math.sqrt(dp @ dp), math.sqrt(dr @ dr)
        if p_error < POSITION_TOLERANCE and r_error < ANGLE_TOLERANCE:
            break
        if p_error + r_error > STALLED * before:
            break
        J = arm.jacobian(q)
        # The bare routine, for these are many and small; damped, the matrix is positive definite.
        _, x, _ = dposv(J @ J.T + DAMPING, np.concatenate([dr, dp]))
        step = J.T @ x
        largest = float(np.abs(step).max())
        if largest > MAX_STEP:
            step *= MAX_STEP / largest
        q = np.minimum(np.maximum(q + step, arm.q_min), arm.q_max)
    return q, p_error, r_error


def _rotation_error(R_now: Array, R_goal: Array) -> Array:
    """Rotation vector (small angle, in base) from one rotation to the other."""
    R = R_goal @ R_now.T
    return 0.5 * np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])

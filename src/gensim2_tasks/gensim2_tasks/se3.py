"""Rigid transforms as 4x4 float64 arrays named ``T_a_b`` (maps b coordinates to a).

Quaternions are xyzw. Rotations come from scipy; this module only joins them with translations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]


def transform(
    p: ArrayLike = (0.0, 0.0, 0.0), rotation: ArrayLike | Rotation | None = None
) -> Array:
    """Builds a transform from a translation (3,) in m and a rotation.

    Args:
        p: Origin of b in a.
        rotation: scipy Rotation or 3x3 matrix of b in a; None is the identity.
    """
    T = np.eye(4)
    T[:3, 3] = np.asarray(p, dtype=float)
    if isinstance(rotation, Rotation):
        T[:3, :3] = rotation.as_matrix()
    elif rotation is not None:
        T[:3, :3] = np.asarray(rotation, dtype=float)
    return T


def from_xyz_quat(p: ArrayLike, q_xyzw: ArrayLike) -> Array:
    """Builds a transform from a translation (3,) and a quaternion (4,) in xyzw order."""
    return transform(p, Rotation.from_quat(np.asarray(q_xyzw, dtype=float)))


def from_xyz_rpy(p: ArrayLike, rpy: ArrayLike) -> Array:
    """Builds a transform from a translation and URDF roll, pitch, yaw (static axes x, y, z)."""
    return transform(p, Rotation.from_euler("xyz", np.asarray(rpy, dtype=float)))


def quat_xyzw(T: Array) -> Array:
    """Quaternion (4,) of a transform, xyzw with w >= 0."""
    return np.asarray(Rotation.from_matrix(T[:3, :3]).as_quat(canonical=True))


def inverse(T: Array) -> Array:
    """Inverse of a rigid transform."""
    R = T[:3, :3]
    result = np.eye(4)
    result[:3, :3] = R.T
    result[:3, 3] = -R.T @ T[:3, 3]
    return result


def apply(T: Array, points: ArrayLike) -> Array:
    """Maps points (..., 3) of b to a."""
    p = np.asarray(points, dtype=float)
    return p @ T[:3, :3].T + T[:3, 3]


def about_line(point: ArrayLike, axis: ArrayLike, angle: float) -> Array:
    """Rotation by ``angle`` (rad) about the line through ``point`` with unit direction ``axis``."""
    point = np.asarray(point, dtype=float)
    R = Rotation.from_rotvec(np.asarray(axis, dtype=float) * angle).as_matrix()
    return transform(point - R @ point, R)


def yaw_of(T: Array) -> float:
    """Rotation of the x axis about z, in rad."""
    return float(np.arctan2(T[1, 0], T[0, 0]))

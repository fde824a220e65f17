"""Quaternions and 4x4 homogeneous matrices, on top of transforms3d.

Quaternions are (x, y, z, w), as in messages; transforms3d has (w, x, y, z). Functions bear the
upstream names. Euler axes are written as 'sxyz' (s: static, r: rotating frame).
"""

from typing import Any

import numpy as np
import transforms3d.affines
import transforms3d.axangles
import transforms3d.euler
import transforms3d.quaternions
from numpy.typing import ArrayLike

TRANSLATION_IDENTITY = [0.0, 0.0, 0.0]
ROTATION_IDENTITY = np.identity(3)
ZOOM_IDENTITY = [1.0, 1.0, 1.0]
SHEAR_IDENTITY = TRANSLATION_IDENTITY


def _wxyz(quaternion: ArrayLike) -> np.ndarray:
    return np.roll(np.asarray(quaternion, dtype=float), 1)


def _xyzw(quaternion: ArrayLike) -> np.ndarray:
    return np.roll(np.asarray(quaternion, dtype=float), -1)


def _affine(translation: ArrayLike, rotation: ArrayLike) -> np.ndarray:
    return transforms3d.affines.compose(
        np.asarray(translation, dtype=float), np.asarray(rotation), ZOOM_IDENTITY
    )


# --- matrices


def identity_matrix() -> np.ndarray:
    """The 4x4 identity."""
    return np.identity(4)


def translation_matrix(direction: ArrayLike) -> np.ndarray:
    """The 4x4 matrix that moves by a vector."""
    return _affine(direction, ROTATION_IDENTITY)


def translation_from_matrix(matrix: ArrayLike) -> np.ndarray:
    """The vector a 4x4 matrix moves by."""
    return np.array(matrix, dtype=float)[:3, 3]


def rotation_matrix(angle: float, direction: ArrayLike, point: ArrayLike | None = None) -> Any:
    """The 4x4 matrix that turns by `angle` [rad] about an axis through `point` (or 0)."""
    return transforms3d.axangles.axangle2aff(
        np.asarray(direction, dtype=float), angle, None if point is None else np.asarray(point)
    )


def rotation_from_matrix(matrix: ArrayLike) -> tuple[float, np.ndarray, np.ndarray]:
    """Angle [rad], axis and a point (homogeneous) on it of a 4x4 rotation matrix."""
    axis, angle, point = transforms3d.axangles.aff2axangle(np.asarray(matrix, dtype=float))
    return angle, axis, np.append(np.asarray(point)[:3], 1.0)


def scale_matrix(factor: float) -> np.ndarray:
    """The 4x4 matrix that scales about the origin."""
    return np.diag([factor, factor, factor, 1.0])


def concatenate_matrices(*matrices: ArrayLike) -> np.ndarray:
    """The product of matrices from left to right."""
    product = np.identity(4)
    for matrix in matrices:
        product = product @ np.asarray(matrix)
    return product


def inverse_matrix(matrix: ArrayLike) -> np.ndarray:
    """The inverse of a square matrix."""
    return np.linalg.inv(np.asarray(matrix, dtype=float))


def is_same_transform(matrix0: ArrayLike, matrix1: ArrayLike) -> bool:
    """Whether two 4x4 matrices are the same transform up to a common factor."""
    a, b = np.array(matrix0, dtype=float), np.array(matrix1, dtype=float)
    return bool(np.allclose(a / a[3, 3], b / b[3, 3]))


def compose_matrix(
    scale: ArrayLike | None = None,
    shear: ArrayLike | None = None,
    angles: ArrayLike | None = None,
    translate: ArrayLike | None = None,
) -> np.ndarray:
    """The 4x4 matrix of scale, shear, Euler angles 'sxyz' [rad] and translation."""
    return transforms3d.affines.compose(
        TRANSLATION_IDENTITY if translate is None else np.asarray(translate, dtype=float),
        ROTATION_IDENTITY if angles is None else transforms3d.euler.euler2mat(*np.asarray(angles)),
        ZOOM_IDENTITY if scale is None else np.asarray(scale, dtype=float),
        SHEAR_IDENTITY if shear is None else np.asarray(shear, dtype=float),
    )


def decompose_matrix(
    matrix: ArrayLike,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scale, shear, Euler angles 'sxyz' [rad] and translation of a 4x4 matrix."""
    translation, rotation, scale, shear = transforms3d.affines.decompose44(
        np.asarray(matrix, dtype=float)
    )
    return scale, shear, np.asarray(transforms3d.euler.mat2euler(rotation)), translation


# --- Euler angles


def euler_matrix(ai: float, aj: float, ak: float, axes: str = "sxyz") -> np.ndarray:
    """The 4x4 matrix of Euler angles [rad]."""
    return _affine(TRANSLATION_IDENTITY, transforms3d.euler.euler2mat(ai, aj, ak, axes=axes))


def euler_from_matrix(matrix: ArrayLike, axes: str = "sxyz") -> tuple[float, float, float]:
    """The Euler angles [rad] of a 3x3 or 4x4 matrix."""
    angles: tuple[float, float, float] = transforms3d.euler.mat2euler(
        np.asarray(matrix)[:3, :3], axes=axes
    )
    return angles


def euler_from_quaternion(quaternion: ArrayLike, axes: str = "sxyz") -> tuple[float, float, float]:
    """The Euler angles [rad] of a quaternion (x, y, z, w)."""
    angles: tuple[float, float, float] = transforms3d.euler.quat2euler(_wxyz(quaternion), axes=axes)
    return angles


# --- quaternions


def quaternion_from_euler(ai: float, aj: float, ak: float, axes: str = "sxyz") -> np.ndarray:
    """The quaternion (x, y, z, w) of Euler angles [rad]."""
    return _xyzw(transforms3d.euler.euler2quat(ai, aj, ak, axes=axes))


def quaternion_about_axis(angle: float, axis: ArrayLike) -> np.ndarray:
    """The quaternion (x, y, z, w) that turns by `angle` [rad] about an axis."""
    return _xyzw(transforms3d.quaternions.axangle2quat(np.asarray(axis, dtype=float), angle))


def quaternion_matrix(quaternion: ArrayLike) -> np.ndarray:
    """The 4x4 matrix of a quaternion (x, y, z, w)."""
    return _affine(TRANSLATION_IDENTITY, transforms3d.quaternions.quat2mat(_wxyz(quaternion)))


def quaternion_from_matrix(matrix: ArrayLike) -> np.ndarray:
    """The quaternion (x, y, z, w) of a 3x3 or 4x4 matrix."""
    return _xyzw(transforms3d.quaternions.mat2quat(np.asarray(matrix)[:3, :3]))


def quaternion_multiply(quaternion1: ArrayLike, quaternion0: ArrayLike) -> np.ndarray:
    """The rotation `quaternion0` followed by `quaternion1`, both (x, y, z, w)."""
    return _xyzw(transforms3d.quaternions.qmult(_wxyz(quaternion1), _wxyz(quaternion0)))


def quaternion_conjugate(quaternion: ArrayLike) -> np.ndarray:
    """The quaternion with its vector part negated."""
    return _xyzw(transforms3d.quaternions.qconjugate(_wxyz(quaternion)))


def quaternion_inverse(quaternion: ArrayLike) -> np.ndarray:
    """The opposite rotation."""
    return _xyzw(transforms3d.quaternions.qinverse(_wxyz(quaternion)))


def quaternion_slerp(
    quat0: ArrayLike,
    quat1: ArrayLike,
    fraction: float,
    spin: int = 0,
    shortestpath: bool = True,
) -> np.ndarray:
    """The rotation between two quaternions: `fraction` 0 gives the first, 1 the second.

    Args:
        quat0: the first, (x, y, z, w).
        quat1: the second.
        fraction: where between them.
        spin: additional half turns on the way.
        shortestpath: go the shorter way round.
    """
    q0, q1 = unit_vector(quat0), unit_vector(quat1)
    if fraction in (0.0, 1.0):
        return q1 if fraction else q0
    dot = float(np.dot(q0, q1))
    if abs(abs(dot) - 1.0) < 4e-16 and not spin:
        return q0
    if shortestpath and dot < 0.0:
        dot, q1 = -dot, -q1
    angle = np.arccos(np.clip(dot, -1.0, 1.0)) + spin * np.pi
    if abs(angle) < 4e-16:
        return q0
    scale = 1.0 / np.sin(angle)
    return np.asarray(
        (q0 * np.sin((1.0 - fraction) * angle) + q1 * np.sin(fraction * angle)) * scale
    )


def random_quaternion(rand: ArrayLike | None = None) -> np.ndarray:
    """A uniformly distributed unit quaternion (x, y, z, w).

    Args:
        rand: three numbers in [0, 1) that decide it; drawn anew if None.
    """
    u = np.random.default_rng().random(3) if rand is None else np.asarray(rand, dtype=float)
    inner, outer = np.sqrt(1.0 - u[0]), np.sqrt(u[0])
    a, b = 2.0 * np.pi * u[1], 2.0 * np.pi * u[2]
    return np.array([np.sin(a) * inner, np.cos(a) * inner, np.sin(b) * outer, np.cos(b) * outer])


def random_rotation_matrix(rand: ArrayLike | None = None) -> np.ndarray:
    """The 4x4 matrix of a `random_quaternion`."""
    return quaternion_matrix(random_quaternion(rand))


# --- vectors


def vector_norm(data: ArrayLike, axis: int | None = None, out: np.ndarray | None = None) -> Any:
    """The length of a vector, or of those along an axis."""
    norm = np.linalg.norm(np.asarray(data, dtype=float), axis=axis)
    if out is None:
        return norm
    out[...] = norm
    return None


def unit_vector(data: ArrayLike, axis: int | None = None) -> np.ndarray:
    """The vector scaled to length 1, or those along an axis."""
    vectors = np.asarray(data, dtype=float)
    if axis is None:
        return np.asarray(vectors / np.linalg.norm(vectors))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=axis, keepdims=True))


def random_vector(size: int) -> np.ndarray:
    """Uniform random numbers in [0, 1)."""
    return np.random.default_rng().random(size)


def vector_product(v0: ArrayLike, v1: ArrayLike, axis: int = 0) -> np.ndarray:
    """The cross product of vectors along an axis."""
    return np.cross(np.asarray(v0), np.asarray(v1), axis=axis)


def angle_between_vectors(
    v0: ArrayLike, v1: ArrayLike, directed: bool = True, axis: int = 0
) -> Any:
    """The angle [rad] between vectors along an axis; undirected ones differ by at most pi/2."""
    a, b = np.asarray(v0, dtype=float), np.asarray(v1, dtype=float)
    cosine = np.sum(a * b, axis=axis)
    cosine = cosine / (np.linalg.norm(a, axis=axis) * np.linalg.norm(b, axis=axis))
    return np.arccos(np.clip(cosine if directed else np.abs(cosine), -1.0, 1.0))

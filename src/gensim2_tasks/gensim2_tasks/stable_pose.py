"""On which side a rigid object stands, from its geometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.transform import Rotation

from .se3 import Array

Numbers = NDArray[np.intp]
# An object that tips over when tilted by less is not put down on that side; nor does it stand on a
# face of it on which it would tip when tilted by less.
STEADY, BALANCED = np.radians(3.0), np.radians(1.0)
# Of the size of the object: what is that near to the table carries it too. A flat side is even up
# to the digits of its file; sides of scanned things are not flat.
EVEN, UNEVEN = 1e-5, 0.002


def resting_rotation(points: Array, p_mass: Array) -> Array:
    """Rotation (3, 3) with which an object stands on a level table, turned as little as can be.

    Of the sides of its convex hull on which it stands steadily, the one that is the lowest as the
    object is given; on a side that is not flat, the nearest face to it that it does not roll off.

    Args:
        points: (N, 3) what the object is the hull of.
        p_mass: (3,) its centre of mass.

    Raises:
        ValueError: The points have no hull with a volume.
    """
    try:
        hull = ConvexHull(points)
    except QhullError as error:
        raise ValueError("the points lie in one plane") from error
    corners = points[hull.vertices]
    normals = hull.equations[:, :3]
    normals = normals[np.unique(np.round(normals, 5), axis=0, return_index=True)[1]]
    down = np.array([0.0, 0.0, -1.0])
    side = _first(corners, p_mass, normals, down, UNEVEN, STEADY)
    return _turned_down(_first(corners, p_mass, normals, side, EVEN, BALANCED))


def _first(
    points: Array, p_mass: Array, normals: Array, wanted: Array, uneven: float, least: float
) -> Array:
    """Of the normals (M, 3) the nearest to a wanted one on which an object stands well enough.

    Where it does so on none, the one on which it stands best.
    """
    best, best_angle = wanted, -np.inf
    for normal in normals[np.argsort(-normals @ wanted, kind="stable")]:
        angle = _tipping_angle(points, p_mass, normal, uneven)
        if angle >= least:
            return normal
        if angle > best_angle:
            best, best_angle = normal, angle
    return best


def carriers(points: Array, normal: Array, uneven: float) -> Numbers:
    """Numbers of the points (N, 3) on which an object stands with ``normal`` (3,) downwards.

    Args:
        points: The points.
        normal: The direction.
        uneven: How far from the table they are at most, by the size of the object.
    """
    depth = points @ normal
    return np.flatnonzero(depth > depth.max() - uneven * float(np.ptp(points, axis=0).max()))


def _tipping_angle(points: Array, p_mass: Array, normal: Array, uneven: float) -> float:
    """How far (rad) an object on a side may be tilted before it falls; below 0 it falls anyway."""
    across = np.linalg.svd(normal[None])[2][1:]
    try:
        base = ConvexHull((points[carriers(points, normal, uneven)] - p_mass) @ across.T)
    except (QhullError, ValueError):
        return -np.inf  # it would stand on a point or an edge
    reach = -float(base.equations[:, 2].max())
    height = float((points @ normal).max() - p_mass @ normal)
    return float(np.arctan2(reach, height))


def _turned_down(normal: Array) -> Array:
    """The shortest rotation that takes a unit vector to -z."""
    down = np.array([0.0, 0.0, -1.0])
    axis = np.cross(normal, down)
    sine, cosine = float(np.linalg.norm(axis)), float(normal @ down)
    if sine < 1e-9:
        return np.eye(3) if cosine > 0.0 else np.diag([1.0, -1.0, -1.0])
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()

"""The open hand as a few points and a few solids, for a first look at a great many poses.

Frame ``fr3_hand``, m. What passes here is looked at again with the shapes that collide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

Array = NDArray[np.float64]
TOUCH = 1e-3  # m; what is less deep in something only touches it


def _grid(x: Sequence[float], y: Sequence[float], z: Sequence[float]) -> Array:
    return np.array([*product(x, y, z)])


def _box(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Array:
    """Rows n, d of a box: n @ p <= d within."""
    rows = []
    for axis, (low, high) in enumerate((x, y, z)):
        normal = np.eye(3)[axis]
        rows += [[*normal, high], [*-normal, -low]]
    return np.array(rows)


# Points of hand, fingers and wrist.
HAND_POINTS = np.concatenate(
    [
        _grid((-0.031, 0.031), (-0.1, -0.05, 0.0, 0.05, 0.1), (0.0, 0.03, 0.064)),
        _grid((-0.01, 0.01), (-0.05, 0.05), (0.085, 0.11)),
        _grid((-0.055, 0.055), (-0.055, 0.055), (-0.1, -0.05)),
    ]
)
HAND_SOLIDS = (
    _box((-0.031, 0.031), (-0.1, 0.1), (0.0, 0.066)),
    _box((-0.055, 0.055), (-0.055, 0.055), (-0.11, 0.0)),
)
FINGER_SOLIDS = (
    _box((-0.0105, 0.0105), (0.04, 0.053), (0.066, 0.112)),
    _box((-0.0105, 0.0105), (-0.053, -0.04), (0.066, 0.112)),
)


def meets(points: Array, solids: Iterable[Array]) -> bool:
    """Whether one of the points (N, 3) is in a solid (rows n, d), and not only on it."""
    return any(bool(np.any(np.all(points @ s[:, :3].T < s[:, 3] - TOUCH, axis=1))) for s in solids)


def surface_points(pieces: Iterable[Array], apart: float) -> Array:
    """Points (N, 3) on the edges of convex pieces (vertices (N, 3)), on a grid of ``apart`` m."""
    points = []
    for vertices in pieces:
        corners = vertices[_triangles(vertices)]
        ends = np.roll(corners, 1, axis=1)
        steps = int(np.ceil(np.linalg.norm(ends - corners, axis=2).max() / apart)) + 1
        shares = np.linspace(0.0, 1.0, steps)[:, None, None, None]
        points.append((corners + shares * (ends - corners)).reshape(-1, 3))
    return np.asarray(np.unique(np.round(np.concatenate(points) / apart), axis=0) * apart)


def _triangles(vertices: Array) -> NDArray[np.int32]:
    """Vertex indices (M, 3) of the faces of a hull; the shelf of an imported object may be flat."""
    try:
        return ConvexHull(vertices).simplices
    except QhullError:
        return ConvexHull(vertices, qhull_options="QJ").simplices

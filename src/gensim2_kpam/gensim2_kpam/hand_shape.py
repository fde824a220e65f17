"""The open hand as a few points and a few solids, for a first look at a great many poses.

Frame ``fr3_hand``, m. What passes here is looked at again with the shapes that collide.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

Array = NDArray[np.float64]
FLAT = 2.5e-4  # m, half of the thickness of what has none
TOUCH = 1e-3  # m; what is less deep in something only touches it


def _grid(x: Iterable[float], y: Iterable[float], z: Iterable[float]) -> Array:
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


@functools.cache
def hand_points(*, closed: bool, apart: float) -> Array:
    """Points (N, 3) on the surfaces of fingers, at most so far apart (m), and of hand and wrist.

    Those of hand and wrist are twice as far apart.
    """
    fingers = ((-0.011, 0.011),) if closed else ((0.042, 0.052), (-0.052, -0.042))
    solids = [(((-0.0095, 0.0095), y, (0.07, 0.1115)), apart) for y in fingers]
    solids.append((((-0.029, 0.029), (-0.098, 0.098), (0.002, 0.064)), 2.0 * apart))
    solids.append((((-0.052, 0.052), (-0.052, 0.052), (-0.1, 0.0)), 2.0 * apart))
    found = []
    for spans, step in solids:
        axes = [np.linspace(a, b, int(np.ceil((b - a) / step)) + 1) for a, b in spans]
        grid = _grid(*axes)
        on = [np.isin(grid[:, i], span) for i, span in enumerate(spans)]
        found.append(grid[np.any(on, axis=0)])
    return np.concatenate(found)


def meets(points: Array, solids: Iterable[Array]) -> bool:
    """Whether one of the points (N, 3) is in a solid (rows n, d), and not only on it."""
    return any(bool(np.any(np.all(points @ s[:, :3].T < s[:, 3] - TOUCH, axis=1))) for s in solids)


def surface_points(pieces: Iterable[Array], apart: float) -> Array:
    """Points (N, 3) on the edges of convex pieces (vertices (N, 3)), on a grid of ``apart`` m."""
    points = []
    for vertices in pieces:
        hull = hull_of(vertices)
        corners = hull.points[hull.simplices]
        ends = np.roll(corners, 1, axis=1)
        steps = int(np.ceil(np.linalg.norm(ends - corners, axis=2).max() / apart)) + 1
        shares = np.linspace(0.0, 1.0, steps)[:, None, None, None]
        points.append((corners + shares * (ends - corners)).reshape(-1, 3))
    return np.asarray(np.unique(np.round(np.concatenate(points) / apart), axis=0) * apart)


def hull_of(vertices: Array) -> ConvexHull:
    """The hull of a piece (vertices (N, 3)); a flat one gets some thickness."""
    try:
        return ConvexHull(vertices)
    except QhullError:
        normal = np.linalg.svd(vertices - vertices.mean(axis=0))[2][-1]
        return ConvexHull(np.concatenate([vertices + side * FLAT * normal for side in (-1.0, 1.0)]))

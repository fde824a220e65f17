"""Free space between convex hulls: on a grid of voxels, and as boxes that grow to the walls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, QhullError

from .se3 import Array

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Hull:
    """A convex hull in 3 dimensions, or 2: vertices (N, D), m.

    ``planes`` (M, D + 1) are rows of unit normals n and distances d with ``n @ p <= d`` inside.
    """

    vertices: Array
    planes: Array

    @classmethod
    def of(cls, vertices: Array) -> Hull | None:
        """The hull of points (N, D); None where they are all one point.

        One that is flat gets a thickness of a hair.
        """
        try:
            equations = ConvexHull(vertices).equations
        except QhullError:
            try:
                equations = ConvexHull(vertices, qhull_options="QJ").equations
            except QhullError:
                return None
        planes = np.unique(np.round(equations, 9), axis=0)
        return cls(vertices, np.column_stack([planes[:, :-1], -planes[:, -1]]))


@dataclass(frozen=True)
class Grid:
    """Cubes with edge ``voxel`` (m); ``low`` (3,) is the lower corner of the first."""

    low: Array
    voxel: float
    shape: tuple[int, int, int]

    @classmethod
    def around(cls, points: Array, voxel: float, margin: int = 2) -> Grid:
        """A grid about points (N, 3), and ``margin`` cubes more on every side."""
        low = points.min(axis=0) - margin * voxel
        count = np.ceil(np.ptp(points, axis=0) / voxel).astype(int) + 2 * margin
        return cls(low, voxel, (int(count[0]), int(count[1]), int(count[2])))

    def centres(self, index: NDArray[np.int64]) -> Array:
        """Centres (N, 3) of the cubes with these indices (N, 3), m."""
        return np.asarray(self.low + (index + 0.5) * self.voxel)

    def occupied(self, hulls: Sequence[Hull]) -> Mask:
        """Which cubes a hull may reach into; every cube that is left is free as a whole."""
        result = np.zeros(self.shape, dtype=bool)
        half = 0.5 * self.voxel
        for hull in hulls:
            first = np.floor((hull.vertices.min(axis=0) - self.low) / self.voxel).astype(int)
            last = np.floor((hull.vertices.max(axis=0) - self.low) / self.voxel).astype(int) + 1
            first, last = np.maximum(first, 0), np.minimum(last, self.shape)
            if np.any(last <= first):
                continue
            axes = [
                self.low[i] + (np.arange(first[i], last[i]) + 0.5) * self.voxel for i in range(3)
            ]
            part = np.ones(tuple(last - first), dtype=bool)
            for a, b, c, d in hull.planes:
                # A cube whose nearest corner is beyond the plane is beyond the hull.
                limit = d + half * (abs(a) + abs(b) + abs(c)) - 1e-7
                part &= (a * axes[0][:, None, None] + b * axes[1][:, None] + c * axes[2]) < limit
            result[tuple(slice(i, j) for i, j in zip(first, last, strict=True))] |= part
        return result

    def tops(self, hulls: Sequence[Hull], below: float) -> Array:
        """Height (nx, ny) of the highest hull over each column that is not above ``below``, m.

        -inf where there is none. Heights are those at the middle of the columns.
        """
        result = np.full(self.shape[:2], -np.inf)
        x = (self.low[0] + (np.arange(self.shape[0]) + 0.5) * self.voxel)[:, None]
        y = (self.low[1] + (np.arange(self.shape[1]) + 0.5) * self.voxel)[None]
        for hull in hulls:
            top = np.full(self.shape[:2], np.inf)
            bottom = np.full(self.shape[:2], -np.inf)
            for a, b, c, d in hull.planes:
                rest = d - a * x - b * y
                if c > 1e-6:
                    np.minimum(top, rest / c, out=top)
                elif c < -1e-6:
                    np.maximum(bottom, rest / c, out=bottom)
                else:
                    top[rest < 0.0] = -np.inf
            # The planes of a flat hull say little about where it ends.
            low, high = hull.vertices.min(axis=0), hull.vertices.max(axis=0)
            over = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
            hit = over & (top >= bottom) & (top <= below) & (top > result)
            result[hit] = top[hit]
        return result


def seen_from(occupied: Mask, axis: int, sign: int) -> Mask:
    """Cubes from which a ray along an axis meets something."""
    flipped = np.flip(occupied, axis) if sign > 0 else occupied
    before = np.logical_or.accumulate(flipped, axis=axis)
    return np.flip(before, axis) if sign > 0 else before


def largest_cuboid(
    mask: Mask,
    cell: NDArray[np.int64],
    across: NDArray[np.bool_],
    edges: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First (3,) and last (3,) index of the largest cuboid of cubes that are all in ``mask``.

    Looks at every pair of bounds along the first two axes; so keep the mask small.

    Args:
        mask: Of the free cubes.
        cell: Index (3,) of the cube that it should hold.
        across: (3,) in which directions it should; where there is no such cuboid, it need not.
        edges: (3,) lengths in cubes beyond which an edge counts no more.
    """
    nx, ny, nz = mask.shape
    holes = np.zeros((nx + 1, ny + 1, nz), dtype=np.int32)
    holes[1:, 1:] = np.cumsum(np.cumsum(~mask, axis=0), axis=1)
    x0, x1 = np.triu_indices(nx)
    y0, y1 = np.triu_indices(ny)
    x0, x1, y0, y1 = x0[:, None], x1[:, None], y0[None], y1[None]
    ex, ey, ez = np.array(mask.shape) if edges is None else edges
    area = np.minimum(x1 - x0 + 1, ex) * np.minimum(y1 - y0 + 1, ey)
    holds_x = ~across[0] | ((x0 <= cell[0]) & (cell[0] <= x1))
    holds_y = ~across[1] | ((y0 <= cell[1]) & (cell[1] <= y1))
    run = np.zeros((x0.size, y0.size), dtype=np.int32)
    best, length, end = np.zeros(run.shape), run.copy(), run.copy()
    for z in range(nz):
        layer = holes[:, :, z]
        missing = layer[x1 + 1, y1 + 1] - layer[x0, y1 + 1] - layer[x1 + 1, y0] + layer[x0, y0]
        run = np.where(missing == 0, run + 1, 0)
        holds = holds_x & holds_y & (~across[2] | ((z - run < cell[2]) & (cell[2] <= z)))
        # The whole volume decides between those that are equal otherwise.
        score = area * np.minimum(run, ez) * (1.0 + 1e3 * holds)
        score += 1e-6 * (x1 - x0 + 1) * (y1 - y0 + 1) * run
        better = score > best
        best[better] = score[better]
        length[better] = run[better]
        end[better] = z
    i, j = np.unravel_index(int(np.argmax(best)), best.shape)
    z1 = int(end[i, j])
    first = np.array([x0[i, 0], y0[0, j], z1 - int(length[i, j]) + 1])
    return first, np.array([x1[i, 0], y1[0, j], z1])


def widen(
    mask: Mask, first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last index of a cuboid (3,) after it has grown within ``mask``, side by side."""
    ends = np.stack([first, last])
    growing = True
    while growing:
        growing = False
        for axis in range(3):
            for end, step in ((0, -1), (1, 1)):
                index = int(ends[end, axis]) + step
                if not 0 <= index < mask.shape[axis]:
                    continue
                window = [slice(a, b + 1) for a, b in zip(ends[0], ends[1], strict=True)]
                window[axis] = slice(index, index + 1)
                if mask[tuple(window)].all():
                    ends[end, axis] = index
                    growing = True
    return ends[0], ends[1]


def grow(
    low: Array,
    high: Array,
    hulls: Sequence[Hull],
    faces: Sequence[tuple[int, int]],
    *,
    reach: float,
) -> None:
    """Moves faces (axis, sign) of a free box outwards, in place, until they touch a hull.

    A face that touches none within ``reach`` (m) stays where it is.
    """
    for axis, sign in faces:
        face = high if sign > 0 else low
        end = face[axis] + sign * reach
        nearest = end
        for hull in hulls:
            p = _nearest(low, high, hull, axis, sign, nearest)
            if p is not None:
                nearest = p
        if nearest != end:
            face[axis] = nearest


def _nearest(
    low: Array, high: Array, hull: Hull, axis: int, sign: int, reach: float
) -> float | None:
    """Where along an axis a hull begins that is within the other bounds of the box, or None."""
    a, b = low.copy(), high.copy()
    face = b[axis] if sign > 0 else a[axis]
    a[axis], b[axis] = min(face, reach), max(face, reach)
    shrink = np.full(3, 1e-6)  # what only touches the sides is not in the way
    shrink[axis] = 0.0
    a, b = a + shrink, b - shrink
    if np.any(hull.vertices.max(axis=0) <= a) or np.any(hull.vertices.min(axis=0) >= b):
        return None
    cost = np.zeros(3)
    cost[axis] = sign
    found = linprog(
        cost,
        A_ub=hull.planes[:, :3],
        b_ub=hull.planes[:, 3],
        bounds=np.column_stack([a, b]),
        method="highs",
    )
    return float(found.x[axis]) if found.status == 0 else None

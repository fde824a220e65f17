"""What things are put on: the flat top of an object, by the convex hulls that collide."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from . import se3
from .assets import ArticulatedAsset
from .categories import PREFIX
from .free_space import Grid, Mask, largest_cuboid, widen
from .interior import CELLS, SMALLEST, coarse, voxel_of, walls_of
from .se3 import Array

SURFACE = PREFIX + "surface_base"
"""Keypoint of what things are put on: a point above it."""
FLAT = 0.005  # m; a surface may be as uneven as keys are
STEEP = 0.1  # rise by length; on what is steeper things slide
SLIT = 0.01  # m; a gap in a surface over which things stand
ROUNDS = 6  # of fitting a plane to what lies in the former one


@dataclass(frozen=True)
class Support:
    """A flat rectangle on which things stand, m; seen from above, its sides are those of the root.

    Attributes:
        link: That it moves with.
        T_link_top: Its middle, z out of the surface, which may slope a little.
        half_size: (2,) along x and y.
        cells: Middles (N, 2) of the squares that make up the whole area.
        cell_size: Edge of one of them.
        uneven: How far the lowest and the highest part of the area are off its plane, m.
    """

    link: str
    T_link_top: Array
    half_size: Array
    cells: Array
    cell_size: float
    uneven: tuple[float, float]

    def gap(self, z_top: float) -> float:
        """How far (m) a height over its plane is over or under the whole of the area."""
        low, high = self.uneven
        return max(z_top - high, low - z_top, 0.0)

    def beside(self, p_top: Array) -> float:
        """How far (m) a point (3,) of its frame is beside the area; 0 over or under it."""
        # Of a surface that slopes they overlap or part by a hair.
        off = np.maximum(np.abs(self.cells - p_top[:2]) - 0.51 * self.cell_size, 0.0)
        return float(np.sqrt(np.min(np.sum(off**2, axis=1))))

    def T_root_top(self, asset: ArticulatedAsset, q: float) -> Array:
        """Pose of its middle in the root frame at joint position ``q``."""
        return asset.tree.link_poses(q)[self.link] @ self.T_link_top


@functools.lru_cache(maxsize=256)
def support_of(asset: ArticulatedAsset) -> Support | None:
    """The highest flat area under the keypoint of a surface; None where there is none.

    Of an object without that keypoint it is the largest level area on top, of what does not move
    or of a loose object as a whole. It is kept.
    """
    q = asset.joint_position(1.0)
    link, hulls, _ = walls_of(asset, q, moving=asset.info.free_body)
    if not hulls:
        return None
    voxel = voxel_of(hulls)
    grid = Grid.around(np.concatenate([h.vertices for h in hulls]), voxel)
    keypoint = asset.keypoints(q).get(SURFACE)
    tops = grid.tops(hulls, np.inf if keypoint is None else float(keypoint[2]))
    area, slope = _flat_area(grid, tops, keypoint)
    columns = np.argwhere(area)
    if not len(columns) or np.any(np.ptp(columns, axis=0) * voxel < SMALLEST):
        return None
    step = int(np.ceil(max(area.shape) / CELLS))
    steps = np.array([step, step, 1], dtype=np.int64)
    at = columns[len(columns) // 2]
    if keypoint is not None:
        at = np.floor((keypoint - grid.low)[:2] / voxel).astype(int)
    cuboid = largest_cuboid(
        coarse(area[..., None], step, 1), np.append(at // step, 0), np.array([True, True, False])
    )
    first, last = widen(area[..., None], cuboid[0] * steps, (cuboid[1] + 1) * steps - 1)
    low = grid.low[:2] + first[:2] * voxel
    high = grid.low[:2] + (last[:2] + 1) * voxel
    T_root_top = _frame(slope, 0.5 * (low + high))
    T_top_root = se3.inverse(T_root_top)
    # What spans a slit stands as well.
    closed = ndimage.binary_closing(area, iterations=max(1, round(SLIT / (2.0 * voxel)))) | area
    surface = grid.low[:2] + (np.argwhere(closed) + 0.5) * voxel
    cells = se3.apply(T_top_root, np.column_stack([surface, _heights(slope, surface)]))[:, :2]
    T_link_top = se3.inverse(asset.tree.link_poses(q)[link]) @ T_root_top
    off = tops[area] - _heights(slope, grid.low[:2] + (columns + 0.5) * voxel)
    uneven = float(off.min()), float(off.max())
    return Support(link, T_link_top, 0.5 * (high - low), cells, voxel, uneven)


def _flat_area(grid: Grid, tops: Array, keypoint: Array | None) -> tuple[Mask, Array]:
    """Columns of the flat area, and its plane (3,): height is a x + b y + c; none where empty."""
    none = np.zeros_like(tops, dtype=bool)
    finite = np.isfinite(tops)
    if not finite.any():
        return none, np.zeros(3)
    if keypoint is None:
        heights = np.sort(tops[finite])
        counts = np.searchsorted(heights, heights + FLAT, side="right") - np.arange(len(heights))
        slope = np.array([0.0, 0.0, heights[int(np.argmax(counts))] + 0.5 * FLAT])
    else:
        i, j = np.floor((keypoint - grid.low)[:2] / grid.voxel).astype(int)
        inside = 0 <= i < tops.shape[0] and 0 <= j < tops.shape[1]
        if not inside or not finite[i, j]:
            return none, np.zeros(3)
        slope = np.array([0.0, 0.0, tops[i, j]])
    index = np.argwhere(np.ones_like(tops, dtype=bool))
    middles = grid.low[:2] + (index + 0.5) * grid.voxel
    area = none
    for _ in range(ROUNDS):
        level = (np.abs(tops - _heights(slope, middles).reshape(tops.shape)) <= FLAT) & finite
        labels, count = ndimage.label(level)
        if not count:
            return none, slope
        largest = int(np.argmax(np.bincount(labels.ravel())[1:])) + 1
        area = labels == (largest if keypoint is None or not level[i, j] else labels[i, j])
        rows = np.column_stack([middles, np.ones(len(middles))])[area.ravel()]
        slope = np.linalg.lstsq(rows, tops[area], rcond=None)[0]
        if np.hypot(slope[0], slope[1]) > STEEP:
            return none, slope
    return area, slope


def _heights(slope: Array, points: Array) -> Array:
    """Heights (N,) of a plane (3,) at points (N, 2)."""
    return np.asarray(points @ slope[:2] + slope[2])


def _frame(slope: Array, middle: Array) -> Array:
    """Pose of a point (2,) of a plane, z out of it and x as that of the root, seen from above."""
    z = np.array([-slope[0], -slope[1], 1.0])
    x = np.array([1.0, 0.0, slope[0]])
    z, x = z / np.linalg.norm(z), x / np.linalg.norm(x)
    R = np.column_stack([x, np.cross(z, x), z])
    return se3.transform([*middle, float(middle @ slope[:2] + slope[2])], R)

"""Where something comes out of an object from above, as water of a spout."""

from __future__ import annotations

import functools

import numpy as np

from . import se3
from .assets import ArticulatedAsset
from .free_space import Grid, Hull
from .se3 import Array

VOXEL = 0.003  # m
REACH = 0.05  # m; the keypoint under an outlet is at most so far beside it
LEVEL = 0.002  # m; an outlet is as level as that


def outlet_of(asset: ArticulatedAsset, keypoint: str, q: float) -> Array | None:
    """The outlet (3,) over a keypoint, m in the root frame; None where there is no such keypoint.

    It is the middle of the lowest part that points down over or next to the keypoint; the nearest
    part where none does; and the keypoint itself where there is nothing over it. It belongs to
    what does not move.
    """
    points = asset.keypoints(q)
    if keypoint not in points:
        return None
    p = points[keypoint]
    return p if "base" not in keypoint else _outlet(asset, (float(p[0]), float(p[1]), float(p[2])))


@functools.lru_cache(maxsize=256)
def _outlet(asset: ArticulatedAsset, keypoint: tuple[float, float, float]) -> Array:
    p = np.array(keypoint)
    poses = asset.tree.link_poses(asset.joint_position(0.0))
    # Upside down: what is lowest is on top.
    flip = np.array([1.0, 1.0, -1.0])
    found = (
        Hull.of(se3.apply(poses[link], vertices) * flip)
        for link, vertices in asset.hulls
        if link != asset.tree.moving.child
    )
    hulls = [hull for hull in found if hull is not None]
    disc = np.array([[-REACH, -REACH, 0.0], [REACH, REACH, 0.0]]) + p
    grid = Grid.around(disc, VOXEL)
    bottoms = -grid.tops(hulls, -p[2])
    cells = np.argwhere(np.isfinite(bottoms))
    columns = grid.centres(np.column_stack([cells, np.zeros(len(cells), dtype=int)]))[:, :2]
    off = np.linalg.norm(columns - p[:2], axis=1)
    near = off <= REACH
    if not np.any(near):
        return p
    heights = bottoms[tuple(cells.T)]
    low = near & (heights <= heights[near].min() + LEVEL)
    if off[low].max() > REACH - 2.0 * VOXEL:  # it goes on getting lower beyond
        low = near & (off <= off.min() + VOXEL)
    middle = 0.5 * (columns[low].min(axis=0) + columns[low].max(axis=0))
    return np.array([middle[0], middle[1], heights[low].min()])

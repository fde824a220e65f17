"""Footprints: what objects cover of the table, and how far they are apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.spatial import ConvexHull

from . import se3
from .assets import ArticulatedAsset
from .se3 import Array

OPENNESSES = (0.0, 0.25, 0.5, 0.75, 1.0)  # through which a door or lid may go
HIGH = 0.35  # m; what is higher is over whatever stands there


def footprint(asset: ArticulatedAsset, T_base_root: Array) -> Array:
    """Convex outline (N, 2) of what an object covers, m in base.

    Of an object with a joint it is what it may come to cover; a free one stays as it is placed.
    """
    return covered(asset, T_base_root, (0.0,) if asset.info.free_body else OPENNESSES)


def covered(asset: ArticulatedAsset, T_base_root: Array, opens: Iterable[float]) -> Array:
    """Convex outline (N, 2) of what an object covers at some openness or other, m in base."""
    points = []
    for openness in opens:
        poses = asset.tree.link_poses(asset.joint_position(openness))
        for link, vertices in asset.hulls:
            p = se3.apply(T_base_root @ poses[link], vertices)
            if p[:, 2].min() < HIGH:
                points.append(p[:, :2])
    every = np.concatenate(points)
    return np.asarray(every[ConvexHull(every).vertices])


def gap(a: Array, b: Array) -> float:
    """Distance (m) of two convex outlines (N, 2); negative = how deep they are in each other."""
    # Along the normals of edges; exact where they overlap, and for a lower bound elsewhere.
    apart = max(_along_normals(a, b), _along_normals(b, a))
    if apart <= 0.0:
        return apart
    return min(_to_edges(a, b), _to_edges(b, a))


def _along_normals(a: Array, b: Array) -> float:
    """The largest distance of b from a line along an edge of a; a is counter-clockwise."""
    edges = np.roll(a, -1, axis=0) - a
    normals = np.column_stack([edges[:, 1], -edges[:, 0]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return float((b @ normals.T - np.sum(a * normals, axis=1)).min(axis=0).max())


def _to_edges(points: Array, outline: Array) -> float:
    """Least distance of points (N, 2) from the edges of an outline."""
    start = outline
    edges = np.roll(outline, -1, axis=0) - start
    offsets = points[:, None] - start
    share = np.sum(offsets * edges, axis=2) / np.sum(edges**2, axis=1)
    nearest = offsets - np.clip(share, 0.0, 1.0)[..., None] * edges
    return float(np.linalg.norm(nearest, axis=2).min())

"""Regions of a scene into which, onto or under which something can be put."""

from __future__ import annotations

import numpy as np
from gensim2_tasks.interior import interior_of, why_no_interior
from gensim2_tasks.outlet import outlet_of
from gensim2_tasks.support import support_of
from numpy.typing import NDArray
from scipy.spatial import HalfspaceIntersection

from gensim2_tasks import se3

from .places import Region
from .plan import SceneObject

Array = NDArray[np.float64]
STEEP, SLANT = -0.7, 1.0  # of a way in from above, and of those beside it
ON_HEIGHT = 0.2  # m over a surface that belong to it
UNDER_ROOM = 0.02  # m to each side of what is put under something
AROUND = 8  # directions from which it may come
UNDER = "articulated_object_bottom_base"


class RegionError(ValueError):
    """There is no such region; says why."""


def region_of(kind: str, target: SceneObject, size: Array) -> Region:
    """The region of a target.

    Args:
        kind: "inside", "on_top" or "under".
        target: The object it belongs to, as it is now.
        size: (3,) of what is to be put there, along the axes of base, m.

    Raises:
        RegionError: The target has none of this kind.
    """
    if kind == "inside":
        return _inside(target)
    if kind == "on_top":
        return _on(target)
    if kind == "under":
        return _under(target, size)
    raise RegionError(f"unknown region {kind!r}; known: inside, on_top, under")


def _link_pose(target: SceneObject, link: str) -> Array:
    return target.T_base_root @ target.asset.tree.link_poses(target.joint_position)[link]


def _inside(target: SceneObject) -> Region:
    interior = interior_of(target.asset)
    if interior is None:
        raise RegionError(why_no_interior(target.asset))
    T = _link_pose(target, interior.link) @ interior.T_link_box
    inwards = []
    for normal in interior.open_faces:
        straight = -T[:3, :3] @ normal
        inwards.append(straight)
        if straight[2] < STEEP:
            # Past what is over the opening, such as the handle of a bucket.
            inwards += [_unit(straight + SLANT * T[:3, i] * sign) for i, sign in _level_axes(T)]
    corners = HalfspaceIntersection(
        np.column_stack([interior.planes[:, :3], -interior.planes[:, 3]]), np.zeros(3)
    ).intersections
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Region(T, interior.planes, low, high, tuple(inwards), lidded=interior.lidded)


def _level_axes(T: Array) -> list[tuple[int, float]]:
    return [(i, s) for i in range(3) if abs(T[2, i]) < 0.5 for s in (1.0, -1.0)]


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


def _on(target: SceneObject) -> Region:
    support = support_of(target.asset)
    if support is None:
        raise RegionError(f"asset {target.asset.ref} has no surface to put anything on")
    T = _link_pose(target, support.link) @ support.T_link_top
    half = np.array([*support.half_size, ON_HEIGHT])
    T = T @ se3.transform((0.0, 0.0, ON_HEIGHT))
    return Region.box(T, half, (np.array([0.0, 0.0, -1.0]),), drop=False)


def _under(target: SceneObject, size: Array) -> Region:
    outlet = outlet_of(target.asset, UNDER, target.joint_position)
    if outlet is None:
        raise RegionError(f"asset {target.asset.ref} has no keypoint {UNDER}")
    p = se3.apply(target.T_base_root, outlet)
    half = 0.5 * size + UNDER_ROOM
    half[:2] = half[:2].max()
    p[2] = half[2]
    angles = np.arange(AROUND) * (2 * np.pi / AROUND)
    inwards = tuple(np.array([np.cos(a), np.sin(a), 0.0]) for a in angles)
    return Region.box(se3.transform(p), half, inwards, drop=False, level=True)
